data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  # The day is read off the execution's start, so that no function asks the clock.
  dedup = { for table, arn in var.dedup_function_arns : table => {
    Type     = "Task"
    Resource = "arn:${data.aws_partition.current.partition}:states:::lambda:invoke"
    Parameters = {
      FunctionName = arn
      Payload = {
        "input.$"      = "$$.Execution.Input"
        "started_at.$" = "$$.Execution.StartTime"
      }
    }
    ResultSelector = { "result.$" = "$.Payload" }
    Retry = [
      {
        ErrorEquals     = ["DayNotComplete"]
        IntervalSeconds = var.wait_interval_seconds
        MaxAttempts     = var.wait_max_attempts
        BackoffRate     = 1
      },
      # Waiting would not help.
      {
        ErrorEquals = ["NothingArrived"]
        MaxAttempts = 0
      },
      {
        ErrorEquals     = ["Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.TooManyRequestsException"]
        IntervalSeconds = 2
        MaxAttempts     = 6
        BackoffRate     = 2
      },
      # A process that was killed, say: a dedup that is started again ends with the same rows.
      {
        ErrorEquals     = ["States.TaskFailed"]
        IntervalSeconds = 10
        MaxAttempts     = 2
        BackoffRate     = 2
      },
    ]
    End = true
  } }
}

resource "aws_sfn_state_machine" "this" {
  # checkov:skip=CKV_AWS_284:The execution history says what a trace would; tracing's actions take no resource in a policy
  name     = var.name
  role_arn = aws_iam_role.this.arn
  tags     = var.tags

  definition = jsonencode({
    Comment = "Leaves the day's partition of each SoT and Spec table as one object with one row a ticker"
    StartAt = "DedupSot"
    States = {
      DedupSot = {
        Type = "Parallel"
        Branches = [
          { StartAt = "DedupSotAcoes", States = { DedupSotAcoes = local.dedup.acoes } },
          { StartAt = "DedupSotFiis", States = { DedupSotFiis = local.dedup.fiis } },
        ]
        Next = "DedupSpec"
      }
      DedupSpec = local.dedup.spec
    }
  })

  logging_configuration {
    level                  = "ERROR"
    include_execution_data = true
    log_destination        = "${aws_cloudwatch_log_group.this.arn}:*"
  }

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_cloudwatch_log_group" "this" {
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
  name               = var.name
  assume_role_policy = data.aws_iam_policy_document.trust.json
  tags               = var.tags
}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "InvokeDedupFunctions"
    actions   = ["lambda:InvokeFunction"]
    resources = values(var.dedup_function_arns)
  }

  # Deliveries of logs belong to no resource that a policy could name.
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
