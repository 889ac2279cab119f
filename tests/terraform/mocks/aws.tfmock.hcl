mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_service" {
  defaults = { region = "sa-east-1" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_iam_policy_document" {
  defaults = { json = "{}" }
}

mock_data "aws_s3_objects" {
  defaults = { keys = [] }
}

mock_data "aws_ssm_parameter" {
  defaults = { insecure_value = "arn:aws:lambda:sa-east-1:336392948345:layer:AWSSDKPandas-Python313:1" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
}

mock_resource "aws_lambda_function" {
  defaults = { arn = "arn:aws:lambda:sa-east-1:123456789012:function:mocked" }
}

mock_resource "aws_lambda_layer_version" {
  defaults = { arn = "arn:aws:lambda:sa-east-1:123456789012:layer:mocked:1" }
}

mock_resource "aws_sqs_queue" {
  defaults = {
    arn = "arn:aws:sqs:sa-east-1:123456789012:mocked"
    url = "https://sqs.sa-east-1.amazonaws.com/123456789012/mocked"
  }
}

mock_resource "aws_sfn_state_machine" {
  defaults = { arn = "arn:aws:states:sa-east-1:123456789012:stateMachine:mocked" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:sa-east-1:123456789012:log-group:mocked" }
}

mock_resource "aws_glue_catalog_table" {
  defaults = { arn = "arn:aws:glue:sa-east-1:123456789012:table/mocked/mocked" }
}
