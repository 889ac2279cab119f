output "tables" {
  description = "Layer, kind of asset, bucket, key prefix, database and name of each table except the quality table, SoR first."
  value = [for key in ["sor_acoes", "sor_fiis", "sot_acoes", "sot_fiis", "spec_ativos"] :
    { for field, value in module.pynvest_tools.tables[key] : field => value if field != "arn" }
  ]
}

output "quality_table" {
  description = "Layer, kind of asset, bucket, key prefix, database and name of the quality table."
  value       = { for field, value in module.pynvest_tools.tables.spec_quality : field => value if field != "arn" }
}

output "ticker_queues" {
  description = "URL of each kind's ticker queue."
  value       = { for kind, queue in module.pynvest_tools.queues : kind => queue.url }
}

output "dead_letter_queues" {
  description = "URL of each kind's queue for failed tickers."
  value       = { for kind, queue in module.pynvest_tools.dead_letter_queues : kind => queue.url }
}

output "failure_queues" {
  description = "URLs of the queues for failed starts and failed invocations, by queue name."
  value = { for queue in concat(values(module.pynvest_tools.failure_queues), values(module.pynvest_tools.schedule_dead_letter_queues)) :
    queue.name => queue.url
  }
}

output "functions" {
  description = "Names of the functions, in the order of the stages."
  value       = [for row in sort([for name, function in module.pynvest_tools.functions : "${function.stage} ${name}"]) : split(" ", row)[1]]
}

output "listing_function" {
  description = "Name of the function that queues the tickers."
  value       = one([for name, function in module.pynvest_tools.functions : name if function.stage == 2])
}

output "start_schedule" {
  description = "Name of the schedule that starts the day's run."
  value       = module.pynvest_tools.schedules.start.name
}

output "dedup_schedule" {
  description = "Name of the schedule that starts the dedup workflow."
  value       = module.pynvest_tools.schedules.dedup.name
}

output "workflow_arn" {
  description = "ARN of the dedup workflow."
  value       = module.pynvest_tools.workflow.arn
}

output "work_bucket" {
  description = "Name of the bucket for pages and ledger."
  value       = module.pynvest_tools.work_bucket.name
}

output "collector_policy_json" {
  description = "Policy of a collector."
  value       = module.pynvest_tools.collector_policy_json
}

output "notices" {
  description = "Topic and address of the notices."
  value       = module.pynvest_tools.notices
}

output "workgroup" {
  description = "Name of the workgroup for queries."
  value       = module.pynvest_tools.workgroup.name
}

output "operator_policy_json" {
  description = "Policy of an operator."
  value       = module.pynvest_tools.operator_policy_json
}

output "reader_policy_json" {
  description = "Policy of a reader."
  value       = module.pynvest_tools.reader_policy_json
}
