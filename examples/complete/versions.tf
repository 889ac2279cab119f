terraform {
  required_version = ">= 1.6"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 7.0"
    }
  }

  # Use this backend if several people or CI apply this configuration (Terraform 1.10 or newer). Create the bucket, uncomment these lines and run init again.
  # backend "s3" {
  #   bucket = "my-company-terraform-state"
  #   key    = "pynvest-tools/terraform.tfstate"
  #   region = "sa-east-1"
  #
  #   encrypt      = true
  #   use_lockfile = true # before Terraform 1.10: dynamodb_table
  # }
}
