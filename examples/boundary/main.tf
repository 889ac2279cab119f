# This example is for an account in which every role must have a boundary and a path.

provider "aws" {
  region = var.region
}

# The boundary allows every action that the module's roles need, on any resource. Each role's own policy limits the resources.
# If your account has a boundary already, use that boundary. It must allow at least the actions in boundary.json.
resource "aws_iam_policy" "boundary" {
  # checkov:skip=CKV_AWS_289:A boundary grants nothing: each role's own policy names actions and resources
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
