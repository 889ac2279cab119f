output "tables" {
  description = "Database and name of each table, for queries in Athena."
  value       = module.pynvest_tools.tables
}

output "workflow" {
  description = "Name and ARN of the workflow, to start it."
  value       = module.pynvest_tools.workflow
}
