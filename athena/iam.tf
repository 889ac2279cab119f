data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

# The region comes from aws_service, because provider 6 renamed the attribute of aws_region.
data "aws_service" "current" {
  service_id = "s3"
}

locals {
  # The ARNs are made of names, not of references to resources. So a plan shows the whole policy, and tests can check the policy's size.
  region_and_account = "${data.aws_service.current.region}:${data.aws_caller_identity.current.account_id}"
  glue_arn           = "arn:${data.aws_partition.current.partition}:glue:${local.region_and_account}"
  athena_arn         = "arn:${data.aws_partition.current.partition}:athena:${local.region_and_account}"

  databases  = toset([for table in var.tables : table.database])
  table_arns = concat([for table in var.tables : "${local.glue_arn}:table/${table.database}/${table.name}"], [for views in ["vw_*_ultimo_dia", "vw_ativos_*", "vw_possiveis_desdobramentos"] : "${local.glue_arn}:table/${local.views_database}/${views}"])
  bucket_arn = { for bucket in toset([for table in var.tables : table.bucket]) : bucket => "arn:${data.aws_partition.current.partition}:s3:::${bucket}" }

  # The tables of stocks and of funds share one pattern: otherwise, long names would exceed IAM's limit for a policy.
  key_patterns = { for key, table in var.tables : key => "${replace(table.prefix, "/_indicadores_.*$/", "_indicadores_")}*" }
}

# Athena uses the reader's permissions to read the catalog and the tables' objects, and to write results.
data "aws_iam_policy_document" "reader" {
  # checkov:skip=CKV_AWS_356:The actions that list workgroups and data catalogs support no resource
  statement {
    sid = "Query"
    actions = [
      "athena:BatchGetNamedQuery",
      "athena:BatchGetQueryExecution",
      "athena:GetNamedQuery",
      "athena:GetQueryExecution",
      "athena:GetQueryResults",
      "athena:GetQueryResultsStream",
      "athena:GetWorkGroup",
      "athena:ListNamedQueries",
      "athena:ListQueryExecutions",
      "athena:StartQueryExecution",
      "athena:StopQueryExecution",
    ]
    resources = ["${local.athena_arn}:workgroup/${var.name}"]
  }

  statement {
    sid       = "ChooseTheWorkgroup"
    actions   = ["athena:ListDataCatalogs", "athena:ListWorkGroups"]
    resources = ["*"]
  }

  statement {
    sid       = "LookUpTheCatalogInAthena"
    actions   = ["athena:GetDataCatalog", "athena:GetDatabase", "athena:GetTableMetadata", "athena:ListDatabases", "athena:ListTableMetadata"]
    resources = ["${local.athena_arn}:datacatalog/AwsDataCatalog"]
  }

  statement {
    sid     = "LookUpTheCatalog"
    actions = ["glue:BatchGetPartition", "glue:GetDatabase", "glue:GetDatabases", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable", "glue:GetTables"]
    # For every query, Athena also looks up the database `default`.
    resources = concat(
      ["${local.glue_arn}:catalog", "${local.glue_arn}:database/default"],
      [for database in local.databases : "${local.glue_arn}:database/${database}"],
      local.table_arns,
    )
  }

  statement {
    sid       = "FindTheTables"
    actions   = ["s3:GetBucketLocation"]
    resources = values(local.bucket_arn)
  }

  statement {
    sid       = "ReadTheTables"
    actions   = ["s3:GetObject"]
    resources = distinct([for key, table in var.tables : "${local.bucket_arn[table.bucket]}/${local.key_patterns[key]}"])
  }

  dynamic "statement" {
    for_each = local.bucket_arn

    content {
      sid       = "ListTheTables${index(keys(local.bucket_arn), statement.key)}"
      actions   = ["s3:ListBucket"]
      resources = [statement.value]

      condition {
        test     = "StringLike"
        variable = "s3:prefix"
        values   = distinct([for key, table in var.tables : local.key_patterns[key] if table.bucket == statement.key])
      }
    }
  }

  statement {
    sid       = "KeepResults"
    actions   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"]
    resources = ["${var.work_bucket.arn}/athena-results/*"]
  }

  statement {
    sid       = "FindResults"
    actions   = ["s3:GetBucketLocation", "s3:ListBucketMultipartUploads"]
    resources = [var.work_bucket.arn]
  }

  statement {
    sid       = "ListResults"
    actions   = ["s3:ListBucket"]
    resources = [var.work_bucket.arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["athena-results/*"]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn[*]

    content {
      sid       = "UseTheKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]

      condition {
        test     = "StringLike"
        variable = "kms:EncryptionContext:aws:s3:arn"
        values   = concat([var.work_bucket.arn, "${var.work_bucket.arn}/athena-results/*"], flatten([for arn in values(local.bucket_arn) : [arn, "${arn}/*"]]))
      }
    }
  }

  dynamic "statement" {
    for_each = length(var.bucket_kms_key_arns) > 0 ? [var.bucket_kms_key_arns] : []

    content {
      sid       = "DecryptWithTheBucketsKeys"
      actions   = ["kms:Decrypt"]
      resources = statement.value
    }
  }
}
