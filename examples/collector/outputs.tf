output "work_bucket" {
  description = "Bucket for the collector's option --bucket."
  value       = module.pynvest_tools.work_bucket.name
}

output "collector_user" {
  description = "User of the collector; create its access key."
  value       = aws_iam_user.collector.name
}
