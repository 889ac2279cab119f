output "work_bucket" {
  description = "Bucket that the collector brings the pages to: its --bucket."
  value       = module.pynvest_tools.work_bucket.name
}

output "collector_user" {
  description = "User whose access key the collector gets."
  value       = aws_iam_user.collector.name
}
