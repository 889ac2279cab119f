data "aws_partition" "current" {}

# Not aws_region, whose attributes are named, and deprecated, differently in releases 5 and 6 of the provider.
data "aws_service" "current" {
  service_id = "s3"
}

data "aws_caller_identity" "current" {}

locals {
  layers = ["sor", "sot", "spec"]
  suffix = "${data.aws_caller_identity.current.account_id}-${data.aws_service.current.region}"

  create_buckets = coalesce(var.flag_create_buckets, var.bucket_names_map == null)
  bucket_names   = { for layer in local.layers : layer => var.bucket_names_map == null ? "${var.name_prefix}-${layer}-${local.suffix}" : var.bucket_names_map[layer] }
  database_names = { for layer in local.layers : layer => var.databases_names_map == null ? "db_${replace(var.name_prefix, "-", "_")}_${layer}" : var.databases_names_map[layer] }

  # Buckets of the consumer's own may hold several lakes. Without one for the default name, its objects stay where they are.
  key_prefix = local.create_buckets || var.name_prefix == "pynvest" ? "" : "${var.name_prefix}/"

  # One bucket a distinct name, under the first layer that bears it: keys that are known before the account is.
  bucket_of = { for layer in local.layers : layer => var.bucket_names_map == null ? layer : [for other in local.layers : other if var.bucket_names_map[other] == var.bucket_names_map[layer]][0] }

  buckets = merge(
    { for layer in toset(values(local.bucket_of)) : layer => { name = local.bucket_names[layer], force_destroy = var.force_destroy } if local.create_buckets },
    {
      packages = { name = "${var.name_prefix}-packages-${local.suffix}", force_destroy = true }
      # Pages, ledger and the results of queries. Apart from the packages: whoever may write pages must not reach code.
      work = { name = "${var.name_prefix}-work-${local.suffix}", force_destroy = var.force_destroy }
    },
  )

  key_arns = concat(var.kms_key_arn[*], var.bucket_kms_key_arns)

  # Days that what is in the work bucket is kept, by what its keys start with.
  expiry = {
    athena-results = var.athena_results_retention_days
    ledger         = 400
    pages          = max(1, var.pages_retention_days)
  }

  queue_names = {
    acoes = coalesce(var.sqs_tickers_acoes_queue_name, "${var.name_prefix}-tickers-acoes-queue")
    fiis  = coalesce(var.sqs_tickers_fiis_queue_name, "${var.name_prefix}-tickers-fiis-queue")
  }

  # As AWS advises for a queue that starts a function; a batch that is gathered for longer than that takes more.
  visibility_timeout = coalesce(var.sqs_visibility_timeout_seconds, max(6 * module.lambda.fetching_timeout, module.lambda.fetching_timeout + var.sqs_lambda_trigger_batch_window))
  tries_take         = var.sqs_max_receive_count * local.visibility_timeout

  dead_letter_sources = toset(concat(values(local.queue_names), module.lambda.asynchronous_function_names, values(local.schedule_names)))
  # All of them by name or pattern, as short as a policy needs it: no other instance's queues are named like that.
  failure_queues     = concat(["${var.name_prefix}-lambda-*-dlq"], [for source in concat(values(local.queue_names), values(local.schedule_names)) : "${source}-dlq"])
  dead_letter_queues = { for source, queue in aws_sqs_queue.dead_letter : source => { name = queue.name, arn = queue.arn, url = queue.url } }

  workflow_name = "${var.name_prefix}-sfn-dedup-sot-spec-tables"
  workflow_arn  = "arn:${data.aws_partition.current.partition}:states:${local.here}:stateMachine:${local.workflow_name}"
  # Of each round: nine events a look, forty looks at the interval and more at ten times that, and what the round does.
  longest_wait    = local.tries_take + 900
  looks           = 40 + ceil(max(0, local.longest_wait - 40 * var.dedup_wait_interval_seconds) / (10 * var.dedup_wait_interval_seconds))
  workflow_events = (length(var.dedup_round_minutes) + 1) * (9 * local.looks + 80)

  schedule_names = {
    start = "trigger-${var.name_prefix}-lambda-check-and-delete-partitions"
    dedup = "trigger-${local.workflow_name}"
  }
}

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV_AWS_18:Only this module's roles read and write; who wants logs of that has CloudTrail's data events
  # checkov:skip=CKV_AWS_144:A copy in another region would double the cost of data that versioning already protects
  # checkov:skip=CKV2_AWS_62:Where a new object has to start something, the lambda submodule sets the notifications
  for_each = local.buckets

  bucket        = each.value.name
  force_destroy = each.value.force_destroy
  tags          = var.module_default_tags
}

# A bucket of the consumer's own may be created by the same apply, so it is listed no sooner than this is there.
resource "terraform_data" "own_bucket" {
  for_each = local.create_buckets ? {} : { for layer in toset(values(local.bucket_of)) : layer => local.bucket_names[layer] }

  input = each.value
}

# S3 answers in the bucket's own region only, and whoever its owner lets list it.
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

  # An archived page is never written twice, by anybody. A copy and the parts of a multipart upload carry no such
  # header: were parts allowed, an object could be completed long after the moment that S3 gives for it.
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

resource "aws_sqs_queue" "tickers" {
  for_each = local.queue_names

  name                       = each.value
  policy                     = data.aws_iam_policy_document.queue[each.value].json
  visibility_timeout_seconds = local.visibility_timeout
  message_retention_seconds  = var.sqs_message_retention_seconds
  max_message_size           = var.sqs_max_message_size
  delay_seconds              = var.sqs_delay_seconds
  receive_wait_time_seconds  = var.sqs_receive_wait_time_seconds
  sqs_managed_sse_enabled    = var.kms_key_arn == null ? true : null
  kms_master_key_id          = var.kms_key_arn
  tags                       = var.module_default_tags

  lifecycle {
    precondition {
      condition     = local.visibility_timeout >= module.lambda.fetching_timeout + var.sqs_lambda_trigger_batch_window
      error_message = "sqs_visibility_timeout_seconds is ${local.visibility_timeout}, less than stage 3's time limit (${module.lambda.fetching_timeout}: functions_timeout, and 120 at most) and sqs_lambda_trigger_batch_window (${var.sqs_lambda_trigger_batch_window}) together, so tickers would be read again while an invocation still works on them: write at least ${module.lambda.fetching_timeout + var.sqs_lambda_trigger_batch_window}, or leave it out."
    }
    # Who does not let the workflow wait starts it when the day is complete.
    precondition {
      condition     = length(var.dedup_round_minutes) == 0 ? true : local.tries_take <= 60 * min(var.dedup_round_minutes...)
      error_message = "sqs_max_receive_count is ${var.sqs_max_receive_count} and sqs_visibility_timeout_seconds is ${local.visibility_timeout}, so a ticker's tries may take ${local.tries_take} seconds, and a round that comes sooner (dedup_round_minutes: ${jsonencode(var.dedup_round_minutes)}) would ask anew for what is still tried: write fewer receives, a shorter visibility, or waits of at least ${ceil(local.tries_take / 60)} minutes."
    }
    precondition {
      condition     = var.sqs_lambda_trigger_batch_size <= 10 || var.sqs_lambda_trigger_batch_window >= 1
      error_message = "sqs_lambda_trigger_batch_size is ${var.sqs_lambda_trigger_batch_size} and sqs_lambda_trigger_batch_window is ${var.sqs_lambda_trigger_batch_window}: batches of more than 10 need a window of at least 1 second."
    }
    precondition {
      condition     = local.queue_names.acoes != local.queue_names.fiis
      error_message = "The queues of stocks and of funds are both named \"${local.queue_names.acoes}\": write two different names in sqs_tickers_acoes_queue_name and sqs_tickers_fiis_queue_name."
    }
  }
}

# What keeps failing waits here to be looked at: tickers, asynchronous invocations, starts by a schedule.
resource "aws_sqs_queue" "dead_letter" {
  for_each = local.dead_letter_sources

  name                      = "${each.key}-dlq"
  policy                    = data.aws_iam_policy_document.queue["${each.key}-dlq"].json
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
  tags                      = var.module_default_tags
}

# Apart from the queues, which take their time to be created and so need not wait for each other.
resource "aws_sqs_queue_redrive_policy" "tickers" {
  for_each = aws_sqs_queue.tickers

  queue_url      = each.value.url
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letter[each.value.name].arn, maxReceiveCount = var.sqs_max_receive_count })
}

resource "aws_sqs_queue_redrive_allow_policy" "tickers" {
  for_each = aws_sqs_queue.tickers

  queue_url            = aws_sqs_queue.dead_letter[each.value.name].url
  redrive_allow_policy = jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [each.value.arn] })
}

data "aws_iam_policy_document" "queue" {
  for_each = toset(concat(values(local.queue_names), [for source in local.dead_letter_sources : "${source}-dlq"]))

  statement {
    sid       = "DenyWithoutTls"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = ["arn:${data.aws_partition.current.partition}:sqs:${local.here}:${each.key}"]

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

  # What the bus could not hand to a function.
  dynamic "statement" {
    for_each = { for function, rules in module.lambda.bus_rule_names : function => rules if "${function}-dlq" == each.key }

    content {
      sid       = "LetTheBusSendFailures"
      actions   = ["sqs:SendMessage"]
      resources = ["arn:${data.aws_partition.current.partition}:sqs:${local.here}:${each.key}"]

      principals {
        type        = "Service"
        identifiers = ["events.amazonaws.com"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = [for rule in statement.value : "arn:${data.aws_partition.current.partition}:events:${local.here}:rule/${rule}"]
      }
    }
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

  name_prefix                = var.name_prefix
  python_runtime             = var.functions_python_runtime
  timeout                    = var.functions_timeout
  memory_size                = var.functions_memory_size
  packages_bucket            = aws_s3_bucket_server_side_encryption_configuration.this["packages"].bucket
  packages_dir               = var.lambda_packages_dir
  awssdkpandas_layer_arn     = var.awssdkpandas_layer_arn
  awssdkpandas_layer_version = var.awssdkpandas_layer_version

  tables                     = module.glue.tables
  notified_buckets           = { for layer in toset([local.bucket_of.sor, local.bucket_of.sot]) : layer => local.create_buckets ? aws_s3_bucket.this[layer].id : local.bucket_names[layer] }
  bucket_notifications       = var.bucket_notifications
  creates_buckets            = local.create_buckets
  ticker_queues              = { for kind, queue in aws_sqs_queue.tickers : kind => { arn = queue.arn, url = queue.url } }
  failure_queue_arns         = { for name, queue in aws_sqs_queue.dead_letter : name => queue.arn }
  visibility_timeout_seconds = local.visibility_timeout
  batch_size                 = var.sqs_lambda_trigger_batch_size
  batch_window               = var.sqs_lambda_trigger_batch_window
  max_concurrency            = var.sqs_lambda_trigger_max_concurrency

  work_bucket       = { name = aws_s3_bucket_server_side_encryption_configuration.this["work"].bucket, arn = aws_s3_bucket.this["work"].arn }
  keep_pages        = var.pages_retention_days > 0
  max_receive_count = var.sqs_max_receive_count
  look_interval     = var.dedup_wait_interval_seconds
  workflow_arn      = local.workflow_arn
  fetch_from        = var.fetch_from

  dead_letter_queues     = [for queue in values(aws_sqs_queue.dead_letter) : { arn = queue.arn, url = queue.url }]
  quality_gate           = var.quality_gate
  quality_reference_from = var.quality_reference_from
  daily_digest           = var.daily_digest

  fundamentus_base_url  = var.fundamentus_base_url
  fetch_threads         = var.fetch_threads
  fetch_timeout_seconds = var.fetch_timeout_seconds
  fetch_headers         = var.fetch_headers

  log_level                = upper(var.log_level)
  log_retention_days       = var.log_retention_days
  permissions_boundary_arn = var.permissions_boundary_arn
  iam_role_path            = var.iam_role_path
  kms_key_arn              = var.kms_key_arn
  bucket_kms_key_arns      = var.bucket_kms_key_arns
  tags                     = var.module_default_tags
}

module "stepfunctions" {
  source = "./stepfunctions"

  name                     = local.workflow_name
  dedup_function_arns      = module.lambda.dedup_function_arns
  assess_function_arn      = module.lambda.assess_function_arn
  get_tickers_function_arn = module.lambda.get_tickers_function_arn
  permissions_boundary_arn = var.permissions_boundary_arn
  iam_role_path            = var.iam_role_path
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
      target_arn = module.lambda.start_function_arn
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
  dead_letter_queue_arns   = { for name, queue in aws_sqs_queue.dead_letter : name => queue.arn }
  timezone                 = var.schedule_timezone
  permissions_boundary_arn = var.permissions_boundary_arn
  iam_role_path            = var.iam_role_path
  kms_key_arn              = var.kms_key_arn
  tags                     = var.module_default_tags
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

# What a collector needs: it brings pages, and reaches nothing else of the lake.
data "aws_iam_policy_document" "collector" {
  statement {
    sid       = "BringPages"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${aws_s3_bucket.this["work"].arn}/pages/*"]
  }

  statement {
    sid       = "SeeWhatIsThere"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.this["work"].arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["pages/*"]
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
        values   = [aws_s3_bucket.this["work"].arn, "${aws_s3_bucket.this["work"].arn}/pages/*"]
      }
    }
  }
}

# What an operator needs, for whom the commands of docs/operations.md are: start, look, ask again, make anew from SoR, empty queues.
# Of names and patterns, so that a plan shows it, and short enough for a managed policy (6,144 characters).
data "aws_iam_policy_document" "operator" {
  # checkov:skip=CKV_AWS_356:logs:GetQueryResults names a query, and no log group that a resource could match
  statement {
    sid       = "StartTheDay"
    actions   = ["lambda:InvokeFunction"]
    resources = [for function in ["check-and-delete-partitions", "get-tickers"] : "arn:${data.aws_partition.current.partition}:lambda:${local.here}:function:${var.name_prefix}-lambda-${function}"]
  }

  statement {
    sid       = "StartTheWorkflow"
    actions   = ["states:ListExecutions", "states:StartExecution"]
    resources = [local.workflow_arn]
  }

  statement {
    sid       = "SeeWhatBecameOfIt"
    actions   = ["states:DescribeExecution", "states:GetExecutionHistory", "states:StopExecution"]
    resources = ["${replace(local.workflow_arn, ":stateMachine:", ":execution:")}:*"]
  }

  statement {
    sid       = "ReadTheLogs"
    actions   = ["logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery"]
    resources = ["arn:${data.aws_partition.current.partition}:logs:${local.here}:log-group:/aws/lambda/${var.name_prefix}-lambda-*"]
  }

  # The call names a query, and no log group that a resource could match.
  statement {
    sid       = "ReadResultsOfQueries"
    actions   = ["logs:GetQueryResults"]
    resources = ["*"]
  }

  statement {
    sid       = "CountWhatWaits"
    actions   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl"]
    resources = [for queue in concat(values(local.queue_names), local.failure_queues) : "arn:${data.aws_partition.current.partition}:sqs:${local.here}:${queue}"]
  }

  statement {
    sid       = "ReadAndEmptyWhatFailed"
    actions   = ["sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ReceiveMessage"]
    resources = [for queue in local.failure_queues : "arn:${data.aws_partition.current.partition}:sqs:${local.here}:${queue}"]
  }

  statement {
    sid       = "ReadTheLedger"
    actions   = ["s3:GetObject"]
    resources = ["arn:${data.aws_partition.current.partition}:s3:::${local.buckets.work.name}/ledger/*"]
  }

  statement {
    sid       = "ListTheLedger"
    actions   = ["s3:ListBucket"]
    resources = ["arn:${data.aws_partition.current.partition}:s3:::${local.buckets.work.name}"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["ledger/*"]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn[*]

    content {
      sid       = "UseTheKey"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}
