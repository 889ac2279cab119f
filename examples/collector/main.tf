# This lake does not read the site: your own machine uploads the pages (docs/collector.md).

provider "aws" {
  region = var.region
}

module "pynvest_tools" {
  source = "../.."

  fetch_from = "pages"
}

# This user's access key is stored on your machine.
# The user is allowed to put, get and list pages, and has no other access to the lake.
# Create the key with `aws iam create-access-key`: Terraform would store the key in its state.
resource "aws_iam_user" "collector" {
  # checkov:skip=CKV_AWS_273:A machine at home has no role to assume; this user can only put, get and list pages
  name = "pynvest-collector"
}

resource "aws_iam_user_policy" "collector" {
  # checkov:skip=CKV_AWS_40:The one user with this policy; a group would hold nobody else
  name   = "bring-pages"
  user   = aws_iam_user.collector.name
  policy = module.pynvest_tools.collector_policy_json
}
