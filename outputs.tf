output "buckets" {
  description = "Name and ARN of the bucket of each layer (`sor`, `sot`, `spec`)."
  value       = { for layer, name in local.bucket_names : layer => { name = name, arn = "arn:${data.aws_partition.current.partition}:s3:::${name}" } }
}

output "packages_bucket" {
  description = "Name and ARN of the bucket that holds the Lambda packages."
  value       = { name = aws_s3_bucket.this["packages"].bucket, arn = aws_s3_bucket.this["packages"].arn }
}

output "queues" {
  description = "Name, ARN and URL of the queue of tickers of each kind (`acoes`, `fiis`)."
  value       = { for kind, queue in aws_sqs_queue.tickers : kind => { name = queue.name, arn = queue.arn, url = queue.url } }
}

output "dead_letter_queues" {
  description = "Name, ARN and URL of the queue that gets the tickers of each kind that kept failing."
  value       = { for kind, name in local.queue_names : kind => local.dead_letter_queues[name] }
}

output "failure_queues" {
  description = "Name, ARN and URL of the queue, by name of the function, that gets asynchronous invocations that kept failing."
  value       = { for name in module.lambda.asynchronous_function_names : name => local.dead_letter_queues[name] }
}

output "schedule_dead_letter_queues" {
  description = "Name, ARN and URL of the queue that gets starts of each schedule (`start`, `dedup`) that kept failing."
  value       = { for schedule, name in local.schedule_names : schedule => local.dead_letter_queues[name] }
}

output "functions" {
  description = "Stage, ARN, log group and role of each function, by its name."
  value       = module.lambda.functions
}

output "layer_arn" {
  description = "ARN of the layer with third-party code, version included."
  value       = module.lambda.layer_arn
}

output "workflow" {
  description = "Name and ARN of the dedup workflow."
  value       = { name = module.stepfunctions.name, arn = module.stepfunctions.arn }
}

output "schedules" {
  description = "Name and ARN of each schedule (`start`, `dedup`)."
  value       = module.eventbridge.schedules
}

output "roles" {
  description = "ARN of each role, by its name."
  value = merge(
    { for function in module.lambda.functions : function.role.name => function.role.arn },
    { (module.stepfunctions.role.name) = module.stepfunctions.role.arn },
    module.eventbridge.roles,
  )
}

output "databases" {
  description = "Name and ARN of the Glue database of each layer (`sor`, `sot`, `spec`)."
  value       = module.glue.databases
}

output "tables" {
  description = "Layer, kind of paper (null: both), bucket, database, name and ARN of each of the five tables."
  value       = module.glue.tables
}
