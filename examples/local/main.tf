# All other settings of the AWS connection come from the environment: AWS_ENDPOINT_URL, AWS_REGION, credentials.
provider "aws" {
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
}

module "pynvest_tools" {
  source = "../.."

  name_prefix            = var.name_prefix
  fundamentus_base_url   = var.fundamentus_base_url
  awssdkpandas_layer_arn = var.awssdkpandas_layer_arn
  schedules_enabled      = var.schedules_enabled
  force_destroy          = true

  sqs_lambda_trigger_batch_size      = var.batch_size
  sqs_lambda_trigger_batch_window    = var.batch_window
  sqs_lambda_trigger_max_concurrency = var.max_concurrency
  sqs_visibility_timeout_seconds     = var.visibility_timeout_seconds
  sqs_max_receive_count              = var.max_receive_count
  functions_timeout                  = var.functions_timeout
  fetch_threads                      = var.fetch_threads
  fetch_timeout_seconds              = var.fetch_timeout_seconds
  dedup_wait_interval_seconds        = var.dedup_wait_interval_seconds
  dedup_round_minutes                = var.dedup_round_minutes
  fetch_from                         = var.fetch_from
  alarm_email                        = var.alarm_email
}
