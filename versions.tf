# The module is tested with Terraform 1.11.4 and hashicorp/aws 5.100.0.
terraform {
  required_version = ">= 1.6"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 7.0"
    }
  }
}
