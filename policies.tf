# This policy allows a collector only to list, read and write archived pages.
data "aws_iam_policy_document" "collector" {
  statement {
    sid       = "BringPages"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${aws_s3_bucket.this["work"].arn}/pages/*"]
  }

  statement {
    sid       = "SeeWhatIsThere"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.this["work"].arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["pages/*"]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn[*]

    content {
      sid       = "UseTheKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]

      condition {
        test     = "StringLike"
        variable = "kms:EncryptionContext:aws:s3:arn"
        values   = [aws_s3_bucket.this["work"].arn, "${aws_s3_bucket.this["work"].arn}/pages/*"]
      }
    }
  }
}

# This policy allows the commands of docs/operations.md.
# The ARNs are made of names, not of references to resources, so a plan shows the whole policy. Patterns keep the policy within IAM's limit of 6,144 characters.
data "aws_iam_policy_document" "operator" {
  # checkov:skip=CKV_AWS_356:logs:GetQueryResults supports no resource: its parameter is a query id, not a log group
  statement {
    sid       = "StartTheDay"
    actions   = ["lambda:InvokeFunction"]
    resources = [for function in ["check-and-delete-partitions", "get-tickers"] : "arn:${data.aws_partition.current.partition}:lambda:${local.region_and_account}:function:${var.name_prefix}-lambda-${function}"]
  }

  statement {
    sid       = "StartTheWorkflow"
    actions   = ["states:ListExecutions", "states:StartExecution"]
    resources = [local.workflow_arn]
  }

  statement {
    sid       = "SeeWhatBecameOfIt"
    actions   = ["states:DescribeExecution", "states:GetExecutionHistory", "states:StopExecution"]
    resources = ["${replace(local.workflow_arn, ":stateMachine:", ":execution:")}:*"]
  }

  statement {
    sid       = "ReadTheLogs"
    actions   = ["logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery"]
    resources = ["arn:${data.aws_partition.current.partition}:logs:${local.region_and_account}:log-group:/aws/lambda/${var.name_prefix}-lambda-*"]
  }

  statement {
    sid       = "ReadResultsOfQueries"
    actions   = ["logs:GetQueryResults"]
    resources = ["*"]
  }

  statement {
    sid       = "CountWhatWaits"
    actions   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl"]
    resources = [for queue in concat(values(local.queue_names), local.dead_letter_queue_patterns) : "arn:${data.aws_partition.current.partition}:sqs:${local.region_and_account}:${queue}"]
  }

  statement {
    sid       = "ReadAndEmptyWhatFailed"
    actions   = ["sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ReceiveMessage"]
    resources = [for queue in local.dead_letter_queue_patterns : "arn:${data.aws_partition.current.partition}:sqs:${local.region_and_account}:${queue}"]
  }

  statement {
    sid       = "ReadTheLedger"
    actions   = ["s3:GetObject"]
    resources = ["arn:${data.aws_partition.current.partition}:s3:::${local.buckets.work.name}/ledger/*"]
  }

  statement {
    sid       = "ListTheLedger"
    actions   = ["s3:ListBucket"]
    resources = ["arn:${data.aws_partition.current.partition}:s3:::${local.buckets.work.name}"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["ledger/*"]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn[*]

    content {
      sid       = "UseTheKey"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}
