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
      error_message = "sqs_visibility_timeout_seconds is ${local.visibility_timeout}, so a ticker could go to a second invocation before the first has ended: write at least ${module.lambda.fetching_timeout + var.sqs_lambda_trigger_batch_window}, which is min(functions_timeout, 120) + sqs_lambda_trigger_batch_window, or leave the input out."
    }
    # Without rounds, this check passes, because no round can queue a ticker again.
    precondition {
      condition     = length(var.dedup_round_minutes) == 0 ? true : local.tries_take <= 60 * min(var.dedup_round_minutes...)
      error_message = "sqs_max_receive_count is ${var.sqs_max_receive_count}, sqs_visibility_timeout_seconds is ${local.visibility_timeout} and sqs_delay_seconds is ${var.sqs_delay_seconds}, so all tries of a ticker can take ${local.tries_take} seconds. dedup_round_minutes is ${jsonencode(var.dedup_round_minutes)}, so a round could queue a ticker again before the ticker's last try: write waits of at least ${ceil(local.tries_take / 60)} minutes, or smaller values in the other three inputs."
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

# Failed tickers, failed asynchronous invocations and failed starts by a schedule wait here for an operator.
resource "aws_sqs_queue" "dead_letter" {
  for_each = local.dead_letter_sources

  name                      = "${each.key}-dlq"
  policy                    = data.aws_iam_policy_document.queue["${each.key}-dlq"].json
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
  tags                      = var.module_default_tags
}

# Separate redrive policies let Terraform create all queues at the same time. Each queue takes long to create.
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
    resources = ["arn:${data.aws_partition.current.partition}:sqs:${local.region_and_account}:${each.key}"]

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

  # If the bus cannot deliver an event to a function, the bus sends the event to this queue.
  dynamic "statement" {
    for_each = { for function, rules in module.lambda.bus_rule_names : function => rules if "${function}-dlq" == each.key }

    content {
      sid       = "LetTheBusSendFailures"
      actions   = ["sqs:SendMessage"]
      resources = ["arn:${data.aws_partition.current.partition}:sqs:${local.region_and_account}:${each.key}"]

      principals {
        type        = "Service"
        identifiers = ["events.amazonaws.com"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = [for rule in statement.value : "arn:${data.aws_partition.current.partition}:events:${local.region_and_account}:rule/${rule}"]
      }
    }
  }
}
