# A lake that does not ask the site itself: a machine of yours brings the pages (docs/collector.md).

provider "aws" {
  region = var.region
}

module "pynvest_tools" {
  source = "../.."

  fetch_from = "pages"
}

# Its key lies on that machine: it may bring pages, and reaches nothing else of the lake. Make the key with
# `aws iam create-access-key`, so that it does not stand in the state.
resource "aws_iam_user" "collector" {
  # checkov:skip=CKV_AWS_273:A machine at home has no role to assume; this user can put pages and nothing else
  name = "pynvest-collector"
}

resource "aws_iam_user_policy" "collector" {
  # checkov:skip=CKV_AWS_40:The one user with this policy; a group would hold nobody else
  name   = "bring-pages"
  user   = aws_iam_user.collector.name
  policy = module.pynvest_tools.collector_policy_json
}
