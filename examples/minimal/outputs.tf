output "tables" {
  description = "Database and name of each table, to ask Athena for."
  value       = module.pynvest_tools.tables
}
