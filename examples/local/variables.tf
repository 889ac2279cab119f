variable "name_prefix" {
  description = "What the names of all resources start with."
  type        = string
  default     = "pynvest"
}

variable "fundamentus_base_url" {
  description = "Where the pages are read: the sample site, or the real one."
  type        = string
}

variable "awssdkpandas_layer_arn" {
  description = "Stands for the managed layer: the emulator has no SSM parameter of it, and functions see its own site-packages."
  type        = string
  default     = "arn:aws:lambda:sa-east-1:336392948345:layer:AWSSDKPandas-Python313:1"
}

variable "schedules_enabled" {
  description = "Whether the emulator's scheduler starts runs by itself."
  type        = bool
  default     = false
}

# The emulator knows no batch window.
variable "batch_size" {
  description = "Tickers that one invocation gets at most."
  type        = number
  default     = 10
}

variable "batch_window" {
  description = "Seconds that tickers are gathered for a batch."
  type        = number
  default     = 0
}

variable "max_concurrency" {
  description = "Invocations that each queue starts at once at most."
  type        = number
  default     = 2
}

variable "visibility_timeout_seconds" {
  description = "Seconds that a received ticker stays hidden before it is tried again."
  type        = number
  default     = 60
}

variable "max_receive_count" {
  description = "Times that a ticker is tried before it goes to the dead-letter queue."
  type        = number
  default     = 3
}

variable "functions_timeout" {
  description = "Seconds that an invocation may take."
  type        = number
  default     = 60
}

variable "fetch_threads" {
  description = "Requests that one invocation has in flight to the site at most."
  type        = number
  default     = 2
}

variable "fetch_timeout_seconds" {
  description = "Seconds that one attempt to read a page may take."
  type        = number
  default     = 20
}

variable "dedup_wait_interval_seconds" {
  description = "Seconds between two looks of the dedup workflow at a day that is not settled."
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
