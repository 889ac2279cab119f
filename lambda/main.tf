data "aws_partition" "current" {}

# The region comes from aws_service, because provider 6 renamed the attribute of aws_region.
data "aws_service" "current" {
  service_id = "s3"
}

data "aws_caller_identity" "current" {}

locals {
  # Memory in MB.
  # Functions that compute get more memory: they run faster at the same cost.
  # Functions that wait for pages get less memory: waiting then costs less.
  functions = {
    check-and-delete-partitions          = { stage = 1, memory = 1024, package = "check_and_delete_partitions", asynchronous = true }
    get-tickers                          = { stage = 2, memory = 512, package = "get_tickers", asynchronous = true }
    get-financial-data-for-acoes         = { stage = 3, memory = 512, package = "get_financial_data", asynchronous = false }
    get-financial-data-for-fiis          = { stage = 3, memory = 512, package = "get_financial_data", asynchronous = false }
    prep-financial-data-for-acoes        = { stage = 4, memory = 1024, package = "prep_financial_data", asynchronous = true }
    prep-financial-data-for-fiis         = { stage = 4, memory = 1024, package = "prep_financial_data", asynchronous = true }
    specialize-financial-data            = { stage = 5, memory = 1024, package = "specialize_financial_data", asynchronous = true }
    dedup-financial-data-for-acoes       = { stage = 6, memory = 1024, package = "dedup_financial_data", asynchronous = false }
    dedup-financial-data-for-fiis        = { stage = 6, memory = 1024, package = "dedup_financial_data", asynchronous = false }
    dedup-financial-data-for-spec-ativos = { stage = 6, memory = 1024, package = "dedup_financial_data", asynchronous = false }
    assess-day                           = { stage = 6, memory = 1024, package = "assess_day", asynchronous = false }
  }

  # Stage 3 ends within this time limit, and returns unread tickers to its queue.
  fetching_timeout = min(120, var.timeout)

  names        = { for function in keys(local.functions) : function => "${var.name_prefix}-lambda-${function}" }
  asynchronous = { for function, row in local.functions : function => row if row.asynchronous }

  table = { for key, table in var.tables : key => merge(
    { bucket = table.bucket, database = table.database, table = table.name },
    table.prefix == "${table.name}/" ? {} : { key_prefix = trimsuffix(table.prefix, "${table.name}/") },
  ) }
  queue_urls = { for kind, queue in var.ticker_queues : kind => queue.url }

  # Stage 1 clears the tables in this order: each table before its source tables.
  lake_tables = jsonencode([for key in ["spec_quality", "spec_ativos", "sot_fiis", "sot_acoes", "sor_fiis", "sor_acoes"] : local.table[key]])

  environment = {
    check-and-delete-partitions = {
      LAKE_TABLES               = local.lake_tables
      WORK_BUCKET               = var.work_bucket.name
      GET_TICKERS_FUNCTION_NAME = local.names["get-tickers"]
      WORKFLOW_ARN              = var.workflow_arn
      FETCH_FROM                = var.fetch_from
    }
    get-tickers = {
      FUNDAMENTUS_BASE_URL   = var.site.base_url
      FETCH_HEADERS          = jsonencode(var.site.headers)
      TICKERS_QUEUE_URLS     = jsonencode(local.queue_urls)
      LAKE_TABLES            = local.lake_tables
      WORK_BUCKET            = var.work_bucket.name
      KEEP_PAGES             = tostring(var.keep_pages)
      FETCH_FROM             = var.fetch_from
      QUEUE_PATIENCE_SECONDS = tostring(var.ticker_delivery.patience_seconds)
    }
    get-financial-data-for-acoes         = merge(local.fetching, { TICKER_KIND = "acoes", TARGET_TABLE = jsonencode(local.table.sor_acoes) })
    get-financial-data-for-fiis          = merge(local.fetching, { TICKER_KIND = "fiis", TARGET_TABLE = jsonencode(local.table.sor_fiis) })
    prep-financial-data-for-acoes        = { TICKER_KIND = "acoes", SOURCE_TABLES = jsonencode([local.table.sor_acoes]), TARGET_TABLE = jsonencode(local.table.sot_acoes) }
    prep-financial-data-for-fiis         = { TICKER_KIND = "fiis", SOURCE_TABLES = jsonencode([local.table.sor_fiis]), TARGET_TABLE = jsonencode(local.table.sot_fiis) }
    specialize-financial-data            = { SOURCE_TABLES = jsonencode([local.table.sot_acoes, local.table.sot_fiis]), TARGET_TABLE = jsonencode(local.table.spec_ativos) }
    dedup-financial-data-for-acoes       = { TABLE = jsonencode(local.table.sot_acoes), SOURCE_TABLES = jsonencode([local.table.sor_acoes]), DOWNSTREAM_TABLES = jsonencode([local.table.spec_ativos]) }
    dedup-financial-data-for-fiis        = { TABLE = jsonencode(local.table.sot_fiis), SOURCE_TABLES = jsonencode([local.table.sor_fiis]), DOWNSTREAM_TABLES = jsonencode([local.table.spec_ativos]) }
    dedup-financial-data-for-spec-ativos = { TABLE = jsonencode(local.table.spec_ativos), SOURCE_TABLES = jsonencode([local.table.sot_acoes, local.table.sot_fiis]), DOWNSTREAM_TABLES = jsonencode([]) }
    assess-day = {
      LAKE_TABLES            = local.lake_tables
      WORK_BUCKET            = var.work_bucket.name
      TICKERS_QUEUE_URLS     = jsonencode(local.queue_urls)
      QUEUE_PATIENCE_SECONDS = tostring(var.ticker_delivery.patience_seconds)
      LOOK_INTERVAL_SECONDS  = tostring(var.assessment.look_interval)
      WORKFLOW_ARN           = var.workflow_arn
      FETCH_FROM             = var.fetch_from
      DEAD_LETTER_QUEUE_URLS = jsonencode(values(var.dead_letter_queues)[*].url)
      QUALITY_GATE           = var.assessment.quality_gate
      QUALITY_REFERENCE_FROM = tostring(coalesce(var.assessment.quality_reference_from, 10000101))
      DAILY_DIGEST           = tostring(var.assessment.daily_digest)
      NAME_PREFIX            = var.name_prefix
    }
  }

  fetching = {
    FUNDAMENTUS_BASE_URL           = var.site.base_url
    FETCH_HEADERS                  = jsonencode(var.site.headers)
    FETCH_THREADS                  = tostring(var.site.threads)
    FETCH_TIMEOUT_SECONDS          = tostring(var.site.timeout_seconds)
    SQS_MAX_RECEIVE_COUNT          = tostring(var.ticker_delivery.max_receive_count)
    SQS_VISIBILITY_TIMEOUT_SECONDS = tostring(var.ticker_delivery.visibility_timeout_seconds)
    WORK_BUCKET                    = var.work_bucket.name
    KEEP_PAGES                     = tostring(var.keep_pages)
  }
}

resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_50:Logs show the same as a trace; tracing costs money, and its actions take no resource in a policy
  # checkov:skip=CKV_AWS_115:The queue triggers bound concurrency; reserving it would take it from the account's other functions
  # checkov:skip=CKV_AWS_116:Failures go to an on-failure destination or to the queue's dead-letter queue
  # checkov:skip=CKV_AWS_117:The site is public and AWS is reached through public endpoints; a VPC would only add a NAT gateway's cost
  # checkov:skip=CKV_AWS_272:Only the role that applies the module writes to the packages' bucket
  for_each = local.functions

  function_name = local.names[each.key]
  role          = aws_iam_role.this[each.key].arn
  runtime       = var.python_runtime
  architectures = ["x86_64"]
  handler       = "${each.value.package}.handler.handler"
  timeout       = each.value.stage == 3 ? local.fetching_timeout : var.timeout
  memory_size   = coalesce(var.memory_size, each.value.memory)
  s3_bucket     = var.packages_bucket
  s3_key        = aws_s3_object.package[each.value.package].key
  layers        = [aws_lambda_layer_version.this.arn, local.awssdkpandas_layer_arn]
  kms_key_arn   = var.kms_key_arn
  tags          = var.tags

  environment {
    variables = merge(local.environment[each.key], {
      POWERTOOLS_SERVICE_NAME = local.names[each.key]
      POWERTOOLS_LOG_LEVEL    = var.log.level
    })
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.this[each.key].name
  }

  lifecycle {
    # Lambda counts the size of the variables as JSON.
    precondition {
      condition     = length(jsonencode(local.environment[each.key])) <= 3900
      error_message = "The environment of ${local.names[each.key]} has ${length(jsonencode(local.environment[each.key]))} characters as JSON, and the limit is 3900 (Lambda's 4096 minus the logger's variables): write shorter names of buckets, databases and queues, or fewer fetch_headers."
    }
  }

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.functions

  name              = "/aws/lambda/${local.names[each.key]}"
  retention_in_days = var.log.retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}
