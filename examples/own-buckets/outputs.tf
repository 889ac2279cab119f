output "bucket" {
  description = "Bucket of the tables."
  value       = aws_s3_bucket.lake.bucket
}
