
mock_provider "aws" {
  source          = "./tests/terraform/mocks"
  override_during = plan
}

run "an_address_gets_a_topic_a_subscription_a_rule_and_alarms" {
  command = plan

  variables {
    alarm_email = "me@example.com"
    kms_key_arn = "arn:aws:kms:sa-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }

  override_resource {
    target          = aws_sns_topic_subscription.notices[0]
    override_during = plan
    values          = { pending_confirmation = true }
  }

  assert {
    condition     = [for topic in aws_sns_topic.notices : [topic.name, topic.kms_master_key_id]] == [["pynvest-notices", var.kms_key_arn]]
    error_message = "topic: ${jsonencode(aws_sns_topic.notices)}"
  }
  assert {
    condition     = [for subscription in aws_sns_topic_subscription.notices : [subscription.protocol, subscription.endpoint]] == [["email", "me@example.com"]]
    error_message = "subscription: ${jsonencode(aws_sns_topic_subscription.notices)}"
  }
  assert {
    condition     = output.notices.topic_arn == "arn:aws:sns:sa-east-1:123456789012:pynvest-notices" && output.notices.email == "me@example.com" && output.notices.state == "pending" && startswith(output.notices.confirm, "me@example.com gets no notice yet: ")
    error_message = "notices: ${jsonencode(output.notices)}"
  }
  assert {
    condition     = output.notices_topic_policy_json == null
    error_message = "the module's own topic has a policy for the consumer's topic"
  }
  # The principals must not be roles: SNS refuses a policy with a role that was deleted.
  assert {
    condition = jsonencode([for statement in data.aws_iam_policy_document.notices[0].statement : {
      sid        = statement.sid
      effect     = statement.effect
      actions    = tolist(statement.actions)
      resources  = tolist(statement.resources)
      principals = flatten([for principal in statement.principals : tolist(principal.identifiers)])
      conditions = { for condition in statement.condition : condition.variable => sort(condition.values) }
      }]) == jsonencode([
      {
        sid        = "DenyWithoutTls"
        effect     = "Deny"
        actions    = ["sns:Publish"]
        resources  = ["arn:aws:sns:sa-east-1:123456789012:pynvest-notices"]
        principals = ["*"]
        conditions = { "aws:SecureTransport" = ["false"] }
      },
      # If this statement had a condition, EventBridge could not publish.
      {
        sid        = "RuleTells"
        effect     = null
        actions    = ["sns:Publish"]
        resources  = ["arn:aws:sns:sa-east-1:123456789012:pynvest-notices"]
        principals = ["events.amazonaws.com"]
        conditions = {}
      },
      {
        sid        = "AlarmsTell"
        effect     = null
        actions    = ["sns:Publish"]
        resources  = ["arn:aws:sns:sa-east-1:123456789012:pynvest-notices"]
        principals = ["cloudwatch.amazonaws.com"]
        conditions = {
          "aws:SourceAccount" = ["123456789012"]
          "aws:SourceArn" = [
            "arn:aws:cloudwatch:sa-east-1:123456789012:alarm:pynvest-sfn-dedup-sot-spec-tables-silent",
            "arn:aws:cloudwatch:sa-east-1:123456789012:alarm:trigger-pynvest-sfn-dedup-sot-spec-tables-dlq-not-empty",
          ]
        }
      },
    ])
    error_message = "another principal may publish: ${jsonencode(data.aws_iam_policy_document.notices[0].statement)}"
  }
  # The workflow itself sends a notice for a failed day and for a failed state. The rule ignores these failures.
  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.stopped[0].event_pattern) == {
      source      = ["aws.states"]
      detail-type = ["Step Functions Execution Status Change"]
      detail = {
        stateMachineArn = ["arn:aws:states:sa-east-1:123456789012:stateMachine:pynvest-sfn-dedup-sot-spec-tables"]
        "$or" = [
          { status = ["ABORTED", "TIMED_OUT"] },
          { status = ["FAILED"], error = [null, { exists = false }, { anything-but = ["DayNotGood", "StateFailed"] }] },
        ]
      }
    }
    error_message = "the rule reports other events: ${aws_cloudwatch_event_rule.stopped[0].event_pattern}"
  }
  assert {
    condition     = alltrue([for line in compact(split("\n", one(aws_cloudwatch_event_target.stopped[0].input_transformer).input_template)) : startswith(line, "\"") && endswith(line, "\"")])
    error_message = "EventBridge requires each line to be a JSON string"
  }
  assert {
    condition = jsonencode({ for key, alarm in aws_cloudwatch_metric_alarm.this : key => [alarm.namespace, alarm.metric_name, alarm.dimensions, alarm.comparison_operator, alarm.threshold, alarm.period, alarm.evaluation_periods, alarm.treat_missing_data] }) == jsonencode({
      not_started = ["AWS/SQS", "ApproximateNumberOfMessagesVisible", { QueueName = "trigger-pynvest-sfn-dedup-sot-spec-tables-dlq" }, "GreaterThanThreshold", 0, 300, 1, "notBreaching"]
      silence     = ["AWS/States", "ExecutionsStarted", { StateMachineArn = "arn:aws:states:sa-east-1:123456789012:stateMachine:pynvest-sfn-dedup-sot-spec-tables" }, "LessThanThreshold", 1, 86400, 4, "missing"]
    })
    error_message = "alarms: ${jsonencode(aws_cloudwatch_metric_alarm.this)}"
  }
  # `silence` also sends a notice when its metric gets no more data. A new lake gets no notice, because its alarm starts without data.
  assert {
    condition = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => [for actions in [alarm.alarm_actions, alarm.insufficient_data_actions] : length(coalesce(actions, []))] } == {
      not_started = [1, 0]
      silence     = [1, 1]
    }
    error_message = "an alarm has other actions"
  }
}

run "a_confirmed_address_needs_no_action_and_a_lake_without_schedules_no_silence_alarm" {
  command = plan

  variables {
    alarm_email       = "me@example.com"
    schedules_enabled = false
  }

  override_resource {
    target          = aws_sns_topic_subscription.notices[0]
    override_during = plan
    values          = { pending_confirmation = false }
  }

  assert {
    condition     = [output.notices.state, output.notices.confirm] == ["confirmed", null]
    error_message = "notices: ${jsonencode(output.notices)}"
  }
  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.this) == ["not_started"]
    error_message = "alarms: ${join(", ", keys(aws_cloudwatch_metric_alarm.this))}"
  }
  assert {
    condition     = module.eventbridge.states == { start = "DISABLED", dedup = "DISABLED" }
    error_message = "schedules: ${jsonencode(module.eventbridge.states)}"
  }
}

run "the_consumers_topic_gets_notices_and_is_not_changed" {
  command = plan

  variables {
    alarm_topic_arn = "arn:aws:sns:sa-east-1:123456789012:my-topic"
  }

  assert {
    condition     = length(concat(aws_sns_topic.notices, aws_sns_topic_policy.notices, aws_sns_topic_subscription.notices)) == 0
    error_message = "a topic is created, or the consumer's topic is changed"
  }
  assert {
    condition     = jsonencode(output.notices) == jsonencode({ topic_arn = "arn:aws:sns:sa-east-1:123456789012:my-topic", email = null, state = null, confirm = null }) && output.notices_topic_policy_json != null
    error_message = "notices: ${jsonencode(output.notices)}"
  }
  assert {
    condition     = toset(flatten([for statement in data.aws_iam_policy_document.notices[0].statement : tolist(statement.resources)])) == toset(["arn:aws:sns:sa-east-1:123456789012:my-topic"])
    error_message = "the policy is for another topic"
  }
  assert {
    condition     = contains([for statement in data.aws_iam_policy_document.notices[0].statement : statement.sid], "WorkflowTells")
    error_message = "the workflow's role may not publish to a topic, which may be in another account"
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset(["arn:aws:sns:sa-east-1:123456789012:my-topic"])]) && aws_cloudwatch_event_target.stopped[0].arn == "arn:aws:sns:sa-east-1:123456789012:my-topic"
    error_message = "notices go to another topic"
  }
}
