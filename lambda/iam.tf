locals {
  buckets = { for key, table in var.tables : key => "arn:${data.aws_partition.current.partition}:s3:::${table.bucket}" }
  days    = { for key, table in var.tables : key => "${table.name}/anomesdia_exec=*" }
  catalog = "arn:${data.aws_partition.current.partition}:glue:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}"

  # What can be granted on a table.
  list     = { for key in keys(var.tables) : key => { actions = ["s3:ListBucket"], resources = [local.buckets[key]], prefix = local.days[key] } }
  read     = { for key in keys(var.tables) : key => { actions = ["s3:GetObject"], resources = ["${local.buckets[key]}/${local.days[key]}"], prefix = null } }
  write    = { for key in keys(var.tables) : key => { actions = ["s3:PutObject"], resources = ["${local.buckets[key]}/${local.days[key]}"], prefix = null } }
  delete   = { for key in keys(var.tables) : key => { actions = ["s3:DeleteObject"], resources = ["${local.buckets[key]}/${local.days[key]}"], prefix = null } }
  register = { for key, table in var.tables : key => { actions = ["glue:BatchCreatePartition"], resources = local.catalog_path[key], prefix = null } }
  forget   = { for key, table in var.tables : key => { actions = ["glue:GetPartition", "glue:BatchDeletePartition"], resources = local.catalog_path[key], prefix = null } }

  catalog_path = { for key, table in var.tables : key => [
    "${local.catalog}:catalog",
    "${local.catalog}:database/${table.database}",
    "${local.catalog}:table/${table.database}/${table.name}",
  ] }

  # What can be granted on a queue of tickers.
  send  = { for kind, queue in var.ticker_queues : kind => { actions = ["sqs:SendMessage"], resources = [queue.arn], prefix = null } }
  take  = { for kind, queue in var.ticker_queues : kind => { actions = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], resources = [queue.arn], prefix = null } }
  count = { for kind, queue in var.ticker_queues : kind => { actions = ["sqs:GetQueueAttributes"], resources = [queue.arn], prefix = null } }

  grants = {
    check-and-delete-partitions = concat(
      values(local.list), values(local.delete), values(local.forget),
      [{ actions = ["lambda:InvokeFunction"], resources = ["arn:${data.aws_partition.current.partition}:lambda:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:function:${local.names["get-tickers"]}"], prefix = null }],
    )
    get-tickers                          = values(local.send)
    get-financial-data-for-acoes         = [local.take.acoes, local.write.sor_acoes, local.register.sor_acoes]
    get-financial-data-for-fiis          = [local.take.fiis, local.write.sor_fiis, local.register.sor_fiis]
    prep-financial-data-for-acoes        = [local.list.sor_acoes, local.read.sor_acoes, local.write.sot_acoes, local.register.sot_acoes]
    prep-financial-data-for-fiis         = [local.list.sor_fiis, local.read.sor_fiis, local.write.sot_fiis, local.register.sot_fiis]
    specialize-financial-data            = [local.list.sot_acoes, local.list.sot_fiis, local.read.sot_acoes, local.read.sot_fiis, local.write.spec_ativos, local.register.spec_ativos]
    dedup-financial-data-for-acoes       = [local.count.acoes, local.list.sor_acoes, local.list.sot_acoes, local.list.spec_ativos, local.read.sot_acoes, local.read.spec_ativos, local.write.sot_acoes, local.delete.sot_acoes, local.register.sot_acoes]
    dedup-financial-data-for-fiis        = [local.count.fiis, local.list.sor_fiis, local.list.sot_fiis, local.list.spec_ativos, local.read.sot_fiis, local.read.spec_ativos, local.write.sot_fiis, local.delete.sot_fiis, local.register.sot_fiis]
    dedup-financial-data-for-spec-ativos = [local.list.sot_acoes, local.list.sot_fiis, local.list.spec_ativos, local.read.sot_acoes, local.read.sot_fiis, local.read.spec_ativos, local.write.spec_ativos, local.delete.spec_ativos, local.register.spec_ativos]
  }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = local.functions

  name               = local.names[each.key]
  assume_role_policy = data.aws_iam_policy_document.trust.json
  tags               = var.tags
}

data "aws_iam_policy_document" "this" {
  for_each = local.functions

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this[each.key].arn}:*"]
  }

  dynamic "statement" {
    for_each = local.grants[each.key]

    content {
      actions   = statement.value.actions
      resources = statement.value.resources

      # A read of an object that is gone answers "no such key" only to those who may list. Such a read
      # names no prefix, hence IfExists.
      dynamic "condition" {
        for_each = statement.value.prefix[*]

        content {
          test     = "StringLikeIfExists"
          variable = "s3:prefix"
          values   = [condition.value]
        }
      }
    }
  }

  dynamic "statement" {
    for_each = each.value.asynchronous ? [var.failure_queue_arns[local.names[each.key]]] : []

    content {
      actions   = ["sqs:SendMessage"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn[*]

    content {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "this" {
  for_each = local.functions

  name   = "stage"
  role   = aws_iam_role.this[each.key].id
  policy = data.aws_iam_policy_document.this[each.key].json
}
