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

variable "packages_bucket" {
  description = "Name of the bucket that packages are stored in."
  type        = string
}

variable "packages_dir" {
  description = "Directory of packages built beforehand; null: the apply builds them."
  type        = string
}

variable "awssdkpandas_layer_arn" {
  description = "ARN of the AWS SDK for pandas managed layer; null: read from its public SSM parameter."
  type        = string
}

variable "awssdkpandas_layer_version" {
  description = "Release of AWS SDK for pandas, to look up its managed layer."
  type        = string
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
  description = "How new objects start functions: `module`, by the notifications of the buckets, or `eventbridge`, by rules on the bus."
  type        = string
}

variable "creates_buckets" {
  description = "Whether the module creates the buckets."
  type        = bool
}

variable "ticker_queues" {
  description = "ARN and URL of the queue of each kind of asset."
  type        = map(object({ arn = string, url = string }))
}

variable "failure_queue_arns" {
  description = "ARN of the queue of failed asynchronous invocations, by name of the function."
  type        = map(string)
}

variable "visibility_timeout_seconds" {
  description = "Visibility timeout of the ticker queues."
  type        = number
}

variable "batch_size" {
  description = "Maximum number of tickers per invocation."
  type        = number
}

variable "batch_window" {
  description = "Seconds to collect tickers for a batch."
  type        = number
}

variable "max_concurrency" {
  description = "Maximum number of concurrent invocations per queue; null: the kind's default."
  type        = number
}

variable "work_bucket" {
  description = "Name and ARN of the bucket of pages and ledger."
  type        = object({ name = string, arn = string })
}

variable "keep_pages" {
  description = "Whether pages are archived."
  type        = bool
}

variable "max_receive_count" {
  description = "Number of tries of a ticker before it goes to the dead-letter queue."
  type        = number
}

variable "look_interval" {
  description = "Seconds between two looks at an unsettled day."
  type        = number
}

variable "workflow_arn" {
  description = "ARN of the workflow, to start it for a day that a collector brought."
  type        = string
}

variable "fetch_from" {
  description = "Where the pages come from: `site` or `pages`."
  type        = string
}

variable "dead_letter_queues" {
  description = "ARN and URL of every dead-letter queue; the assessment counts their messages."
  type        = list(object({ arn = string, url = string }))
}

variable "quality_gate" {
  description = "What a bad verdict does to the workflow: `fail`, or `record`."
  type        = string
}

variable "quality_reference_from" {
  description = "First day whose measurements serve as references; null: any day."
  type        = number
}

variable "daily_digest" {
  description = "Whether a day without remarks also gets a digest."
  type        = bool
}

variable "fundamentus_base_url" {
  description = "Address of the site."
  type        = string
}

variable "fetch_threads" {
  description = "Maximum number of concurrent requests to the site per invocation."
  type        = number
}

variable "fetch_timeout_seconds" {
  description = "Time limit of one attempt to fetch a page, in seconds."
  type        = number
}

variable "fetch_headers" {
  description = "Headers of the requests to the site; they override pynvest's headers."
  type        = map(string)
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
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

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the functions' roles; null: none."
  type        = string
}

variable "iam_role_path" {
  description = "Path of the functions' roles."
  type        = string
}

variable "log_level" {
  description = "Lowest level of log messages to write."
  type        = string
}
