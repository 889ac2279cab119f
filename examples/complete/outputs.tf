output "tables" {
  description = "Where each table is."
  value       = module.pynvest_tools.tables
}

output "dead_letter_queues" {
  description = "Where tickers that kept failing wait."
  value       = module.pynvest_tools.dead_letter_queues
}

output "workflow" {
  description = "The dedup workflow."
  value       = module.pynvest_tools.workflow
}

output "notices" {
  description = "Topic and address of the notices, and whether the address is confirmed."
  value       = module.pynvest_tools.notices
}
