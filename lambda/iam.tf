locals {
  region_and_account = "${data.aws_service.current.region}:${data.aws_caller_identity.current.account_id}"
  partition          = data.aws_partition.current.partition

  s3 = { for key, table in var.tables : key => {
    bucket   = "arn:${local.partition}:s3:::${table.bucket}"
    days     = "${table.prefix}anomesdia_exec=*"
    objects  = "arn:${local.partition}:s3:::${table.bucket}/${table.prefix}anomesdia_exec=*"
    parts    = "arn:${local.partition}:s3:::${table.bucket}/${table.prefix}anomesdia_exec=*/*.part.parquet"
    compacts = "arn:${local.partition}:s3:::${table.bucket}/${table.prefix}anomesdia_exec=*/*.compact.parquet"
  } }
  glue = { for key, table in var.tables : key => [
    "arn:${local.partition}:glue:${local.region_and_account}:catalog",
    "arn:${local.partition}:glue:${local.region_and_account}:database/${table.database}",
    "arn:${local.partition}:glue:${local.region_and_account}:table/${table.database}/${table.name}",
  ] }

  # Maps from a table, or from a kind of asset, to a policy statement.
  # Without ListBucket, GetObject on a missing key returns 403 instead of 404. A GetObject request has no s3:prefix, so the condition needs IfExists.
  list               = { for key, s3 in local.s3 : key => { actions = ["s3:ListBucket"], resources = [s3.bucket], prefix = { StringLike = s3.days } } }
  list_or_miss       = { for key, s3 in local.s3 : key => { actions = ["s3:ListBucket"], resources = [s3.bucket], prefix = { StringLikeIfExists = s3.days } } }
  read               = { for key, s3 in local.s3 : key => { actions = ["s3:GetObject"], resources = [s3.objects], prefix = {} } }
  read_parts         = { for key, s3 in local.s3 : key => { actions = ["s3:GetObject"], resources = [s3.parts], prefix = {} } }
  read_compacts      = { for key, s3 in local.s3 : key => { actions = ["s3:GetObject"], resources = [s3.compacts], prefix = {} } }
  write_parts        = { for key, s3 in local.s3 : key => { actions = ["s3:PutObject"], resources = [s3.parts], prefix = {} } }
  write_compacts     = { for key, s3 in local.s3 : key => { actions = ["s3:PutObject"], resources = [s3.compacts], prefix = {} } }
  delete             = { for key, s3 in local.s3 : key => { actions = ["s3:DeleteObject"], resources = [s3.objects], prefix = {} } }
  register_partition = { for key, path in local.glue : key => { actions = ["glue:CreatePartition"], resources = path, prefix = {} } }
  read_partitions    = { for key, path in local.glue : key => { actions = ["glue:GetPartitions"], resources = path, prefix = {} } }
  remove_partition   = { for key, path in local.glue : key => { actions = ["glue:GetPartition", "glue:BatchDeletePartition"], resources = path, prefix = {} } }
  send               = { for kind, queue in var.ticker_queues : kind => { actions = ["sqs:SendMessage"], resources = [queue.arn], prefix = {} } }
  receive            = { for kind, queue in var.ticker_queues : kind => { actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], resources = [queue.arn], prefix = {} } }
  count              = { for kind, queue in var.ticker_queues : kind => { actions = ["sqs:GetQueueAttributes"], resources = [queue.arn], prefix = {} } }

  # Statements for the work bucket, by key prefix.
  work = { for part in ["ledger", "pages"] : part => {
    list   = { actions = ["s3:ListBucket"], resources = [var.work_bucket.arn], prefix = { StringLike = "${part}/*" } }
    read   = { actions = ["s3:GetObject"], resources = ["${var.work_bucket.arn}/${part}/*"], prefix = {} }
    write  = { actions = ["s3:PutObject"], resources = ["${var.work_bucket.arn}/${part}/*"], prefix = {} }
    delete = { actions = ["s3:DeleteObject"], resources = ["${var.work_bucket.arn}/${part}/*"], prefix = {} }
    # Without ListBucket, GetObject on a missing key returns 403 instead of 404.
    miss = { actions = ["s3:ListBucket"], resources = [var.work_bucket.arn], prefix = { StringLikeIfExists = "${part}/*" } }
  } }

  # S3 uses a bucket's KMS key with the permissions of the role that reads or writes the object.
  uses_of_bucket_keys = { for function, actions in local.actions_in_lake : function => concat(
    contains(actions, "s3:GetObject") ? ["kms:Decrypt"] : [],
    contains(actions, "s3:PutObject") ? ["kms:GenerateDataKey"] : [],
  ) }
  actions_in_lake = { for function, grants in local.grants : function =>
    flatten([for grant in grants : grant.actions if !startswith(grant.resources[0], var.work_bucket.arn)])
  }

  grants = {
    check-and-delete-partitions = concat(values(local.list), values(local.delete), values(local.remove_partition), [
      local.work.ledger.miss, local.work.ledger.read, local.work.ledger.delete,
      local.work.pages.list,
      { actions = ["states:StartExecution"], resources = [var.workflow_arn], prefix = {} },
      { actions = ["lambda:InvokeFunction"], resources = ["arn:${local.partition}:lambda:${local.region_and_account}:function:${local.names["get-tickers"]}"], prefix = {} },
    ])
    get-tickers = concat(values(local.send), [
      local.list.sor_acoes, local.list.sor_fiis,
      local.work.ledger.miss, local.work.ledger.read, local.work.ledger.write,
      local.work.pages.list, local.work.pages.read, local.work.pages.write,
    ])
    get-financial-data-for-acoes = [
      local.receive.acoes, local.write_parts.sor_acoes, local.register_partition.sor_acoes,
      local.work.ledger.write, local.work.pages.read, local.work.pages.write,
    ]
    get-financial-data-for-fiis = [
      local.receive.fiis, local.write_parts.sor_fiis, local.register_partition.sor_fiis,
      local.work.ledger.write, local.work.pages.read, local.work.pages.write,
    ]
    # Stages 4 and 5 skip a part whose rows are already in a compact object of the target table, so they read these compact objects.
    prep-financial-data-for-acoes = [
      local.list_or_miss.sor_acoes, local.read_parts.sor_acoes,
      local.list_or_miss.sot_acoes, local.read_compacts.sot_acoes, local.write_parts.sot_acoes, local.register_partition.sot_acoes,
    ]
    prep-financial-data-for-fiis = [
      local.list_or_miss.sor_fiis, local.read_parts.sor_fiis,
      local.list_or_miss.sot_fiis, local.read_compacts.sot_fiis, local.write_parts.sot_fiis, local.register_partition.sot_fiis,
    ]
    specialize-financial-data = [
      local.list_or_miss.sot_acoes, local.read_parts.sot_acoes,
      local.list_or_miss.sot_fiis, local.read_parts.sot_fiis,
      local.list_or_miss.spec_ativos, local.read_compacts.spec_ativos, local.write_parts.spec_ativos, local.register_partition.spec_ativos,
    ]
    dedup-financial-data-for-acoes = [
      local.list_or_miss.sor_acoes, local.read_parts.sor_acoes,
      local.list_or_miss.sot_acoes, local.read.sot_acoes, local.write_compacts.sot_acoes, local.delete.sot_acoes, local.register_partition.sot_acoes,
      local.list_or_miss.spec_ativos, local.read.spec_ativos,
    ]
    dedup-financial-data-for-fiis = [
      local.list_or_miss.sor_fiis, local.read_parts.sor_fiis,
      local.list_or_miss.sot_fiis, local.read.sot_fiis, local.write_compacts.sot_fiis, local.delete.sot_fiis, local.register_partition.sot_fiis,
      local.list_or_miss.spec_ativos, local.read.spec_ativos,
    ]
    dedup-financial-data-for-spec-ativos = [
      local.list_or_miss.sot_acoes, local.read.sot_acoes,
      local.list_or_miss.sot_fiis, local.read.sot_fiis,
      local.list_or_miss.spec_ativos, local.read.spec_ativos, local.write_compacts.spec_ativos, local.delete.spec_ativos, local.register_partition.spec_ativos,
    ]
    assess-day = [
      local.count.acoes, local.count.fiis,
      { actions = ["sqs:GetQueueAttributes"], resources = values(var.dead_letter_queues)[*].arn, prefix = {} },
      local.list_or_miss.sor_acoes, local.read.sor_acoes,
      local.list_or_miss.sor_fiis, local.read.sor_fiis,
      local.list_or_miss.sot_acoes, local.read.sot_acoes,
      local.list_or_miss.sot_fiis, local.read.sot_fiis,
      local.list_or_miss.spec_ativos, local.read.spec_ativos,
      local.list_or_miss.spec_quality, local.read.spec_quality, local.write_parts.spec_quality, local.register_partition.spec_quality,
      local.read_partitions.sor_acoes, local.read_partitions.sor_fiis, local.read_partitions.sot_acoes,
      local.read_partitions.sot_fiis, local.read_partitions.spec_ativos, local.read_partitions.spec_quality,
      local.work.ledger.miss, local.work.ledger.read,
      { actions = ["states:ListExecutions"], resources = [var.workflow_arn], prefix = {} },
      { actions = ["states:DescribeExecution"], resources = ["${replace(var.workflow_arn, ":stateMachine:", ":execution:")}:*"], prefix = {} },
    ]
  }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = local.functions

  name                 = local.names[each.key]
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  path                 = var.role.path
  permissions_boundary = var.role.permissions_boundary_arn
  tags                 = var.tags
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

      dynamic "condition" {
        for_each = statement.value.prefix

        content {
          test     = condition.key
          variable = "s3:prefix"
          values   = [condition.value]
        }
      }

      # Allow access only to this account's buckets, even if another account's bucket policy gives the role access.
      # AWS always sends aws:ResourceAccount. The emulator does not, so the condition needs IfExists.
      dynamic "condition" {
        for_each = startswith(statement.value.actions[0], "s3:") ? [data.aws_caller_identity.current.account_id] : []

        content {
          test     = "StringEqualsIfExists"
          variable = "aws:ResourceAccount"
          values   = [condition.value]
        }
      }
    }
  }

  dynamic "statement" {
    for_each = each.value.asynchronous ? [var.dead_letter_queues[local.names[each.key]].arn] : []

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

  dynamic "statement" {
    for_each = length(var.bucket_kms_key_arns) > 0 && length(local.uses_of_bucket_keys[each.key]) > 0 ? [local.uses_of_bucket_keys[each.key]] : []

    content {
      actions   = statement.value
      resources = var.bucket_kms_key_arns
    }
  }
}

resource "aws_iam_role_policy" "this" {
  for_each = local.functions

  name   = "stage"
  role   = aws_iam_role.this[each.key].name
  policy = data.aws_iam_policy_document.this[each.key].json
}
