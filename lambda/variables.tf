variable "name_prefix" {
  description = "Prefix of the names of the functions and of the layer."
  type        = string
}

variable "python_runtime" {
  description = "Lambda runtime of the functions."
  type        = string
}

variable "timeout" {
  description = "Time limit of an invocation, in seconds; stage 3 uses at most 120."
  type        = number
}

variable "memory_size" {
  description = "Memory of each function, in MB; null: the stage's default."
  type        = number
}

variable "role" {
  description = "Path and permissions boundary (null: none) of the functions' roles."
  type        = object({ path = string, permissions_boundary_arn = string })
}

variable "log" {
  description = "Lowest level of log messages to write, and days to keep logs."
  type        = object({ level = string, retention_days = number })
}

variable "packages_bucket" {
  description = "Name of the bucket for packages."
  type        = string
}

variable "packages_dir" {
  description = "Directory of the packages that `make package` built; null: the apply builds the packages."
  type        = string
}

variable "awssdkpandas_layer" {
  description = "ARN of the AWS SDK for pandas managed layer; null: Terraform reads the ARN for release `version` from SSM."
  type        = object({ arn = string, version = string })
}

variable "tables" {
  description = "Bucket, key prefix, database and name of each of the six tables."
  type        = map(object({ bucket = string, prefix = string, database = string, name = string }))
}

variable "notified_buckets" {
  description = "Names of the distinct buckets whose new objects start functions."
  type        = map(string)
}

variable "bucket_notifications" {
  description = "How new objects start functions: `module` uses the buckets' notification configuration; `eventbridge` uses rules on the bus."
  type        = string
}

variable "creates_buckets" {
  description = "Whether the module creates the buckets."
  type        = bool
}

variable "ticker_queues" {
  description = "ARN and URL of each kind's ticker queue."
  type        = map(object({ arn = string, url = string }))
}

variable "ticker_delivery" {
  description = "Ticker queues: visibility timeout, maximum receives, seconds for all tries of a ticker. Triggers: batch size, batch window, concurrent invocations (null: the kind's default)."
  type        = object({ visibility_timeout_seconds = number, max_receive_count = number, patience_seconds = number, batch_size = number, batch_window = number, max_concurrency = number })
}

variable "work_bucket" {
  description = "Name and ARN of the bucket for pages and ledger."
  type        = object({ name = string, arn = string })
}

variable "keep_pages" {
  description = "Whether pages are archived."
  type        = bool
}

variable "workflow_arn" {
  description = "ARN of the workflow; stage 1 starts it for a run from pages."
  type        = string
}

variable "fetch_from" {
  description = "Where the pages come from: `site` or `pages`."
  type        = string
}

variable "dead_letter_queues" {
  description = "ARN and URL of each dead-letter queue, by the name of the queue, function or schedule that it serves."
  type        = map(object({ arn = string, url = string }))
}

variable "assessment" {
  description = "The module's inputs `quality_gate`, `quality_reference_from`, `daily_digest` and `dedup_wait_interval_seconds`."
  type        = object({ quality_gate = string, quality_reference_from = number, daily_digest = bool, look_interval = number })
}

variable "site" {
  description = "Site: address, request headers, concurrent requests per invocation, seconds until a request times out."
  type        = object({ base_url = string, headers = map(string), threads = number, timeout_seconds = number })
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts buckets, queues and log groups; null: none."
  type        = string
}

variable "bucket_kms_key_arns" {
  description = "ARNs of the KMS keys that encrypt the consumer's own buckets."
  type        = list(string)
}

variable "tags" {
  description = "Tags of every resource that takes tags."
  type        = map(string)
}
