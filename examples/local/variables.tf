variable "name_prefix" {
  description = "Prefix of all resource names."
  type        = string
  default     = "pynvest"
}

variable "fundamentus_base_url" {
  description = "Address of the site: the sample site or the real site."
  type        = string
}

variable "awssdkpandas_layer_arn" {
  description = "Placeholder for the ARN of the managed layer. The emulator's functions use the emulator's own site-packages."
  type        = string
  default     = "arn:aws:lambda:sa-east-1:336392948345:layer:AWSSDKPandas-Python313:1"
}

variable "schedules_enabled" {
  description = "Whether the schedules are enabled in the emulator."
  type        = bool
  default     = false
}

# The emulator has no batch window.
variable "batch_size" {
  description = "Maximum number of tickers per invocation."
  type        = number
  default     = 10
}

variable "batch_window" {
  description = "Longest wait for a full batch, in seconds."
  type        = number
  default     = 0
}

variable "max_concurrency" {
  description = "Maximum number of concurrent invocations per queue."
  type        = number
  default     = 2
}

variable "visibility_timeout_seconds" {
  description = "Visibility timeout of received tickers, in seconds."
  type        = number
  default     = 60
}

variable "max_receive_count" {
  description = "Number of tries of a ticker before it goes to the dead-letter queue."
  type        = number
  default     = 3
}

variable "functions_timeout" {
  description = "Time limit of an invocation, in seconds."
  type        = number
  default     = 60
}

variable "fetch_threads" {
  description = "Maximum number of concurrent requests to the site per invocation."
  type        = number
  default     = 2
}

variable "fetch_timeout_seconds" {
  description = "Time limit of one attempt to fetch a page, in seconds."
  type        = number
  default     = 20
}

variable "dedup_wait_interval_seconds" {
  description = "Seconds between two checks of the day status."
  type        = number
  default     = 2
}

variable "dedup_round_minutes" {
  description = "Minutes that the dedup workflow waits before each round."
  type        = list(number)
  default     = []
}

variable "fetch_from" {
  description = "Where the pages come from: `site` or `pages`."
  type        = string
  default     = "site"
}

variable "alarm_email" {
  description = "Address for the notices; null: none. The emulator sends no mail."
  type        = string
  default     = null
}
