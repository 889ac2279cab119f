# For an account in which every role has to have a boundary and lie under a path.

provider "aws" {
  region = var.region
}

# What the roles of the module may do, and not where: each role has its own policy for that. Most accounts that
# ask for a boundary have one already; then it has to let at least this through.
resource "aws_iam_policy" "boundary" {
  # checkov:skip=CKV_AWS_289:A boundary grants nothing: what a role may do, and where, its own policy says
  # checkov:skip=CKV_AWS_290:As above
  # checkov:skip=CKV_AWS_355:As above
  # checkov:skip=CKV_AWS_288:As above
  name   = "pynvest-boundary"
  policy = file("${path.module}/boundary.json")
}

module "pynvest_tools" {
  source = "../.."

  permissions_boundary_arn = aws_iam_policy.boundary.arn
  iam_role_path            = "/lake/"
}
