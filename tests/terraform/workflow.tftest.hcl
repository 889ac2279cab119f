# The dedup workflow and the schedules.

mock_provider "aws" {
  source          = "./tests/terraform/mocks"
  override_during = plan
}

run "sot_tables_in_parallel_and_then_spec" {
  command = plan

  module {
    source = "./stepfunctions"
  }

  variables {
    name                  = "dedup"
    dedup_function_arns   = { acoes = "arn:of:acoes", fiis = "arn:of:fiis", spec = "arn:of:spec" }
    wait_interval_seconds = 30
    wait_max_attempts     = 180
    log_retention_days    = 30
    kms_key_arn           = null
    tags                  = { project = "lake" }
  }

  assert {
    condition     = jsondecode(aws_sfn_state_machine.this.definition).StartAt == "DedupSot" && jsondecode(aws_sfn_state_machine.this.definition).States.DedupSot.Next == "DedupSpec"
    error_message = "the workflow does not go from SoT to Spec"
  }
  assert {
    condition = [for branch in jsondecode(aws_sfn_state_machine.this.definition).States.DedupSot.Branches : [for state in branch.States : state.Parameters.FunctionName]] == [
      ["arn:of:acoes"], ["arn:of:fiis"],
    ]
    error_message = "the SoT tables are not deduped side by side"
  }
  assert {
    condition = jsondecode(aws_sfn_state_machine.this.definition).States.DedupSpec.Parameters == {
      FunctionName = "arn:of:spec"
      Payload      = { "input.$" = "$$.Execution.Input", "started_at.$" = "$$.Execution.StartTime" }
    }
    error_message = "a function is not handed when the workflow was started"
  }
  assert {
    condition = jsondecode(aws_sfn_state_machine.this.definition).States.DedupSpec.Retry[0] == {
      ErrorEquals = ["DayNotComplete"], IntervalSeconds = 30, MaxAttempts = 180, BackoffRate = 1
    }
    error_message = "the workflow does not wait for the day to be complete"
  }
  assert {
    condition     = one([for statement in data.aws_iam_policy_document.this.statement : statement.resources if statement.sid == "InvokeDedupFunctions"]) == toset(["arn:of:acoes", "arn:of:fiis", "arn:of:spec"])
    error_message = "the workflow may invoke other functions than the three"
  }
}

run "schedules_start_the_day_and_the_workflow" {
  command = plan

  module {
    source = "./eventbridge"
  }

  variables {
    schedules = {
      start = { name = "start-the-day", expression = "cron(45 18 ? * MON-FRI *)", target_arn = "arn:aws:lambda:sa-east-1:123456789012:function:first", action = "lambda:InvokeFunction" }
      dedup = { name = "start-the-dedup", expression = "cron(0 19 ? * MON-FRI *)", target_arn = "arn:aws:states:sa-east-1:123456789012:stateMachine:dedup", action = "states:StartExecution" }
    }
    dead_letter_queue_arns = {
      start-the-day   = "arn:aws:sqs:sa-east-1:123456789012:start-dlq"
      start-the-dedup = "arn:aws:sqs:sa-east-1:123456789012:dedup-dlq"
    }
    timezone    = "America/Sao_Paulo"
    enabled     = true
    kms_key_arn = null
    tags        = { project = "lake" }
  }

  assert {
    condition = { for key, schedule in aws_scheduler_schedule.this : key => [
      schedule.schedule_expression, schedule.schedule_expression_timezone, schedule.state, one(schedule.target).arn,
      one(schedule.target).input, one(one(schedule.target).dead_letter_config).arn,
      ] } == {
      start = ["cron(45 18 ? * MON-FRI *)", "America/Sao_Paulo", "ENABLED", "arn:aws:lambda:sa-east-1:123456789012:function:first", "{}", "arn:aws:sqs:sa-east-1:123456789012:start-dlq"]
      dedup = ["cron(0 19 ? * MON-FRI *)", "America/Sao_Paulo", "ENABLED", "arn:aws:states:sa-east-1:123456789012:stateMachine:dedup", "{}", "arn:aws:sqs:sa-east-1:123456789012:dedup-dlq"]
    }
    error_message = "schedules: ${jsonencode(aws_scheduler_schedule.this)}"
  }
  assert {
    condition = { for key, policy in data.aws_iam_policy_document.this : key => [for statement in policy.statement : join(" ", concat(tolist(statement.actions), tolist(statement.resources)))] } == {
      start = ["lambda:InvokeFunction arn:aws:lambda:sa-east-1:123456789012:function:first", "sqs:SendMessage arn:aws:sqs:sa-east-1:123456789012:start-dlq"]
      dedup = ["states:StartExecution arn:aws:states:sa-east-1:123456789012:stateMachine:dedup", "sqs:SendMessage arn:aws:sqs:sa-east-1:123456789012:dedup-dlq"]
    }
    error_message = "a schedule's role may do something else than start its target"
  }
}

run "disabled_schedules_do_not_run" {
  command = plan

  module {
    source = "./eventbridge"
  }

  variables {
    schedules = {
      start = { name = "start-the-day", expression = "cron(45 18 ? * MON-FRI *)", target_arn = "arn:aws:lambda:sa-east-1:123456789012:function:first", action = "lambda:InvokeFunction" }
    }
    dead_letter_queue_arns = { start-the-day = "arn:aws:sqs:sa-east-1:123456789012:start-dlq" }
    timezone               = "America/Sao_Paulo"
    enabled                = false
    kms_key_arn            = null
    tags                   = {}
  }

  assert {
    condition     = aws_scheduler_schedule.this["start"].state == "DISABLED"
    error_message = "the schedule is ${aws_scheduler_schedule.this["start"].state}"
  }
}
