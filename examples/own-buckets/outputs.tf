output "bucket" {
  description = "Bucket that the tables lie in."
  value       = aws_s3_bucket.lake.bucket
}
