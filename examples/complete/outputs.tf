output "tables" {
  description = "Location of each table."
  value       = module.pynvest_tools.tables
}

output "dead_letter_queues" {
  description = "Queues of tickers that failed at every attempt."
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
