data "aws_partition" "current" {}

# The region comes from aws_service, because provider 6 renamed the attribute of aws_region.
data "aws_service" "current" {
  service_id = "s3"
}

data "aws_caller_identity" "current" {}

locals {
  region_and_account = "${data.aws_service.current.region}:${data.aws_caller_identity.current.account_id}"

  layers = ["sor", "sot", "spec"]
  suffix = "${data.aws_caller_identity.current.account_id}-${data.aws_service.current.region}"

  create_buckets = coalesce(var.flag_create_buckets, var.bucket_names_map == null)
  bucket_names   = { for layer in local.layers : layer => var.bucket_names_map == null ? "${var.name_prefix}-${layer}-${local.suffix}" : var.bucket_names_map[layer] }
  database_names = { for layer in local.layers : layer => var.databases_names_map == null ? "db_${replace(var.name_prefix, "-", "_")}_${layer}" : var.databases_names_map[layer] }

  # Several lakes may share the consumer's own buckets, so object keys start with name_prefix.
  # The default name_prefix adds no key prefix, because earlier versions had none.
  key_prefix = local.create_buckets || var.name_prefix == "pynvest" ? "" : "${var.name_prefix}/"

  # Layers with equal bucket names share one bucket. Its key in for_each is the first of these layers. Bucket names cannot be keys, because default names contain the account, which can be unknown during the plan.
  bucket_of = { for layer in local.layers : layer => var.bucket_names_map == null ? layer : [for other in local.layers : other if var.bucket_names_map[other] == var.bucket_names_map[layer]][0] }

  buckets = merge(
    { for layer in toset(values(local.bucket_of)) : layer => { name = local.bucket_names[layer], force_destroy = var.force_destroy } if local.create_buckets },
    {
      packages = { name = "${var.name_prefix}-packages-${local.suffix}", force_destroy = true }
      # Pages, ledger and query results. A collector's access key is allowed to write to this bucket, so packages are in another bucket.
      work = { name = "${var.name_prefix}-work-${local.suffix}", force_destroy = var.force_destroy }
    },
  )

  role     = { path = var.iam_role_path, permissions_boundary_arn = var.permissions_boundary_arn }
  key_arns = concat(var.kms_key_arn[*], var.bucket_kms_key_arns)

  # Days to keep objects of the work bucket, by key prefix.
  expiry = {
    athena-results = var.athena_results_retention_days
    ledger         = 400
    pages          = max(1, var.pages_retention_days)
  }

  queue_names = {
    acoes = coalesce(var.sqs_tickers_acoes_queue_name, "${var.name_prefix}-tickers-acoes-queue")
    fiis  = coalesce(var.sqs_tickers_fiis_queue_name, "${var.name_prefix}-tickers-fiis-queue")
  }

  # AWS advises six times the function's time limit.
  visibility_timeout = coalesce(var.sqs_visibility_timeout_seconds, max(6 * module.lambda.fetching_timeout, module.lambda.fetching_timeout + var.sqs_lambda_trigger_batch_window))
  # Longest time for all tries of a ticker, in seconds.
  tries_take = var.sqs_delay_seconds + var.sqs_max_receive_count * local.visibility_timeout

  dead_letter_sources = toset(concat(values(local.queue_names), module.lambda.asynchronous_function_names, values(local.schedule_names)))
  # Names of all dead-letter queues of this instance; one pattern stands for the functions' queues. The pattern matches no queue of another instance, and keeps policies short.
  dead_letter_queue_patterns = concat(["${var.name_prefix}-lambda-*-dlq"], [for source in concat(values(local.queue_names), values(local.schedule_names)) : "${source}-dlq"])

  dead_letter_queues = { for source, queue in aws_sqs_queue.dead_letter : source => { name = queue.name, arn = queue.arn, url = queue.url } }

  workflow_name = "${var.name_prefix}-sfn-dedup-sot-spec-tables"
  workflow_arn  = "arn:${data.aws_partition.current.partition}:states:${local.region_and_account}:stateMachine:${local.workflow_name}"
  # An execution has 80 events for each round, and nine for each run of the state `Look`. After forty runs of `Look` in a round, the wait before each run is ten times dedup_wait_interval_seconds.
  longest_wait    = local.tries_take + 900
  looks           = 40 + ceil(max(0, local.longest_wait - 40 * var.dedup_wait_interval_seconds) / (10 * var.dedup_wait_interval_seconds))
  workflow_events = (length(var.dedup_round_minutes) + 1) * (9 * local.looks + 80)

  schedule_names = {
    start = "trigger-${var.name_prefix}-lambda-check-and-delete-partitions"
    dedup = "trigger-${local.workflow_name}"
  }
}

module "glue" {
  source = "./glue"

  bucket_names     = local.bucket_names
  key_prefix       = local.key_prefix
  database_names   = local.database_names
  create_databases = var.flag_create_databases
  tags             = var.module_default_tags
}

module "lambda" {
  source = "./lambda"

  name_prefix    = var.name_prefix
  python_runtime = var.functions_python_runtime
  timeout        = var.functions_timeout
  memory_size    = var.functions_memory_size
  role           = local.role
  log            = { level = upper(var.log_level), retention_days = var.log_retention_days }

  packages_bucket    = aws_s3_bucket_server_side_encryption_configuration.this["packages"].bucket
  packages_dir       = var.lambda_packages_dir
  awssdkpandas_layer = { arn = var.awssdkpandas_layer_arn, version = var.awssdkpandas_layer_version }

  tables               = module.glue.tables
  notified_buckets     = { for layer in toset([local.bucket_of.sor, local.bucket_of.sot]) : layer => local.create_buckets ? aws_s3_bucket.this[layer].id : local.bucket_names[layer] }
  bucket_notifications = var.bucket_notifications
  creates_buckets      = local.create_buckets
  work_bucket          = { name = aws_s3_bucket_server_side_encryption_configuration.this["work"].bucket, arn = aws_s3_bucket.this["work"].arn }
  keep_pages           = var.pages_retention_days > 0

  ticker_queues      = { for kind, queue in aws_sqs_queue.tickers : kind => { arn = queue.arn, url = queue.url } }
  dead_letter_queues = local.dead_letter_queues
  ticker_delivery = {
    visibility_timeout_seconds = local.visibility_timeout
    max_receive_count          = var.sqs_max_receive_count
    patience_seconds           = local.tries_take
    batch_size                 = var.sqs_lambda_trigger_batch_size
    batch_window               = var.sqs_lambda_trigger_batch_window
    max_concurrency            = var.sqs_lambda_trigger_max_concurrency
  }

  fetch_from = var.fetch_from
  site       = { base_url = var.fundamentus_base_url, headers = var.fetch_headers, threads = var.fetch_threads, timeout_seconds = var.fetch_timeout_seconds }

  workflow_arn = local.workflow_arn
  assessment = {
    quality_gate           = var.quality_gate
    quality_reference_from = var.quality_reference_from
    daily_digest           = var.daily_digest
    look_interval          = var.dedup_wait_interval_seconds
  }

  kms_key_arn         = var.kms_key_arn
  bucket_kms_key_arns = var.bucket_kms_key_arns
  tags                = var.module_default_tags
}

module "stepfunctions" {
  source = "./stepfunctions"

  name = local.workflow_name
  dedup_function_arns = {
    acoes = module.lambda.function_arns["dedup-financial-data-for-acoes"]
    fiis  = module.lambda.function_arns["dedup-financial-data-for-fiis"]
    spec  = module.lambda.function_arns["dedup-financial-data-for-spec-ativos"]
  }
  assess_function_arn      = module.lambda.function_arns["assess-day"]
  get_tickers_function_arn = module.lambda.function_arns["get-tickers"]
  role                     = local.role
  notices                  = local.notified ? { topic_arn = local.topic_arn, kms_key_arn = var.alarm_email == null ? null : var.kms_key_arn } : null
  log_retention_days       = var.log_retention_days
  kms_key_arn              = var.kms_key_arn
  tags                     = var.module_default_tags
}

module "eventbridge" {
  source = "./eventbridge"

  schedules = {
    start = {
      name       = local.schedule_names.start
      expression = var.schedule_expression_start
      target_arn = module.lambda.function_arns["check-and-delete-partitions"]
      action     = "lambda:InvokeFunction"
      input      = jsonencode({ scheduled_at = "<aws.scheduler.scheduled-time>" })
      enabled    = var.schedules_enabled && var.fetch_from == "site"
    }
    dedup = {
      name       = local.schedule_names.dedup
      expression = var.schedule_expression_dedup
      target_arn = module.stepfunctions.arn
      action     = "states:StartExecution"
      input      = jsonencode({ rounds = var.dedup_round_minutes })
      enabled    = var.schedules_enabled
    }
  }
  dead_letter_queue_arns = { for name, queue in aws_sqs_queue.dead_letter : name => queue.arn }
  timezone               = var.schedule_timezone
  role                   = local.role
  kms_key_arn            = var.kms_key_arn
  tags                   = var.module_default_tags
}

module "athena" {
  source = "./athena"
  count  = var.athena_enabled ? 1 : 0

  name                 = var.name_prefix
  tables               = module.glue.tables
  columns              = module.glue.columns
  work_bucket          = { name = aws_s3_bucket_server_side_encryption_configuration.this["work"].bucket, arn = "arn:${data.aws_partition.current.partition}:s3:::${local.buckets.work.name}" }
  bytes_scanned_cutoff = var.athena_bytes_scanned_cutoff
  force_destroy        = var.force_destroy
  kms_key_arn          = var.kms_key_arn
  bucket_kms_key_arns  = var.bucket_kms_key_arns
  tags                 = var.module_default_tags
}
