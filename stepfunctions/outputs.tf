output "name" {
  description = "Name of the workflow."
  value       = aws_sfn_state_machine.this.name
}

output "arn" {
  description = "ARN of the workflow."
  value       = aws_sfn_state_machine.this.arn
}

output "role" {
  description = "Name and ARN of the workflow's role."
  value       = { name = aws_iam_role.this.name, arn = aws_iam_role.this.arn }
}
