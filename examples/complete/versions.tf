terraform {
  required_version = ">= 1.10" # use_lockfile; the module itself takes 1.6

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 7.0"
    }
  }

  backend "s3" {
    bucket = "my-company-terraform-state"
    key    = "pynvest-tools/terraform.tfstate"
    region = "sa-east-1"

    encrypt      = true
    use_lockfile = true # before Terraform 1.10: dynamodb_table
  }
}
