# Wrong values for every validation. test_validations.py checks the messages for these values.
# Each value in the first run is wrong. `expect_failures` repeats an address if two rules of one output or resource fail.
# The last two runs have no wrong value.

mock_provider "aws" {
  source          = "./tests/terraform/mocks"
  override_during = plan
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    name_prefix                        = "My_Lake"
    module_default_tags                = { "aws:owner" = "me", "AWS:Owner" = "me" }
    bucket_names_map                   = { sor = "A_Bucket", sot = "a-bucket", spec = "a-bucket" }
    databases_names_map                = { sor = "my-database", sot = "curated", spec = format("%0129d", 0) }
    sqs_tickers_acoes_queue_name       = "tickers.fifo"
    sqs_tickers_fiis_queue_name        = "my queue"
    sqs_visibility_timeout_seconds     = 43200
    sqs_receive_wait_time_seconds      = 21
    sqs_max_receive_count              = 0
    sqs_lambda_trigger_batch_size      = 0
    sqs_lambda_trigger_batch_window    = 301
    sqs_lambda_trigger_max_concurrency = 1
    functions_python_runtime           = "python3.10"
    functions_memory_size              = 192
    awssdkpandas_layer_arn             = "AWSSDKPandas-Python313"
    awssdkpandas_layer_version         = "latest"
    lambda_packages_dir                = "no-such-directory"
    fundamentus_base_url               = "www.fundamentus.com.br/"
    fetch_threads                      = 1.5
    fetch_timeout_seconds              = 0
    fetch_headers                      = { "User Agent:" = "first line\nsecond line", "accept" = "*/*", "Accept" = "*/*", "HOST" = "example.com", "Cookie" = format("%01024d", 0) }
    schedule_expression_start          = "cron(45 18 * * *)"
    schedule_expression_dedup          = "rate(1 dia)"
    dedup_wait_interval_seconds        = 0
    dedup_round_minutes                = [720, 720]
    fetch_from                         = "cache"
    pages_retention_days               = 1.5
    bucket_notifications               = "bucket"
    log_level                          = "verbose"
    quality_gate                       = "warn"
    quality_reference_from             = 20261131
    alarm_email                        = "me"
    alarm_topic_arn                    = "my-topic"
    athena_results_retention_days      = 0
    permissions_boundary_arn           = "boundary"
    iam_role_path                      = "lake"
    kms_key_arn                        = "alias/lake"
    bucket_kms_key_arns                = ["arn:aws:kms:sa-east-1:123456789012:alias/lake"]
  }
}

run "tags_times_and_a_release_are_refused" {
  command = plan

  variables {
    module_default_tags        = { owner = "ana (dados), equipe" }
    schedule_expression_start  = "cron(45 18 * * MON-FRI *)"
    schedule_expression_dedup  = "cron(0 19 ? * SEG-SEX *)"
    awssdkpandas_layer_version = "3.17.0"
  }

  expect_failures = [var.module_default_tags, var.schedule_expression_start, var.schedule_expression_dedup, var.awssdkpandas_layer_version]
}

run "names_that_aws_refuses_are_refused" {
  command = plan

  variables {
    name_prefix         = "a-prefix-of-more-than-twenty-characters"
    module_default_tags = { for number in range(11) : "tag-${number}" => "value" }
  }

  expect_failures = [var.name_prefix, var.module_default_tags]
}

run "wrong_combinations_that_outputs_refuse" {
  command = plan

  variables {
    schedule_timezone           = "America/SaoPaulo"
    dedup_wait_interval_seconds = 1
    dedup_round_minutes         = [45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45]
    pages_retention_days        = 0
    fetch_from                  = "pages"
    flag_create_buckets         = false
    kms_key_arn                 = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    alarm_email                 = "me@example.com"
    alarm_topic_arn             = "arn:aws:sns:us-east-1:123456789012:my-topic"
  }

  expect_failures = [output.schedules, output.workflow, output.work_bucket, output.buckets, output.buckets, output.notices, output.notices]
}

run "wrong_times_of_queues_and_a_key_of_own_buckets_of_another_region" {
  command = plan

  variables {
    bucket_names_map                = { sor = "own", sot = "own", spec = "own" }
    bucket_kms_key_arns             = ["arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
    functions_timeout               = 300
    sqs_lambda_trigger_batch_window = 60
    sqs_visibility_timeout_seconds  = 179
    sqs_max_receive_count           = 3
    sqs_delay_seconds               = 4
    dedup_round_minutes             = [60, 9]
  }

  expect_failures = [output.buckets, aws_sqs_queue.tickers, aws_sqs_queue.tickers]
}

run "a_large_batch_without_a_window_equal_queue_names_and_keys_without_own_buckets" {
  command = plan

  variables {
    bucket_kms_key_arns             = ["arn:aws:kms:sa-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
    sqs_tickers_acoes_queue_name    = "tickers"
    sqs_tickers_fiis_queue_name     = "tickers"
    sqs_lambda_trigger_batch_size   = 11
    sqs_lambda_trigger_batch_window = 0
  }

  expect_failures = [output.buckets, aws_sqs_queue.tickers, aws_sqs_queue.tickers]
}

run "values_at_the_limits_are_accepted" {
  command = plan

  variables {
    name_prefix                        = "a2345678-0-2345678-0"
    module_default_tags                = { for number in range(10) : "tag-${number}" => "value" }
    sqs_visibility_timeout_seconds     = 180
    sqs_message_retention_seconds      = 60
    sqs_max_message_size               = 1024
    sqs_delay_seconds                  = 900
    sqs_receive_wait_time_seconds      = 0
    sqs_max_receive_count              = 1
    sqs_lambda_trigger_batch_size      = 10000
    sqs_lambda_trigger_batch_window    = 60
    sqs_lambda_trigger_max_concurrency = 1000
    functions_timeout                  = 900
    functions_memory_size              = 256
    awssdkpandas_layer_version         = "3.17.1"
    fundamentus_base_url               = "http://127.0.0.1:8000/copy/of"
    fetch_headers                      = {}
    schedule_timezone                  = "Etc/GMT+3"
    schedule_expression_start          = "rate(1 day)"
    schedule_expression_dedup          = "at(2026-11-23T19:00:00)"
    dedup_round_minutes                = [882, 18]
    pages_retention_days               = 3650
    log_level                          = "debug"
    quality_gate                       = "record"
    quality_reference_from             = 20240229
    athena_bytes_scanned_cutoff        = 10485760
    athena_results_retention_days      = 3650
    log_retention_days                 = 1
    permissions_boundary_arn           = "arn:aws:iam::aws:policy/PowerUserAccess"
    iam_role_path                      = "/of/a/lake/"
  }
}

run "without_rounds_the_receive_count_is_not_limited" {
  command = plan

  variables {
    sqs_max_receive_count           = 1000
    sqs_lambda_trigger_batch_size   = 11
    sqs_lambda_trigger_batch_window = 1
    dedup_round_minutes             = []
    pages_retention_days            = 0
  }
}
