# Two lakes in one account, such as one that is tried out beside the one that counts: each has a prefix of its own.

provider "aws" {
  region = var.region
}

module "lake" {
  source = "../.."
}

module "trial" {
  source = "../.."

  name_prefix          = "pynvest-trial"
  pages_retention_days = 7
  force_destroy        = true
  schedules_enabled    = false
}
