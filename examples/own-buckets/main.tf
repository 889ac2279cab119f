# A lake in your own bucket, with your own KMS key. The bucket also notifies other targets.
# The module does not configure the bucket.

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "current" {}

resource "aws_kms_key" "bucket" {
  # checkov:skip=CKV2_AWS_64:The key's default policy lets IAM policies of the account grant its use; the lake needs no more
  description         = "Objects of the bucket of the lake"
  enable_key_rotation = true
}

resource "aws_s3_bucket" "lake" {
  # checkov:skip=CKV_AWS_18:Yours to decide, like every setting of your own bucket
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

# Add your other targets here: a bucket has only one notification configuration.
resource "aws_s3_bucket_notification" "lake" {
  bucket      = aws_s3_bucket.lake.id
  eventbridge = true
}

module "pynvest_tools" {
  source = "../.."

  # Use the attribute `bucket`: during the plan, `id` is unknown.
  bucket_names_map     = { sor = aws_s3_bucket.lake.bucket, sot = aws_s3_bucket.lake.bucket, spec = aws_s3_bucket.lake.bucket }
  bucket_kms_key_arns  = [aws_kms_key.bucket.arn]
  bucket_notifications = "eventbridge"
}
