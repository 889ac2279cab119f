# The notices of each day. Without alarm_email and alarm_topic_arn, this file creates nothing.

locals {
  notified   = var.alarm_email != null || var.alarm_topic_arn != null
  topic_name = "${var.name_prefix}-notices"
  topic_arn  = var.alarm_email != null ? "arn:${data.aws_partition.current.partition}:sns:${local.region_and_account}:${local.topic_name}" : var.alarm_topic_arn

  alarms = {
    not_started = {
      name        = "${local.schedule_names.dedup}-dlq-not-empty"
      description = "O agendamento não conseguiu iniciar o fluxo do dia: o que falhou está na fila ${local.schedule_names.dedup}-dlq. Inicie o fluxo à mão; docs/operations.md diz como."
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = "${local.schedule_names.dedup}-dlq" }
      statistic   = "Maximum"
      comparison  = "GreaterThanThreshold"
      threshold   = 0
      period      = 300
      periods     = 1
      missing     = "notBreaching"
      enabled     = true
    }
    # An alarm starts in the state INSUFFICIENT_DATA, so a new lake without executions sends no notice.
    # Three days pass between Friday's execution and Monday's execution.
    silence = {
      name        = "${local.workflow_name}-silent"
      description = "Há pelo menos quatro dias nenhuma execução do fluxo começou. Veja se o agendamento ${local.schedule_names.dedup} existe e está ativo; docs/operations.md diz o que fazer."
      namespace   = "AWS/States"
      metric      = "ExecutionsStarted"
      dimensions  = { StateMachineArn = local.workflow_arn }
      statistic   = "Sum"
      comparison  = "LessThanThreshold"
      threshold   = 1
      period      = 86400
      periods     = 4
      missing     = "missing"
      enabled     = var.schedules_enabled
    }
  }
  alarm_arns = [for alarm in local.alarms : "arn:${data.aws_partition.current.partition}:cloudwatch:${local.region_and_account}:alarm:${alarm.name}"]

  # If AWS has deleted the subscription, a refresh removes the subscription from the state.
  pending = try(aws_sns_topic_subscription.notices[0].pending_confirmation, null)
  address = var.alarm_email == null ? null : local.pending == null ? "lost" : local.pending ? "pending" : "confirmed"
  confirm = {
    pending   = "${coalesce(var.alarm_email, "?")} gets no notice yet: follow the link in the mail \"AWS Notification - Subscription Confirmation\" within three days, then terraform apply -refresh-only shows it here."
    lost      = "${coalesce(var.alarm_email, "?")} gets no notice: the subscription no longer exists. AWS deletes a subscription that is not confirmed within three days. terraform apply creates it again; then follow the link in the new mail."
    confirmed = null
  }
}

resource "aws_sns_topic" "notices" {
  # checkov:skip=CKV_AWS_26:Encrypted if kms_key_arn is given; with AWS's own key for SNS, neither alarms nor rules can publish
  count = var.alarm_email == null ? 0 : 1

  name              = local.topic_name
  display_name      = local.topic_name
  kms_master_key_id = var.kms_key_arn
  tags              = var.module_default_tags
}

resource "aws_sns_topic_policy" "notices" {
  count = var.alarm_email == null ? 0 : 1

  arn    = aws_sns_topic.notices[0].arn
  policy = data.aws_iam_policy_document.notices[0].json
}

resource "aws_sns_topic_subscription" "notices" {
  count = var.alarm_email == null ? 0 : 1

  topic_arn = aws_sns_topic.notices[0].arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

# Policy for the notices' topic: the module's topic or the consumer's own topic.
data "aws_iam_policy_document" "notices" {
  count = local.notified ? 1 : 0

  statement {
    sid       = "DenyWithoutTls"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [local.topic_arn]

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

  # Only for the consumer's topic: for the module's topic, the role's policy suffices.
  # AWS rejects a topic policy that names a deleted role.
  dynamic "statement" {
    for_each = var.alarm_topic_arn[*]

    content {
      sid       = "WorkflowTells"
      actions   = ["sns:Publish"]
      resources = [statement.value]

      principals {
        type        = "AWS"
        identifiers = [module.stepfunctions.role.arn]
      }
    }
  }

  # EventBridge supports no condition in a topic's policy: with a condition, the rule's notice would be lost.
  statement {
    sid       = "RuleTells"
    actions   = ["sns:Publish"]
    resources = [local.topic_arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
  }

  statement {
    sid       = "AlarmsTell"
    actions   = ["sns:Publish"]
    resources = [local.topic_arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = local.alarm_arns
    }
  }
}

resource "aws_cloudwatch_event_rule" "stopped" {
  count = local.notified ? 1 : 0

  name        = "${local.workflow_name}-stopped"
  description = "The workflow timed out, was aborted, or failed without a notice"
  tags        = var.module_default_tags

  # The workflow sends its own notice before it fails with DayNotGood or StateFailed.
  event_pattern = jsonencode({
    source      = ["aws.states"]
    detail-type = ["Step Functions Execution Status Change"]
    detail      = { stateMachineArn = [local.workflow_arn], "$or" = [{ status = ["ABORTED", "TIMED_OUT"] }, { status = ["FAILED"], error = [null, { exists = false }, { anything-but = ["DayNotGood", "StateFailed"] }] }] }
  })
}

resource "aws_cloudwatch_event_target" "stopped" {
  count = local.notified ? 1 : 0

  rule = aws_cloudwatch_event_rule.stopped[0].name
  arn  = local.topic_arn

  input_transformer {
    input_paths = {
      name   = "$.detail.name"
      status = "$.detail.status"
      time   = "$.time"
    }
    # Each line is a JSON string. The notice also shows the string's quotation marks.
    input_template = <<-EOT
      "${var.name_prefix}: a execução <name> do fluxo ${local.workflow_name} terminou sem concluir o dia."
      "Estado: <status> (ABORTED: foi interrompida; FAILED: falhou sem conseguir avisar; TIMED_OUT: passou do tempo máximo). Hora (UTC): <time>."
      "O que fazer: corrija o que o erro da execução diz, se houver um, e inicie o fluxo de novo para o dia; docs/operations.md diz como."
    EOT
  }

  depends_on = [aws_sns_topic_policy.notices]
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for key, alarm in local.alarms : key => alarm if local.notified && alarm.enabled }

  alarm_name                = each.value.name
  alarm_description         = each.value.description
  namespace                 = each.value.namespace
  metric_name               = each.value.metric
  dimensions                = each.value.dimensions
  statistic                 = each.value.statistic
  comparison_operator       = each.value.comparison
  threshold                 = each.value.threshold
  period                    = each.value.period
  evaluation_periods        = each.value.periods
  treat_missing_data        = each.value.missing
  alarm_actions             = [local.topic_arn]
  insufficient_data_actions = each.value.missing == "missing" ? [local.topic_arn] : []
  tags                      = var.module_default_tags

  depends_on = [aws_sns_topic_policy.notices]
}
