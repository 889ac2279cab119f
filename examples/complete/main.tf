# All inputs of the module, with example values. An input that you leave out keeps its default.

provider "aws" {
  region = var.region
}

module "pynvest_tools" {
  source = "../.." # in your root: "./pynvest-tools", a clone beside this file, or the git address in the README

  name_prefix         = "my-lake"
  module_default_tags = { project = "b3-fundamentals", cost-center = "research" }

  # Buckets are created with these names. With flag_create_buckets = false they must exist.
  bucket_names_map = {
    sor  = "my-company-lake-raw"
    sot  = "my-company-lake-curated"
    spec = "my-company-lake-curated"
  }
  flag_create_buckets = true
  force_destroy       = false
  kms_key_arn         = aws_kms_key.lake.arn
  bucket_kms_key_arns = [] # keys of your own buckets, if the module creates none

  bucket_notifications = "module" # "eventbridge" if your own buckets also notify other targets

  permissions_boundary_arn = null # examples/boundary
  iam_role_path            = "/"

  databases_names_map = {
    sor  = "b3_raw"
    sot  = "b3_curated"
    spec = "b3_curated"
  }
  flag_create_databases = true

  sqs_tickers_acoes_queue_name   = "b3-stock-tickers"
  sqs_tickers_fiis_queue_name    = "b3-fund-tickers"
  sqs_visibility_timeout_seconds = 720 # six times the time limit of stage 3
  sqs_message_retention_seconds  = 345600
  sqs_max_message_size           = 262144
  sqs_delay_seconds              = 0
  sqs_receive_wait_time_seconds  = 20
  sqs_max_receive_count          = 3

  sqs_lambda_trigger_batch_size      = 25
  sqs_lambda_trigger_batch_window    = 5
  sqs_lambda_trigger_max_concurrency = null # 5 for stocks, 3 for funds

  functions_python_runtime   = "python3.13"
  functions_timeout          = 300
  functions_memory_size      = null # each stage has its own default
  awssdkpandas_layer_arn     = null # the layer of the region
  awssdkpandas_layer_version = "3.16.1"
  lambda_packages_dir        = null # built during the apply, with python3 and pip

  # Five invocations for stocks and three for funds, with one thread each: at most eight concurrent requests to the site.
  fetch_from            = "site"
  pages_retention_days  = 90
  fundamentus_base_url  = "https://www.fundamentus.com.br"
  fetch_threads         = 1
  fetch_timeout_seconds = 20
  fetch_headers = {
    "Accept"          = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    "Accept-Language" = "pt-BR,pt;q=0.9"
  }

  schedules_enabled           = true
  schedule_timezone           = "America/Sao_Paulo"
  schedule_expression_start   = "cron(45 18 ? * MON-FRI *)"
  schedule_expression_dedup   = "cron(0 19 ? * MON-FRI *)"
  dedup_wait_interval_seconds = 30
  dedup_round_minutes         = [60, 60, 60, 60]

  log_level = "INFO"
  # With "fail", a bad verdict fails the workflow; with "record", the verdict is only written.
  quality_gate           = "fail"
  quality_reference_from = null
  # The owner of this address must first follow the link in AWS's mail. To use your own topic, set alarm_topic_arn instead.
  alarm_email                   = var.alarm_email
  alarm_topic_arn               = null
  daily_digest                  = true
  athena_enabled                = true
  athena_bytes_scanned_cutoff   = 1073741824 # 1 GB
  athena_results_retention_days = 30

  log_retention_days = 30
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_iam_policy_document" "key" {
  # checkov:skip=CKV_AWS_109:In a key's policy, "*" is that key and nothing else
  # checkov:skip=CKV_AWS_111:In a key's policy, "*" is that key and nothing else
  # checkov:skip=CKV_AWS_356:In a key's policy, "*" is that key and nothing else
  statement {
    sid       = "LetIamPoliciesGrantItsUse"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }

  statement {
    sid       = "EncryptLogs"
    actions   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${var.region}.amazonaws.com"]
    }

    condition {
      test     = "StringLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${data.aws_partition.current.partition}:logs:${var.region}:${data.aws_caller_identity.current.account_id}:log-group:*"]
    }
  }

  # CloudWatch alarms and EventBridge's rule for stopped executions publish to the topic of notices.
  statement {
    sid       = "AlarmsTell"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }

  # EventBridge's requests to KMS contain no aws:SourceAccount, but they contain the topic's ARN in SNS's encryption context.
  statement {
    sid       = "RuleTells"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:aws:sns:topicArn"
      values   = ["arn:${data.aws_partition.current.partition}:sns:${var.region}:${data.aws_caller_identity.current.account_id}:my-lake-notices"]
    }
  }

  # Only for bucket_notifications = "eventbridge": the bus puts undeliverable events into encrypted queues.
  statement {
    sid       = "BusSendsFailures"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "StringLike"
      variable = "kms:EncryptionContext:aws:sqs:arn"
      values   = ["arn:${data.aws_partition.current.partition}:sqs:${var.region}:${data.aws_caller_identity.current.account_id}:my-lake-*"]
    }
  }
}

resource "aws_kms_key" "lake" {
  description         = "Encrypts the data lake"
  enable_key_rotation = true
  policy              = data.aws_iam_policy_document.key.json
}
