# The dedup workflow and the schedules.

mock_provider "aws" {
  source          = "./tests/terraform/mocks"
  override_during = plan
}

variables {
  name                     = "dedup"
  dedup_function_arns      = { acoes = "arn:of:acoes", fiis = "arn:of:fiis", spec = "arn:of:spec" }
  assess_function_arn      = "arn:of:assess"
  get_tickers_function_arn = "arn:of:tickers"
  role                     = { path = "/", permissions_boundary_arn = null }
  notices                  = null
  log_retention_days       = 30
  kms_key_arn              = null
  tags                     = { project = "lake" }
}

run "the_workflow_checks_the_status_compacts_starts_rounds_and_assesses" {
  command = plan

  module {
    source = "./stepfunctions"
  }

  assert {
    condition = { for name, state in jsondecode(aws_sfn_state_machine.this.definition).States : name => try(state.Next, state.Default, "end") } == {
      Begin        = "IsFromPages"
      IsFromPages  = "Look"
      ReadPages    = "Look"
      Look         = "IsSettled"
      IsSettled    = "DedupSot"
      WaitToLook   = "Look"
      DedupSot     = "DedupSpec"
      DedupSpec    = "IsRoundLeft"
      IsRoundLeft  = "Assess"
      WaitForRound = "AskAgain"
      AskAgain     = "Look"
      Assess       = "IsGood"
      IsGood       = "NotGood"
      Good         = "end"
      NotGood      = "end"
    }
    error_message = "the states have another order"
  }
  assert {
    condition = [for name in ["IsFromPages", "IsSettled", "IsRoundLeft", "IsGood"] : jsondecode(aws_sfn_state_machine.this.definition).States[name].Choices] == [
      [{ And = [{ Variable = "$.input.source", IsPresent = true }, { Variable = "$.input.source", StringEquals = "pages" }], Next = "ReadPages" }],
      [{ Variable = "$.assessed_by_another", IsPresent = true, Next = "Good" }, { Variable = "$.settled", BooleanEquals = false, Next = "WaitToLook" }],
      [{ Variable = "$.round_seconds", IsPresent = true, Next = "WaitForRound" }],
      [{ Variable = "$.passed", BooleanEquals = true, Next = "Good" }],
    ]
    error_message = "the choices of the workflow differ"
  }
  assert {
    condition = [for name in ["DedupSot", "DedupSpec"] : [for branch in jsondecode(aws_sfn_state_machine.this.definition).States[name].Branches : branch.States[branch.StartAt].Parameters]] == [
      [for function in ["arn:of:acoes", "arn:of:fiis"] : { FunctionName = function, Payload = { "input.$" = "$$.Execution.Input", "started_at.$" = "$$.Execution.StartTime" } }],
      [{ FunctionName = "arn:of:spec", Payload = { "input.$" = "$$.Execution.Input", "started_at.$" = "$$.Execution.StartTime" } }],
    ]
    error_message = "the tables are not compacted in parallel, or a function does not get the start time of the workflow"
  }
  assert {
    condition     = alltrue(flatten([for name in ["DedupSot", "DedupSpec"] : [for branch in jsondecode(aws_sfn_state_machine.this.definition).States[name].Branches : branch.States[branch.StartAt].Catch[0].ErrorEquals == ["States.ALL"]]]))
    error_message = "a failed compaction stops the others"
  }
  assert {
    condition     = jsondecode(aws_sfn_state_machine.this.definition).States.ReadPages.Parameters == { FunctionName = "arn:of:tickers", Payload = { "anomesdia_exec.$" = "$.input.anomesdia_exec", source = "pages" } }
    error_message = "the request for the archived pages differs"
  }
  assert {
    condition     = jsondecode(aws_sfn_state_machine.this.definition).States.AskAgain.Parameters == { FunctionName = "arn:of:tickers", Payload = { "anomesdia_exec.$" = "$.anomesdia_exec", only_missing = true, "old_session.$" = "$.old_session" } }
    error_message = "a round does not ask for the missing assets only"
  }
  assert {
    condition     = jsondecode(aws_sfn_state_machine.this.definition).States.NotGood == { Type = "Fail", Error = "DayNotGood", CausePath = "$.cause" }
    error_message = "a bad day does not fail the workflow with its reasons"
  }
  assert {
    condition     = one([for statement in data.aws_iam_policy_document.this.statement : statement.resources if statement.sid == "InvokeFunctions"]) == toset(["arn:of:acoes", "arn:of:fiis", "arn:of:spec", "arn:of:assess", "arn:of:tickers"])
    error_message = "the workflow may invoke functions other than its five"
  }
}

run "the_workflow_sends_notices_of_the_assessment_and_of_each_failed_state" {
  command = plan

  module {
    source = "./stepfunctions"
  }

  variables {
    notices = { topic_arn = "arn:of:topic", kms_key_arn = "arn:of:key" }
  }

  assert {
    condition = { for name, state in jsondecode(aws_sfn_state_machine.this.definition).States : name => state.Catch[0].Next if can(state.Catch) } == {
      ReadPages = "ReadPagesFailed"
      Look      = "LookFailed"
      DedupSot  = "DedupSotFailed"
      DedupSpec = "DedupSpecFailed"
      AskAgain  = "Look"
      Assess    = "AssessFailed"
    }
    error_message = "a state's failure leads to another state"
  }
  assert {
    condition     = alltrue([for name, state in jsondecode(aws_sfn_state_machine.this.definition).States : can(state.Catch) if contains(["Task", "Parallel"], state.Type) && !startswith(name, "Tell")])
    error_message = "a state's failure is not caught, or a notice that is not sent does not fail the execution with its own error"
  }
  assert {
    condition = { for name, state in jsondecode(aws_sfn_state_machine.this.definition).States : name => try(state.Next, state.Default, "end") if can(regex("Failed$|Tell|[Tt]old|Broken|Good|Assess", name)) } == {
      Assess          = "IsTold"
      IsTold          = "Tell"
      Tell            = "IsGood"
      IsGood          = "NotGood"
      Good            = "end"
      NotGood         = "end"
      ReadPagesFailed = "TellFailure"
      LookFailed      = "TellFailure"
      DedupSotFailed  = "TellFailure"
      DedupSpecFailed = "TellFailure"
      AssessFailed    = "TellFailure"
      TellFailure     = "Broken"
      Broken          = "end"
    }
    error_message = "another state follows a notice"
  }
  assert {
    condition     = jsondecode(aws_sfn_state_machine.this.definition).States.IsTold.Choices == [{ Variable = "$.notice.tell", StringEquals = "none", Next = "IsGood" }]
    error_message = "another rule decides whether a notice is sent"
  }
  assert {
    condition     = jsondecode(aws_sfn_state_machine.this.definition).States.Tell.Parameters == { TopicArn = "arn:of:topic", "Subject.$" = "$.notice.subject", "Message.$" = "$.notice.text" }
    error_message = "the notice has another text"
  }
  # The rule for stopped executions ignores `StateFailed`, because the workflow itself sends a notice for this error.
  assert {
    condition     = jsondecode(aws_sfn_state_machine.this.definition).States.Broken == { Type = "Fail", Error = "StateFailed", CausePath = "States.JsonToString($.failure)" } && jsondecode(aws_sfn_state_machine.this.definition).TimeoutSeconds == 259200
    error_message = "an execution that has told its failure ends with another error, or an execution may run for a year"
  }
  assert {
    condition     = length(aws_sfn_state_machine.this.definition) < 1048576
    error_message = "Step Functions accepts definitions of at most 1 MB"
  }
  # SNS accepts subjects with fewer than 100 ASCII characters. A readable text has fewer than 40 lines.
  assert {
    condition = alltrue([for name, state in jsondecode(aws_sfn_state_machine.this.definition).States :
      can(regex("^[ -~]{1,99}$", state.Result.subject)) && length(split("\n", "${state.Result.start}${state.Result.error}${state.Result.end}")) < 40 if can(state.Result.subject)
    ])
    error_message = "SNS refuses a subject, or a text is too long"
  }
  assert {
    condition = { for statement in data.aws_iam_policy_document.this.statement : statement.sid => [statement.actions, statement.resources] if contains(["Tell", "EncryptNotices"], statement.sid) } == {
      Tell           = [toset(["sns:Publish"]), toset(["arn:of:topic"])]
      EncryptNotices = [toset(["kms:Decrypt", "kms:GenerateDataKey"]), toset(["arn:of:key"])]
    }
    error_message = "the workflow may publish to another topic, or may not use its key"
  }
}

run "an_enabled_schedule_starts_the_day_and_a_disabled_one_does_not_start_the_workflow" {
  command = plan

  module {
    source = "./eventbridge"
  }

  variables {
    schedules = {
      start = { name = "start-the-day", expression = "cron(45 18 ? * MON-FRI *)", target_arn = "arn:aws:lambda:sa-east-1:123456789012:function:first", action = "lambda:InvokeFunction", input = jsonencode({ scheduled_at = "<aws.scheduler.scheduled-time>" }), enabled = true }
      dedup = { name = "start-the-dedup", expression = "cron(0 19 ? * MON-FRI *)", target_arn = "arn:aws:states:sa-east-1:123456789012:stateMachine:dedup", action = "states:StartExecution", input = jsonencode({ rounds = [60, 60] }), enabled = false }
    }
    dead_letter_queue_arns = {
      start-the-day   = "arn:aws:sqs:sa-east-1:123456789012:start-dlq"
      start-the-dedup = "arn:aws:sqs:sa-east-1:123456789012:dedup-dlq"
    }
    timezone = "America/Sao_Paulo"
  }

  assert {
    condition = { for key, schedule in aws_scheduler_schedule.this : key => [
      schedule.schedule_expression, schedule.schedule_expression_timezone, schedule.state, one(schedule.target).arn,
      one(schedule.target).input, one(one(schedule.target).dead_letter_config).arn,
      ] } == {
      start = ["cron(45 18 ? * MON-FRI *)", "America/Sao_Paulo", "ENABLED", "arn:aws:lambda:sa-east-1:123456789012:function:first", "{\"scheduled_at\":\"<aws.scheduler.scheduled-time>\"}", "arn:aws:sqs:sa-east-1:123456789012:start-dlq"]
      dedup = ["cron(0 19 ? * MON-FRI *)", "America/Sao_Paulo", "DISABLED", "arn:aws:states:sa-east-1:123456789012:stateMachine:dedup", "{\"rounds\":[60,60]}", "arn:aws:sqs:sa-east-1:123456789012:dedup-dlq"]
    }
    error_message = "a schedule differs, or the Scheduler would not insert its time: ${jsonencode(aws_scheduler_schedule.this)}"
  }
  assert {
    condition = { for key, policy in data.aws_iam_policy_document.this : key => [for statement in policy.statement : join(" ", concat(tolist(statement.actions), tolist(statement.resources)))] } == {
      start = ["lambda:InvokeFunction arn:aws:lambda:sa-east-1:123456789012:function:first", "sqs:SendMessage arn:aws:sqs:sa-east-1:123456789012:start-dlq"]
      dedup = ["states:StartExecution arn:aws:states:sa-east-1:123456789012:stateMachine:dedup", "sqs:SendMessage arn:aws:sqs:sa-east-1:123456789012:dedup-dlq"]
    }
    error_message = "a schedule's role may do more than start its target"
  }
}
