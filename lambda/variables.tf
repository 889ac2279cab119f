variable "name_prefix" {
  description = "What the names of the functions and of the layer start with."
  type        = string
}

variable "python_runtime" {
  description = "Lambda runtime of the functions."
  type        = string
}

variable "timeout" {
  description = "Seconds that an invocation may take; of stage 3, 120 at most."
  type        = number
}

variable "memory_size" {
  description = "Memory of each function, in MB; null: each stage's own."
  type        = number
}

variable "packages_bucket" {
  description = "Name of the bucket that packages are stored in."
  type        = string
}

variable "packages_dir" {
  description = "Directory of packages built beforehand; null: they are built while applying."
  type        = string
}

variable "awssdkpandas_layer_arn" {
  description = "ARN of the AWS SDK for pandas managed layer; null: read from its public SSM parameter."
  type        = string
}

variable "awssdkpandas_layer_version" {
  description = "Release of AWS SDK for pandas whose managed layer is looked up."
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
  description = "Whether the buckets are the module's own."
  type        = bool
}

variable "ticker_queues" {
  description = "ARN and URL of the queue of each kind of asset."
  type        = map(object({ arn = string, url = string }))
}

variable "failure_queue_arns" {
  description = "ARN of the queue, by name of the function, that gets asynchronous invocations that kept failing."
  type        = map(string)
}

variable "visibility_timeout_seconds" {
  description = "Visibility timeout of the ticker queues."
  type        = number
}

variable "batch_size" {
  description = "Tickers that one invocation gets at most."
  type        = number
}

variable "batch_window" {
  description = "Seconds that tickers are gathered for a batch."
  type        = number
}

variable "max_concurrency" {
  description = "Invocations that each queue starts at once at most; null: each kind's own."
  type        = number
}

variable "work_bucket" {
  description = "Name and ARN of the bucket of pages and ledger."
  type        = object({ name = string, arn = string })
}

variable "keep_pages" {
  description = "Whether the pages that are read are kept."
  type        = bool
}

variable "max_receive_count" {
  description = "Times that a ticker is tried before it goes to the dead-letter queue."
  type        = number
}

variable "look_interval" {
  description = "Seconds between two looks at a day that is not settled."
  type        = number
}

variable "workflow_arn" {
  description = "ARN of the workflow, which is started for a day that a collector brought."
  type        = string
}

variable "fetch_from" {
  description = "Where the pages come from: `site` or `pages`."
  type        = string
}

variable "dead_letter_queues" {
  description = "ARN and URL of every dead-letter queue, whose messages the assessment counts."
  type        = list(object({ arn = string, url = string }))
}

variable "quality_gate" {
  description = "What a bad verdict does to the workflow: `fail`, or `record`."
  type        = string
}

variable "quality_reference_from" {
  description = "Day from which on what was measured counts as a reference; null: any."
  type        = number
}

variable "daily_digest" {
  description = "Whether a day without a remark gets a digest, too."
  type        = bool
}

variable "fundamentus_base_url" {
  description = "Where the site's pages are read."
  type        = string
}

variable "fetch_threads" {
  description = "Requests that one invocation has in flight to the site at most."
  type        = number
}

variable "fetch_timeout_seconds" {
  description = "Seconds that one attempt to read a page may take."
  type        = number
}

variable "fetch_headers" {
  description = "Headers of the requests to the site, laid over pynvest's own."
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
  description = "ARNs of the KMS keys that encrypt buckets of the consumer's own."
  type        = list(string)
}

variable "tags" {
  description = "Tags of every resource that takes tags."
  type        = map(string)
}

variable "permissions_boundary_arn" {
  description = "ARN of the policy that bounds what the functions' roles may do; null: none."
  type        = string
}

variable "iam_role_path" {
  description = "Path of the functions' roles."
  type        = string
}

variable "log_level" {
  description = "Least level of what the functions log."
  type        = string
}
