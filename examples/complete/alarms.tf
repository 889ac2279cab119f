# Ten alarms are free; each further one costs about 0.10 US dollars a month.

locals {
  # In a healthy week all of them are empty.
  watched_queues = merge(
    module.pynvest_tools.dead_letter_queues,
    module.pynvest_tools.failure_queues,
    module.pynvest_tools.schedule_dead_letter_queues,
  )
}

resource "aws_cloudwatch_metric_alarm" "queue_not_empty" {
  for_each = local.watched_queues

  alarm_name          = "${each.value.name}-not-empty"
  alarm_description   = "Something failed for good and waits in ${each.value.name}: docs/operations.md says what to do."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = each.value.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "day_not_deduplicated" {
  alarm_name          = "${module.pynvest_tools.workflow.name}-failed"
  alarm_description   = "The dedup workflow failed: its execution says what of the day is missing."
  namespace           = "AWS/States"
  metric_name         = "ExecutionsFailed"
  dimensions          = { StateMachineArn = module.pynvest_tools.workflow.arn }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_sns_topic" "alarms" {
  name              = "pynvest-alarms"
  kms_master_key_id = aws_kms_key.lake.arn
}

resource "aws_sns_topic_subscription" "alarms" {
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}
