# Two lakes in one account, such as production and test: each has its own prefix.

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
