output "schedules" {
  description = "Name and ARN of each schedule."
  value       = { for key, schedule in aws_scheduler_schedule.this : key => { name = schedule.name, arn = schedule.arn } }
}

output "roles" {
  description = "Map from the name of each schedule's role to the role's ARN."
  value       = { for role in aws_iam_role.this : role.name => role.arn }
}

output "states" {
  description = "Whether each schedule runs: `ENABLED` or `DISABLED`."
  value       = { for key, schedule in aws_scheduler_schedule.this : key => schedule.state }
}
