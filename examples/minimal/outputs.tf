output "tables" {
  description = "Database and name of each table, to ask Athena for."
  value       = module.pynvest_tools.tables
}

output "workflow" {
  description = "Name and ARN of the workflow, to start it with."
  value       = module.pynvest_tools.workflow
}
