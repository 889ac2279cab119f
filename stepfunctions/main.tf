data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  # Functions derive the run day from the execution's input and start time, not from the clock.
  execution = {
    "input.$"      = "$$.Execution.Input"
    "started_at.$" = "$$.Execution.StartTime"
  }

  retries = [
    # A new account may allow only ten concurrent invocations, and stage 3 uses eight.
    {
      ErrorEquals     = ["Lambda.TooManyRequestsException"]
      IntervalSeconds = 2
      MaxAttempts     = 10
      BackoffRate     = 2
      MaxDelaySeconds = 60
    },
    {
      ErrorEquals     = ["Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.ClientExecutionTimeoutException"]
      IntervalSeconds = 2
      MaxAttempts     = 6
      BackoffRate     = 2
    },
    # Invalid input: retrying cannot help.
    {
      ErrorEquals = ["ValueError", "DayRefused"]
      MaxAttempts = 0
    },
    # A task fails, for example, if its process is killed. A function that is invoked again gives the same result.
    {
      ErrorEquals     = ["States.TaskFailed"]
      IntervalSeconds = 10
      MaxAttempts     = 2
      BackoffRate     = 2
    },
  ]

  invoke = "arn:${data.aws_partition.current.partition}:states:::lambda:invoke"

  # A failed compaction does not stop the workflow: the assessment reports the failure.
  compactions = { for table, arn in var.dedup_function_arns : table => {
    StartAt = local.compaction_names[table]
    States = {
      (local.compaction_names[table]) = {
        Type           = "Task"
        Resource       = local.invoke
        Parameters     = { FunctionName = arn, Payload = local.execution }
        ResultSelector = { "result.$" = "$.Payload" }
        Retry          = local.retries
        Catch          = [{ ErrorEquals = ["States.ALL"], Next = "${local.compaction_names[table]}Failed" }]
        End            = true
      }
      "${local.compaction_names[table]}Failed" = {
        Type       = "Pass"
        Parameters = { "error.$" = "$.Error", "cause.$" = "$.Cause" }
        End        = true
      }
    }
  } }
  # If a state fails after all retries, the workflow sends a notice and fails.
  caught = { for state in ["ReadPages", "Look", "DedupSot", "DedupSpec", "Assess"] : state => {
    Catch = [{ ErrorEquals = ["States.ALL"], ResultPath = "$.failure", Next = "${state}Failed" }]
  } if var.notices != null }

  publish = {
    Type       = "Task"
    Resource   = "arn:${data.aws_partition.current.partition}:states:::sns:publish"
    ResultPath = null
    Retry      = [{ ErrorEquals = ["States.TaskFailed"], IntervalSeconds = 5, MaxAttempts = 4, BackoffRate = 3 }]
  }

  telling = { for name, state in merge(
    {
      IsTold = {
        Type    = "Choice"
        Choices = [{ Variable = "$.notice.tell", StringEquals = "none", Next = "IsGood" }]
        Default = "Tell"
      }
      Tell = merge(local.publish, {
        Parameters = { TopicArn = try(var.notices.topic_arn, ""), "Subject.$" = "$.notice.subject", "Message.$" = "$.notice.text" }
        Next       = "IsGood"
      })
      TellFailure = merge(local.publish, {
        Parameters = {
          TopicArn    = try(var.notices.topic_arn, "")
          "Subject.$" = "$.said.subject"
          # Texts with line breaks come from $.said, because the template of an intrinsic function must be one line.
          "Message.$" = "States.Format('{}{}{}{}{}', $.said.start, $$.Execution.Name, $.said.error, States.JsonToString($.failure), $.said.end)"
        }
        Next = "Broken"
      })
      Broken = {
        Type      = "Fail"
        Error     = "StateFailed"
        CausePath = "States.JsonToString($.failure)"
      }
    },
    { for state in keys(local.caught) : "${state}Failed" => {
      Type = "Pass"
      Result = {
        subject = "${var.name}: FALHA na etapa ${state}"
        start   = "${var.name}: FALHA na etapa ${state}\n\nO fluxo do dia parou antes de avaliar o dia.\nExecução: "
        error   = "\nErro: "
        end     = "\n\nO que fazer: o que já chegou às tabelas continua nelas. Corrija o que o erro diz e inicie o fluxo\nde novo para o dia; docs/operations.md diz como."
      }
      ResultPath = "$.said"
      Next       = "TellFailure"
    } },
  ) : name => state if var.notices != null }

  compaction_names = { acoes = "DedupSotAcoes", fiis = "DedupSotFiis", spec = "DedupSpecAtivos" }
}

resource "aws_sfn_state_machine" "this" {
  # checkov:skip=CKV_AWS_284:The execution history shows the same as a trace; tracing's actions take no resource in a policy
  name     = var.name
  role_arn = aws_iam_role.this.arn
  tags     = var.tags

  definition = jsonencode({
    Comment = "Waits until the day is settled, compacts the day's partitions, starts rounds while assets are missing, assesses the day, and notifies"
    StartAt = "Begin"
    # Three days. The sum of the waits before rounds is at most 900 minutes.
    TimeoutSeconds = 259200
    States = merge({
      Begin = {
        Type       = "Pass"
        Parameters = { progress = { looks = 0, rounds_done = 0 }, "input.$" = "$$.Execution.Input" }
        Next       = "IsFromPages"
      }
      IsFromPages = {
        Type = "Choice"
        Choices = [{
          And = [
            { Variable = "$.input.source", IsPresent = true },
            { Variable = "$.input.source", StringEquals = "pages" },
          ]
          Next = "ReadPages"
        }]
        Default = "Look"
      }
      # `ReadPages` starts a round. Without a round, the first `Look` would treat the day as settled.
      ReadPages = merge({
        Type     = "Task"
        Resource = local.invoke
        Parameters = {
          FunctionName = var.get_tickers_function_arn
          Payload      = { "anomesdia_exec.$" = "$.input.anomesdia_exec", source = "pages" }
        }
        ResultPath = "$.asked"
        Retry      = local.retries
        Next       = "Look"
      }, try(local.caught.ReadPages, {}))
      Look = merge({
        Type     = "Task"
        Resource = local.invoke
        Parameters = {
          FunctionName = var.assess_function_arn
          Payload      = merge(local.execution, { step = "look", "execution.$" = "$$.Execution.Name", "progress.$" = "$.progress" })
        }
        OutputPath = "$.Payload"
        Retry      = local.retries
        Next       = "IsSettled"
      }, try(local.caught.Look, {}))
      IsSettled = {
        Type = "Choice"
        Choices = [
          # With fetch_from = "pages", a manifest starts the execution that assesses the day.
          { Variable = "$.assessed_by_another", IsPresent = true, Next = "Good" },
          { Variable = "$.settled", BooleanEquals = false, Next = "WaitToLook" },
        ]
        Default = "DedupSot"
      }
      WaitToLook = {
        Type        = "Wait"
        SecondsPath = "$.look_again_seconds"
        Next        = "Look"
      }
      DedupSot = merge({
        Type       = "Parallel"
        Branches   = [local.compactions.acoes, local.compactions.fiis]
        ResultPath = "$.folds"
        Next       = "DedupSpec"
      }, try(local.caught.DedupSot, {}))
      DedupSpec = merge({
        Type       = "Parallel"
        Branches   = [local.compactions.spec]
        ResultPath = "$.spec_folds"
        Next       = "IsRoundLeft"
      }, try(local.caught.DedupSpec, {}))
      IsRoundLeft = {
        Type    = "Choice"
        Choices = [{ Variable = "$.round_seconds", IsPresent = true, Next = "WaitForRound" }]
        Default = "Assess"
      }
      WaitForRound = {
        Type        = "Wait"
        SecondsPath = "$.round_seconds"
        Next        = "AskAgain"
      }
      AskAgain = {
        Type     = "Task"
        Resource = local.invoke
        Parameters = {
          FunctionName = var.get_tickers_function_arn
          Payload      = { "anomesdia_exec.$" = "$.anomesdia_exec", only_missing = true, "old_session.$" = "$.old_session" }
        }
        ResultPath = "$.asked"
        Retry      = local.retries
        # If a round fails, the workflow continues with the state `Look`, which finds the missing assets.
        Catch = [{ ErrorEquals = ["States.ALL"], ResultPath = "$.asked", Next = "Look" }]
        Next  = "Look"
      }
      Assess = merge({
        Type     = "Task"
        Resource = local.invoke
        Parameters = {
          FunctionName = var.assess_function_arn
          Payload      = merge(local.execution, { step = "assess", "folds.$" = "$.folds", "spec_folds.$" = "$.spec_folds" })
        }
        OutputPath = "$.Payload"
        Retry      = local.retries
        Next       = var.notices == null ? "IsGood" : "IsTold"
      }, try(local.caught.Assess, {}))
      IsGood = {
        Type    = "Choice"
        Choices = [{ Variable = "$.passed", BooleanEquals = true, Next = "Good" }]
        Default = "NotGood"
      }
      Good = {
        Type = "Succeed"
      }
      NotGood = {
        Type      = "Fail"
        Error     = "DayNotGood"
        CausePath = "$.cause"
      }
    }, local.telling)
  })

  logging_configuration {
    level                  = "ERROR"
    include_execution_data = true
    log_destination        = "${aws_cloudwatch_log_group.this.arn}:*"
  }

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338:The consumer decides with log_retention_days
  name              = "/aws/vendedlogs/states/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["states.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role" "this" {
  name                 = var.name
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  path                 = var.role.path
  permissions_boundary = var.role.permissions_boundary_arn
  tags                 = var.tags
}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "InvokeFunctions"
    actions   = ["lambda:InvokeFunction"]
    resources = concat(values(var.dedup_function_arns), [var.assess_function_arn, var.get_tickers_function_arn])
  }

  dynamic "statement" {
    for_each = var.notices[*]

    content {
      sid       = "Tell"
      actions   = ["sns:Publish"]
      resources = [statement.value.topic_arn]
    }
  }

  dynamic "statement" {
    for_each = var.notices == null ? [] : var.notices.kms_key_arn[*]

    content {
      sid       = "EncryptNotices"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }

  # These actions support no resource.
  statement {
    sid = "DeliverLogs"
    actions = [
      "logs:CreateLogDelivery",
      "logs:DeleteLogDelivery",
      "logs:DescribeLogGroups",
      "logs:DescribeResourcePolicies",
      "logs:GetLogDelivery",
      "logs:ListLogDeliveries",
      "logs:PutResourcePolicy",
      "logs:UpdateLogDelivery",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "dedup"
  role   = aws_iam_role.this.name
  policy = data.aws_iam_policy_document.this.json
}
