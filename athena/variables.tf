variable "name" {
  description = "Name of the workgroup."
  type        = string
}

variable "tables" {
  description = "The glue submodule's output `tables`: layer, bucket, key prefix, database, name and ARN of each table."
  type        = map(object({ layer = string, bucket = string, prefix = string, database = string, name = string, arn = string }))
}

variable "columns" {
  description = "Columns of each table, including the partition key: name, Glue type and comment. The map has the keys of `tables`."
  type        = map(list(object({ name = string, type = string, comment = string })))
}

variable "work_bucket" {
  description = "Name and ARN of the bucket for results, under `athena-results/`."
  type        = object({ name = string, arn = string })
}

variable "bytes_scanned_cutoff" {
  description = "Maximum number of bytes that a query may read."
  type        = number
}

variable "force_destroy" {
  description = "Whether a destroy also deletes a workgroup that has a query history or queries saved by people."
  type        = bool
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the module's buckets and the results; null: SSE-S3."
  type        = string
}

variable "bucket_kms_key_arns" {
  description = "ARNs of the keys that encrypt the consumer's own buckets."
  type        = list(string)
}

variable "tags" {
  description = "Tags of the workgroup."
  type        = map(string)
}
