output "buckets" {
  description = "Name and ARN of the bucket of each layer (`sor`, `sot`, `spec`)."
  value       = { for layer, name in local.bucket_names : layer => { name = name, arn = "arn:${data.aws_partition.current.partition}:s3:::${name}" } }

  # These preconditions are not in the data sources of account and region, because Terraform would then read the data sources only when all inputs are known.
  precondition {
    condition     = var.bucket_names_map != null || var.flag_create_buckets != false
    error_message = "flag_create_buckets is false and bucket_names_map is null, so the lake has no buckets: name your own buckets in bucket_names_map, or leave out flag_create_buckets so that the module creates buckets."
  }
  precondition {
    condition     = length(var.bucket_kms_key_arns) == 0 || !local.create_buckets
    error_message = "bucket_kms_key_arns holds keys of your own buckets, but with these inputs the module creates the buckets: write kms_key_arn instead, or name your own buckets in bucket_names_map."
  }
  precondition {
    condition     = alltrue([for arn in local.key_arns : split(":", arn)[3] == data.aws_service.current.region])
    error_message = format("kms_key_arn or bucket_kms_key_arns holds a key of another region than the lake's (%s): write keys of %s.", join(", ", [for arn in local.key_arns : arn if split(":", arn)[3] != data.aws_service.current.region]), data.aws_service.current.region)
  }
}

output "packages_bucket" {
  description = "Name and ARN of the bucket that holds the Lambda packages."
  value       = { name = aws_s3_bucket.this["packages"].bucket, arn = aws_s3_bucket.this["packages"].arn }
}

output "work_bucket" {
  description = "Name and ARN of the bucket for archived pages, ledger and query results."
  value       = { name = aws_s3_bucket.this["work"].bucket, arn = aws_s3_bucket.this["work"].arn }

  precondition {
    condition     = var.fetch_from == "site" || var.pages_retention_days > 0
    error_message = "pages_retention_days is 0 and fetch_from is \"pages\", but the lake reads a collector's pages from the archive: write at least 1 day."
  }
}

output "collector_policy_json" {
  description = "JSON policy for a collector's user or role. The policy allows only listing, reading and adding archived pages."
  value       = data.aws_iam_policy_document.collector.json
}

output "operator_policy_json" {
  description = "JSON policy for people who operate the lake. The policy allows the commands of docs/operations.md, such as starting a run. Attach it as a managed policy."
  value       = data.aws_iam_policy_document.operator.json
}

output "queues" {
  description = "Name, ARN and URL of each kind's ticker queue (`acoes`, `fiis`)."
  value       = { for kind, queue in aws_sqs_queue.tickers : kind => { name = queue.name, arn = queue.arn, url = queue.url } }
}

output "dead_letter_queues" {
  description = "Name, ARN and URL of each kind's queue for failed tickers."
  value       = { for kind, name in local.queue_names : kind => local.dead_letter_queues[name] }
}

output "failure_queues" {
  description = "Map from a function's name to the name, ARN and URL of its queue for failed asynchronous invocations."
  value       = { for name in module.lambda.asynchronous_function_names : name => local.dead_letter_queues[name] }
}

output "schedule_dead_letter_queues" {
  description = "Map from a schedule (`start`, `dedup`) to the name, ARN and URL of its queue for failed starts."
  value       = { for schedule, name in local.schedule_names : schedule => local.dead_letter_queues[name] }
}

output "functions" {
  description = "Map from a function's name to its stage, ARN, log group and role."
  value       = module.lambda.functions
}

output "layer_arn" {
  description = "ARN of the layer with third-party code, version included."
  value       = module.lambda.layer_arn
}

output "workflow" {
  description = "Name and ARN of the dedup workflow."
  value       = { name = module.stepfunctions.name, arn = module.stepfunctions.arn }

  precondition {
    condition     = local.workflow_events <= 24000
    error_message = "dedup_wait_interval_seconds is ${var.dedup_wait_interval_seconds} and dedup_round_minutes has ${length(var.dedup_round_minutes)} rounds, so an execution can have ${local.workflow_events} events, not counting retries, but Step Functions allows only 25000 events: write a longer interval or fewer rounds."
  }
}

output "notices" {
  description = "Topic and address of the notices. `state` at the last refresh: `confirmed`, `pending` or `lost`. `confirm`: your next step. Null without notices."
  value = local.notified ? {
    topic_arn = local.topic_arn
    email     = var.alarm_email
    state     = local.address
    confirm   = try(local.confirm[local.address], null)
  } : null

  # These preconditions cannot be validations: before Terraform 1.9, a validation sees only its own input.
  precondition {
    condition     = var.alarm_email == null || var.alarm_topic_arn == null
    error_message = "alarm_email is ${jsonencode(var.alarm_email)} and alarm_topic_arn is ${jsonencode(var.alarm_topic_arn)}, but notices go to one topic: write only one of the two inputs. You can subscribe the address to your own topic."
  }
  precondition {
    condition     = var.alarm_topic_arn == null ? true : split(":", var.alarm_topic_arn)[3] == data.aws_service.current.region
    error_message = "alarm_topic_arn is ${jsonencode(var.alarm_topic_arn)}, but alarms and rules can publish only to a topic in the lake's region: write the ARN of a topic of ${data.aws_service.current.region}."
  }
}

output "notices_topic_policy_json" {
  description = "JSON policy for your own topic (`alarm_topic_arn`). The policy allows the lake to publish notices to the topic. Null if `alarm_topic_arn` is null."
  value       = var.alarm_topic_arn == null ? null : data.aws_iam_policy_document.notices[0].json
}

output "schedules" {
  description = "Name and ARN of each schedule (`start`, `dedup`)."
  value       = module.eventbridge.schedules

  # This precondition cannot be a validation: before Terraform 1.9, a validation sees only its own input.
  precondition {
    condition     = contains(split("\n", file("${path.module}/eventbridge/timezones.txt")), var.schedule_timezone)
    error_message = "schedule_timezone is ${jsonencode(var.schedule_timezone)}, which the IANA time zone database does not have: write a name such as \"America/Sao_Paulo\" or \"UTC\"."
  }
}

output "roles" {
  description = "Map from a role's name to its ARN."
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
  description = "For each of the six tables: layer, kind of asset (null: both kinds), bucket, key prefix, database, name and ARN."
  value       = module.glue.tables
}

output "workgroup" {
  description = "Name and ARN of the Athena workgroup; null if `athena_enabled` is false."
  value       = one(module.athena[*].workgroup)
}

output "named_queries" {
  description = "Map from the name of a query saved in the workgroup to its id and title; null if `athena_enabled` is false."
  value       = one(module.athena[*].named_queries)
}

output "views" {
  description = "Map from a view's name to its database, ARN and title; null if `athena_enabled` is false."
  value       = one(module.athena[*].views)
}

output "reader_policy_json" {
  description = "JSON policy for people who query the lake. The policy allows queries only in the workgroup. Attach it as a managed policy. Null if `athena_enabled` is false."
  value       = one(module.athena[*].reader_policy_json)
}
