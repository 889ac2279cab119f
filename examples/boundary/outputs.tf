output "roles" {
  description = "ARN of each role."
  value       = module.pynvest_tools.roles
}
