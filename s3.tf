resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV_AWS_18:Only this module's roles read and write; CloudTrail's data events can log that
  # checkov:skip=CKV_AWS_144:A copy in another region would double the cost of data that versioning already protects
  # checkov:skip=CKV2_AWS_62:The lambda submodule sets notifications if new objects start functions
  for_each = local.buckets

  bucket        = each.value.name
  force_destroy = each.value.force_destroy
  tags          = var.module_default_tags
}

# The same apply can create the consumer's bucket, so this resource makes the data source below wait for the bucket.
resource "terraform_data" "own_bucket" {
  for_each = local.create_buckets ? {} : { for layer in toset(values(local.bucket_of)) : layer => local.bucket_names[layer] }

  input = each.value
}

# This request fails if the consumer's bucket is in another region or does not allow listing.
data "aws_s3_objects" "own_bucket_in_this_region" {
  for_each = terraform_data.own_bucket

  bucket   = each.value.output
  max_keys = 1
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    id     = "expire-old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    expiration {
      expired_object_delete_marker = true
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  dynamic "rule" {
    for_each = each.key == "work" ? local.expiry : {}

    content {
      id     = "expire-${rule.key}"
      status = "Enabled"

      filter {
        prefix = "${rule.key}/"
      }

      expiration {
        days = rule.value
      }

      noncurrent_version_expiration {
        noncurrent_days = 1
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = aws_s3_bucket.this

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

data "aws_iam_policy_document" "bucket" {
  for_each = aws_s3_bucket.this

  statement {
    sid       = "DenyWithoutTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [each.value.arn, "${each.value.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  # Nobody can overwrite an archived page.
  # This statement also denies copies and multipart uploads, which do not send the header If-None-Match.
  # A multipart upload can end long after it started, but S3 gives the object the date of the start.
  dynamic "statement" {
    for_each = each.key == "work" ? ["pages"] : []

    content {
      sid       = "DenyPagesWithoutIfNoneMatch"
      effect    = "Deny"
      actions   = ["s3:PutObject"]
      resources = ["${each.value.arn}/${statement.value}/*"]

      principals {
        type        = "*"
        identifiers = ["*"]
      }

      condition {
        test     = "Null"
        variable = "s3:if-none-match"
        values   = ["true"]
      }
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id
  policy = data.aws_iam_policy_document.bucket[each.key].json

  depends_on = [aws_s3_bucket_public_access_block.this]
}
