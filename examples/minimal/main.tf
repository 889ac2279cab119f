# The whole of it: everything has a default.

provider "aws" {
  region = var.region
}

module "pynvest_tools" {
  source = "../.."
}
