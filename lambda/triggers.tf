locals {
  queue_triggers = {
    get-financial-data-for-acoes = "acoes"
    get-financial-data-for-fiis  = "fiis"
  }

  # Concurrent invocations per kind: B3 has about 1,000 stocks and 450 funds, so both kinds take about the same time.
  places = { acoes = 5, fiis = 3 }

  # Map from a table to a function: each new object of the table starts the function.
  object_triggers = {
    sor_acoes = "prep-financial-data-for-acoes"
    sor_fiis  = "prep-financial-data-for-fiis"
    sot_acoes = "specialize-financial-data"
    sot_fiis  = "specialize-financial-data"
  }

  by_bus            = var.bucket_notifications == "eventbridge"
  notified_triggers = local.by_bus ? {} : local.object_triggers
  bus_triggers      = local.by_bus ? local.object_triggers : {}
  rule_names        = { for table in keys(local.object_triggers) : table => "${var.name_prefix}-new-objects-of-${replace(table, "_", "-")}" }
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each = local.queue_triggers

  function_name                      = aws_lambda_function.this[each.key].arn
  event_source_arn                   = var.ticker_queues[each.value].arn
  function_response_types            = ["ReportBatchItemFailures"]
  batch_size                         = var.ticker_delivery.batch_size
  maximum_batching_window_in_seconds = var.ticker_delivery.batch_window
  tags                               = var.tags

  scaling_config {
    maximum_concurrency = coalesce(var.ticker_delivery.max_concurrency, local.places[each.value])
  }
}

resource "aws_lambda_permission" "bucket" {
  for_each = local.notified_triggers

  statement_id   = "new-objects-of-${replace(each.key, "_", "-")}"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this[each.value].function_name
  principal      = "s3.amazonaws.com"
  source_arn     = "arn:${data.aws_partition.current.partition}:s3:::${var.tables[each.key].bucket}"
  source_account = data.aws_caller_identity.current.account_id
}

# Tables in the same bucket share the bucket's only notification configuration.
resource "aws_s3_bucket_notification" "this" {
  for_each = local.by_bus && !var.creates_buckets ? {} : var.notified_buckets

  bucket      = each.value
  eventbridge = local.by_bus

  dynamic "lambda_function" {
    for_each = { for table, function in local.notified_triggers : table => function if var.tables[table].bucket == each.value }

    content {
      id                  = replace(lambda_function.key, "_", "-")
      lambda_function_arn = aws_lambda_function.this[lambda_function.value].arn
      events              = ["s3:ObjectCreated:*"]
      filter_prefix       = var.tables[lambda_function.key].prefix
      filter_suffix       = ".part.parquet"
    }
  }

  depends_on = [aws_lambda_permission.bucket]
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.bus_triggers

  name        = local.rule_names[each.key]
  description = "New objects of ${var.tables[each.key].name}"
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.s3"]
    account     = [data.aws_caller_identity.current.account_id]
    detail-type = ["Object Created"]
    detail = {
      bucket = { name = [var.tables[each.key].bucket] }
      object = { key = [{ wildcard = "${var.tables[each.key].prefix}*.part.parquet" }] }
    }
  })
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = local.bus_triggers

  rule = aws_cloudwatch_event_rule.this[each.key].name
  arn  = aws_lambda_function.this[each.value].arn

  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 185
  }

  # The function's failure queue also gets the events that the bus cannot deliver to the function.
  dead_letter_config {
    arn = var.dead_letter_queues[local.names[each.value]].arn
  }

  depends_on = [aws_lambda_permission.bus]
}

resource "aws_lambda_permission" "bus" {
  for_each = local.bus_triggers

  statement_id  = "new-objects-of-${replace(each.key, "_", "-")}-by-the-bus"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this[each.value].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.this[each.key].arn
}

resource "aws_lambda_permission" "manifests" {
  statement_id   = "manifests-of-collectors"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this["check-and-delete-partitions"].function_name
  principal      = "s3.amazonaws.com"
  source_arn     = var.work_bucket.arn
  source_account = data.aws_caller_identity.current.account_id
}

# A collector uploads pages, and then a manifest.
# With fetch_from = "pages", the manifest starts the day's run.
resource "aws_s3_bucket_notification" "manifests" {
  bucket = var.work_bucket.name

  lambda_function {
    id                  = "manifests-of-collectors"
    lambda_function_arn = aws_lambda_function.this["check-and-delete-partitions"].arn
    events              = ["s3:ObjectCreated:*"]
    filter_prefix       = "pages/"
    filter_suffix       = ".manifest.json"
  }

  depends_on = [aws_lambda_permission.manifests]
}

resource "aws_lambda_function_event_invoke_config" "this" {
  for_each = local.asynchronous

  function_name                = aws_lambda_function.this[each.key].function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 3600

  destination_config {
    on_failure {
      destination = var.dead_letter_queues[local.names[each.key]].arn
    }
  }
}
