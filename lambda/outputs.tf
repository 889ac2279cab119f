output "asynchronous_function_names" {
  description = "Names of the asynchronously invoked functions; each needs a queue for failed invocations."
  value       = [for function in keys(local.asynchronous) : local.names[function]]
}

output "bus_rule_names" {
  description = "Map from a function's name to the names of the event bus rules that start the function."
  value       = { for table, function in local.bus_triggers : local.names[function] => local.rule_names[table]... }
}

output "fetching_timeout" {
  description = "Time limit of an invocation of stage 3, in seconds."
  value       = local.fetching_timeout
}

output "functions" {
  description = "Map from a function's name to its stage, ARN, log group and role."
  value = { for key, function in aws_lambda_function.this : function.function_name => {
    stage     = local.functions[key].stage
    arn       = function.arn
    log_group = aws_cloudwatch_log_group.this[key].name
    role      = { name = aws_iam_role.this[key].name, arn = aws_iam_role.this[key].arn }
  } }
}

output "function_arns" {
  description = "ARN of each function; the key is the function's name without the prefix."
  value       = { for key, function in aws_lambda_function.this : key => function.arn }
}

output "layer_arn" {
  description = "ARN of the layer with third-party code, version included."
  value       = aws_lambda_layer_version.this.arn
}
