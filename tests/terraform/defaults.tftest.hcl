# Without inputs, the module creates resources with these names and numbers.

mock_provider "aws" {
  source          = "./tests/terraform/mocks"
  override_during = plan
}

run "without_inputs" {
  command = plan

  override_resource {
    target          = aws_s3_bucket.this["work"]
    values          = { arn = "arn:aws:s3:::work" }
    override_during = plan
  }

  # Resources have their default names.
  assert {
    condition = toset(keys(output.functions)) == toset([
      "pynvest-lambda-check-and-delete-partitions",
      "pynvest-lambda-get-tickers",
      "pynvest-lambda-get-financial-data-for-acoes",
      "pynvest-lambda-get-financial-data-for-fiis",
      "pynvest-lambda-prep-financial-data-for-acoes",
      "pynvest-lambda-prep-financial-data-for-fiis",
      "pynvest-lambda-specialize-financial-data",
      "pynvest-lambda-dedup-financial-data-for-acoes",
      "pynvest-lambda-dedup-financial-data-for-fiis",
      "pynvest-lambda-dedup-financial-data-for-spec-ativos",
      "pynvest-lambda-assess-day",
    ])
    error_message = "functions: ${join(", ", keys(output.functions))}"
  }
  assert {
    condition = { for key, queue in merge(
      { for kind, queue in output.queues : kind => queue },
      { for kind, queue in output.dead_letter_queues : "${kind}-dead" => queue },
      { for schedule, queue in output.schedule_dead_letter_queues : schedule => queue },
      ) : key => queue.name } == {
      acoes        = "pynvest-tickers-acoes-queue"
      fiis         = "pynvest-tickers-fiis-queue"
      "acoes-dead" = "pynvest-tickers-acoes-queue-dlq"
      "fiis-dead"  = "pynvest-tickers-fiis-queue-dlq"
      start        = "trigger-pynvest-lambda-check-and-delete-partitions-dlq"
      dedup        = "trigger-pynvest-sfn-dedup-sot-spec-tables-dlq"
    }
    error_message = "queues: ${jsonencode([output.queues, output.dead_letter_queues, output.schedule_dead_letter_queues])}"
  }
  assert {
    condition = { for function, queue in output.failure_queues : function => queue.name } == { for function in [
      "pynvest-lambda-check-and-delete-partitions",
      "pynvest-lambda-get-tickers",
      "pynvest-lambda-prep-financial-data-for-acoes",
      "pynvest-lambda-prep-financial-data-for-fiis",
      "pynvest-lambda-specialize-financial-data",
    ] : function => "${function}-dlq" }
    error_message = "failure queues: ${jsonencode(output.failure_queues)}"
  }
  assert {
    condition     = output.workflow.name == "pynvest-sfn-dedup-sot-spec-tables"
    error_message = "workflow: ${output.workflow.name}"
  }
  assert {
    condition = { for key, schedule in output.schedules : key => schedule.name } == {
      start = "trigger-pynvest-lambda-check-and-delete-partitions"
      dedup = "trigger-pynvest-sfn-dedup-sot-spec-tables"
    }
    error_message = "schedules: ${jsonencode(output.schedules)}"
  }
  assert {
    condition = { for key, table in output.tables : key => "${table.bucket} ${table.database}.${table.name}" } == {
      sor_acoes    = "pynvest-sor-123456789012-sa-east-1 db_pynvest_sor.tbsor_fundamentus_indicadores_acoes_raw"
      sor_fiis     = "pynvest-sor-123456789012-sa-east-1 db_pynvest_sor.tbsor_fundamentus_indicadores_fiis_raw"
      sot_acoes    = "pynvest-sot-123456789012-sa-east-1 db_pynvest_sot.tbsot_fundamentus_indicadores_acoes_prep"
      sot_fiis     = "pynvest-sot-123456789012-sa-east-1 db_pynvest_sot.tbsot_fundamentus_indicadores_fiis_prep"
      spec_ativos  = "pynvest-spec-123456789012-sa-east-1 db_pynvest_spec.tbspec_fundamentus_cotacao_ativos"
      spec_quality = "pynvest-spec-123456789012-sa-east-1 db_pynvest_spec.tbspec_pynvest_qualidade"
    }
    error_message = "tables: ${jsonencode(output.tables)}"
  }
  assert {
    condition     = output.work_bucket.name == "pynvest-work-123456789012-sa-east-1"
    error_message = "work bucket: ${output.work_bucket.name}"
  }
  assert {
    condition     = output.packages_bucket.name == "pynvest-packages-123456789012-sa-east-1"
    error_message = "packages bucket: ${output.packages_bucket.name}"
  }

  # Buckets are private, versioned and encrypted.
  assert {
    condition     = toset(keys(aws_s3_bucket.this)) == toset(["sor", "sot", "spec", "packages", "work"])
    error_message = "buckets: ${join(", ", keys(aws_s3_bucket.this))}"
  }
  assert {
    condition = alltrue([for resources in [
      aws_s3_bucket_versioning.this, aws_s3_bucket_lifecycle_configuration.this, aws_s3_bucket_public_access_block.this,
      aws_s3_bucket_server_side_encryption_configuration.this, aws_s3_bucket_policy.this,
    ] : keys(resources) == keys(aws_s3_bucket.this)])
    error_message = "a bucket lacks one of its settings"
  }
  assert {
    condition     = alltrue([for bucket in aws_s3_bucket_server_side_encryption_configuration.this : one(one(bucket.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"])
    error_message = "a bucket is not encrypted with SSE-S3"
  }
  assert {
    condition     = { for key, bucket in aws_s3_bucket.this : key => bucket.force_destroy } == { sor = false, sot = false, spec = false, packages = true, work = false }
    error_message = "without force_destroy, a destroy may empty only the packages' bucket"
  }

  # Pages, ledgers and query results expire.
  assert {
    condition = { for rule in aws_s3_bucket_lifecycle_configuration.this["work"].rule : rule.id => [one(rule.filter).prefix, one(rule.expiration).days, one(rule.noncurrent_version_expiration).noncurrent_days] if rule.id != "expire-old-versions" } == {
      expire-athena-results = ["athena-results/", 30, 1]
      expire-ledger         = ["ledger/", 400, 1]
      expire-pages          = ["pages/", 90, 1]
    }
    error_message = "rules: ${jsonencode(aws_s3_bucket_lifecycle_configuration.this["work"].rule)}"
  }
  assert {
    condition     = alltrue([for key, bucket in aws_s3_bucket_lifecycle_configuration.this : length(bucket.rule) == 1 if key != "work"])
    error_message = "other objects expire too"
  }

  # Nobody can overwrite a page. S3 refuses multipart uploads of a page.
  assert {
    condition = jsonencode([for statement in data.aws_iam_policy_document.bucket["work"].statement : {
      effect     = statement.effect
      actions    = statement.actions
      resources  = statement.resources
      principals = [for principal in statement.principals : [principal.type, principal.identifiers]]
      conditions = [for condition in statement.condition : [condition.test, condition.variable, condition.values]]
      } if statement.sid == "DenyPagesWithoutIfNoneMatch"]) == jsonencode([{
      effect     = "Deny"
      actions    = ["s3:PutObject"]
      resources  = ["${aws_s3_bucket.this["work"].arn}/pages/*"]
      principals = [["*", ["*"]]]
      conditions = [["Null", "s3:if-none-match", ["true"]]]
    }])
    error_message = "statements: ${jsonencode(data.aws_iam_policy_document.bucket["work"].statement)}"
  }
  assert {
    condition     = alltrue([for key, policy in data.aws_iam_policy_document.bucket : length(policy.statement) == 1 if key != "work"])
    error_message = "another bucket has more Deny statements"
  }

  # A collector's policy permits only reading, writing and listing objects.
  assert {
    condition     = [for statement in data.aws_iam_policy_document.collector.statement : join(" ", sort(statement.actions))] == ["s3:GetObject s3:PutObject", "s3:ListBucket"]
    error_message = "statements: ${jsonencode(data.aws_iam_policy_document.collector.statement)}"
  }

  # Queues are encrypted. After three receives, a message goes to the dead-letter queue for 14 days.
  assert {
    condition     = alltrue([for queue in merge(aws_sqs_queue.tickers, aws_sqs_queue.dead_letter) : queue.sqs_managed_sse_enabled])
    error_message = "a queue is not encrypted with SSE-SQS"
  }
  assert {
    condition     = alltrue([for policy in aws_sqs_queue_redrive_policy.tickers : jsondecode(policy.redrive_policy).maxReceiveCount == 3])
    error_message = "a ticker does not go to the dead-letter queue after three receives"
  }
  assert {
    condition     = alltrue([for queue in aws_sqs_queue.tickers : queue.visibility_timeout_seconds == 720])
    error_message = "the visibility timeout is not six times the 120 seconds of stage 3"
  }
  assert {
    condition     = alltrue([for queue in aws_sqs_queue.dead_letter : queue.message_retention_seconds == 1209600])
    error_message = "a dead-letter queue keeps messages for less than 14 days"
  }

  # Without `alarm_email` and `alarm_topic_arn`, the module creates no resources for notices.
  assert {
    condition = length(concat(aws_sns_topic.notices, aws_sns_topic_policy.notices, aws_sns_topic_subscription.notices, aws_cloudwatch_event_rule.stopped,
    aws_cloudwatch_event_target.stopped, values(aws_cloudwatch_metric_alarm.this), data.aws_iam_policy_document.notices)) == 0
    error_message = "a resource for notices is created"
  }
  assert {
    condition     = output.notices == null && output.notices_topic_policy_json == null
    error_message = "notices: ${jsonencode(output.notices)}"
  }
}
