output "databases" {
  description = "The databases of each lake."
  value       = { lake = module.lake.databases, trial = module.trial.databases }
}
