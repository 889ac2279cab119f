# The effects of the inputs.

mock_provider "aws" {
  source          = "./tests/terraform/mocks"
  override_during = plan
}

run "prefix_timeout_key_and_tags_are_used" {
  command = plan

  variables {
    name_prefix         = "my-lake"
    alarm_email         = "me@example.com"
    functions_timeout   = 20
    kms_key_arn         = "arn:aws:kms:sa-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    module_default_tags = { project = "lake" }
  }

  # Resource names start with the given prefix.
  assert {
    condition = alltrue([for name in concat(
      keys(output.functions),
      [for bucket in output.buckets : bucket.name],
      [output.packages_bucket.name, output.workflow.name],
      [for queue in merge(output.queues, output.failure_queues) : queue.name],
      [for schedule in output.schedules : trimprefix(schedule.name, "trigger-")],
    ) : startswith(name, "my-lake-")])
    error_message = "a resource name does not start with the prefix"
  }
  assert {
    condition     = startswith(one(aws_cloudwatch_event_target.stopped[0].input_transformer).input_template, "\"my-lake: ")
    error_message = "the notice does not name the lake: ${one(aws_cloudwatch_event_target.stopped[0].input_transformer).input_template}"
  }
  assert {
    condition     = { for layer, database in output.databases : layer => database.name } == { sor = "db_my_lake_sor", sot = "db_my_lake_sot", spec = "db_my_lake_spec" }
    error_message = "databases: ${jsonencode(output.databases)}"
  }

  # If the module creates the buckets, the prefix of a table's keys is the table's name.
  assert {
    condition     = alltrue([for table in module.glue.tables : table.prefix == "${table.name}/"])
    error_message = "prefixes: ${jsonencode(module.glue.tables)}"
  }

  # The visibility timeout is six times the timeout of stage 3.
  assert {
    condition     = alltrue([for queue in aws_sqs_queue.tickers : queue.visibility_timeout_seconds == 120])
    error_message = "hidden for ${aws_sqs_queue.tickers["acoes"].visibility_timeout_seconds} seconds"
  }

  # Buckets and queues are encrypted with the given key.
  assert {
    condition     = alltrue([for bucket in aws_s3_bucket_server_side_encryption_configuration.this : one(one(bucket.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn])
    error_message = "a bucket is not encrypted with the key"
  }
  assert {
    condition     = alltrue([for queue in merge(aws_sqs_queue.tickers, aws_sqs_queue.dead_letter) : queue.kms_master_key_id == var.kms_key_arn])
    error_message = "a queue is not encrypted with the key"
  }

  # Buckets and queues have the given tags.
  assert {
    condition     = alltrue([for resource in concat(values(aws_s3_bucket.this), values(aws_sqs_queue.tickers), values(aws_sqs_queue.dead_letter)) : resource.tags == tomap({ project = "lake" })])
    error_message = "a resource lacks the tags"
  }
}

run "own_buckets_and_names_and_settings_of_queues_are_used" {
  command = plan

  variables {
    bucket_names_map               = { sor = "own-raw", sot = "own-curated", spec = "own-served" }
    sqs_tickers_acoes_queue_name   = "stocks"
    sqs_tickers_fiis_queue_name    = "funds"
    sqs_visibility_timeout_seconds = 600
    sqs_message_retention_seconds  = 3600
    sqs_max_message_size           = 2048
    sqs_delay_seconds              = 7
    sqs_receive_wait_time_seconds  = 3
    sqs_max_receive_count          = 5
  }

  # The module reads the consumer's buckets and does not manage them.
  assert {
    condition     = { for layer, bucket in terraform_data.own_bucket : layer => bucket.input } == { sor = "own-raw", sot = "own-curated", spec = "own-served" } && keys(data.aws_s3_objects.own_bucket_in_this_region) == ["sor", "sot", "spec"]
    error_message = "one of the consumer's own buckets is not read"
  }
  assert {
    condition     = keys(aws_s3_bucket.this) == ["packages", "work"]
    error_message = "the module changes buckets that are not its own: ${join(", ", keys(aws_s3_bucket.this))}"
  }
  assert {
    condition     = { for layer, bucket in output.buckets : layer => bucket.arn } == { sor = "arn:aws:s3:::own-raw", sot = "arn:aws:s3:::own-curated", spec = "arn:aws:s3:::own-served" }
    error_message = "buckets: ${jsonencode(output.buckets)}"
  }
  assert {
    condition     = output.tables.spec_ativos.bucket == "own-served"
    error_message = "Spec is in ${output.tables.spec_ativos.bucket}"
  }

  # With the default name prefix, a table's key prefix is the table's name.
  assert {
    condition     = alltrue([for table in module.glue.tables : table.prefix == "${table.name}/"])
    error_message = "prefixes: ${jsonencode(module.glue.tables)}"
  }

  # Queues have the given names and settings.
  assert {
    condition = [for queue in aws_sqs_queue.tickers : [queue.name, queue.visibility_timeout_seconds, queue.message_retention_seconds,
    queue.max_message_size, queue.delay_seconds, queue.receive_wait_time_seconds]] == [["stocks", 600, 3600, 2048, 7, 3], ["funds", 600, 3600, 2048, 7, 3]]
    error_message = "a queue has other settings"
  }
  assert {
    condition     = [for queue in output.dead_letter_queues : queue.name] == ["stocks-dlq", "funds-dlq"]
    error_message = "dead-letter queues: ${jsonencode(output.dead_letter_queues)}"
  }
  assert {
    condition     = alltrue([for policy in aws_sqs_queue_redrive_policy.tickers : jsondecode(policy.redrive_policy).maxReceiveCount == 5])
    error_message = "the queues do not use sqs_max_receive_count"
  }
}

run "a_second_lake_a_long_batch_window_a_collector_and_no_athena" {
  command = plan

  variables {
    name_prefix                     = "second"
    bucket_names_map                = { sor = "one", sot = "one", spec = "one" }
    functions_timeout               = 20
    sqs_lambda_trigger_batch_window = 300
    fetch_from                      = "pages"
    athena_enabled                  = false
  }

  # A second lake in the same buckets uses its own key prefix.
  assert {
    condition     = alltrue([for table in module.glue.tables : table.prefix == "second/${table.name}/"])
    error_message = "prefixes: ${jsonencode(module.glue.tables)}"
  }

  # The visibility timeout is the functions' timeout plus the batch window.
  assert {
    condition     = alltrue([for queue in aws_sqs_queue.tickers : queue.visibility_timeout_seconds == 320])
    error_message = "hidden for ${aws_sqs_queue.tickers["acoes"].visibility_timeout_seconds} seconds"
  }

  # `fetch_from = "pages"` disables the schedule that starts the day.
  assert {
    condition     = module.eventbridge.states == { start = "DISABLED", dedup = "ENABLED" }
    error_message = "schedules: ${jsonencode(module.eventbridge.states)}"
  }

  # Without `athena_enabled`, the module creates no Athena resources.
  assert {
    condition     = length(module.athena) == 0 && output.workgroup == null && output.reader_policy_json == null
    error_message = "there is a workgroup"
  }
}

run "buckets_are_created_with_given_names_and_one_may_have_two_layers" {
  command = plan

  variables {
    bucket_names_map    = { sor = "raw", sot = "rest", spec = "rest" }
    flag_create_buckets = true
    force_destroy       = true
  }

  assert {
    condition     = length(terraform_data.own_bucket) == 0 && length(data.aws_s3_objects.own_bucket_in_this_region) == 0
    error_message = "a bucket is read before it is created"
  }
  assert {
    condition     = { for key, bucket in aws_s3_bucket.this : key => bucket.bucket if !contains(["packages", "work"], key) } == { sor = "raw", sot = "rest" }
    error_message = "buckets: ${jsonencode([for bucket in aws_s3_bucket.this : bucket.bucket])}"
  }
  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.this : bucket.force_destroy])
    error_message = "a bucket lacks force_destroy"
  }
}
