# A complete configuration: every input has a default.

provider "aws" {
  region = var.region
}

module "pynvest_tools" {
  source = "../.."
}
