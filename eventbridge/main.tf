data "aws_caller_identity" "current" {}

resource "aws_scheduler_schedule" "this" {
  for_each = var.schedules

  name                         = each.value.name
  schedule_expression          = each.value.expression
  schedule_expression_timezone = var.timezone
  state                        = each.value.enabled ? "ENABLED" : "DISABLED"
  kms_key_arn                  = var.kms_key_arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = each.value.target_arn
    role_arn = aws_iam_role.this[each.key].arn
    # jsonencode escapes < and >, but the Scheduler replaces only an unescaped <aws.scheduler…>.
    input = replace(replace(each.value.input, "\\u003c", "<"), "\\u003e", ">")

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }

    dead_letter_config {
      arn = var.dead_letter_queue_arns[each.value.name]
    }
  }

  depends_on = [aws_iam_role_policy.this]
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = var.schedules

  name                 = each.value.name
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  path                 = var.role.path
  permissions_boundary = var.role.permissions_boundary_arn
  tags                 = var.tags
}

data "aws_iam_policy_document" "this" {
  for_each = var.schedules

  statement {
    sid       = "StartTarget"
    actions   = [each.value.action]
    resources = [each.value.target_arn]
  }

  statement {
    sid       = "SendToDeadLetterQueue"
    actions   = ["sqs:SendMessage"]
    resources = [var.dead_letter_queue_arns[each.value.name]]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn[*]

    content {
      sid       = "EncryptDeadLetters"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "this" {
  for_each = var.schedules

  name   = "start"
  role   = aws_iam_role.this[each.key].name
  policy = data.aws_iam_policy_document.this[each.key].json
}
