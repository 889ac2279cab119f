variable "name" {
  description = "Name of the workgroup."
  type        = string
}

variable "tables" {
  description = "The lake's tables, as in the glue submodule's output: layer, bucket, database, name and ARN of each."
  type        = map(object({ layer = string, bucket = string, prefix = string, database = string, name = string, arn = string }))
}

variable "columns" {
  description = "Name, Glue type and comment of the columns of each table, partition key included, by the keys of `tables`."
  type        = map(list(object({ name = string, type = string, comment = string })))
}

variable "work_bucket" {
  description = "Name and ARN of the bucket for results, under `athena-results/`."
  type        = object({ name = string, arn = string })
}

variable "bytes_scanned_cutoff" {
  description = "Bytes that a query may read before Athena ends it."
  type        = number
}

variable "force_destroy" {
  description = "Whether a destroy also deletes the workgroup's history and the queries that other people saved in it."
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
