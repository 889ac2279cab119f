# A lake in a bucket of your own, under your own key, that notifies others too: the module sets nothing of it.

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "current" {}

resource "aws_kms_key" "bucket" {
  # checkov:skip=CKV2_AWS_64:The key's default policy lets IAM policies of the account grant its use, which is all that the lake takes
  description         = "Objects of the bucket of the lake"
  enable_key_rotation = true
}

resource "aws_s3_bucket" "lake" {
  # checkov:skip=CKV_AWS_18:Yours to decide, as everything about a bucket of your own
  # checkov:skip=CKV_AWS_144:As above
  # checkov:skip=CKV_AWS_21:As above
  # checkov:skip=CKV2_AWS_61:As above
  bucket = "my-company-lake-${data.aws_caller_identity.current.account_id}"
}

resource "aws_s3_bucket_public_access_block" "lake" {
  bucket                  = aws_s3_bucket.lake.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.bucket.arn
    }
  }
}

# Whom else the bucket notifies stands here too: it has one such configuration.
resource "aws_s3_bucket_notification" "lake" {
  bucket      = aws_s3_bucket.lake.id
  eventbridge = true
}

module "pynvest_tools" {
  source = "../.."

  # Its name, which is known when planning, and not its id.
  bucket_names_map     = { sor = aws_s3_bucket.lake.bucket, sot = aws_s3_bucket.lake.bucket, spec = aws_s3_bucket.lake.bucket }
  bucket_kms_key_arns  = [aws_kms_key.bucket.arn]
  bucket_notifications = "eventbridge"
}
