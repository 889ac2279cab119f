variable "name" {
  description = "Name of the workflow and of its role."
  type        = string
}

variable "dedup_function_arns" {
  description = "ARN of the function that dedups each table: `acoes` and `fiis` (SoT), `spec`."
  type        = object({ acoes = string, fiis = string, spec = string })
}

variable "wait_interval_seconds" {
  description = "Seconds between two looks at a day that is not complete."
  type        = number
}

variable "wait_max_attempts" {
  description = "Looks at a day that is not complete before the workflow fails."
  type        = number
}

variable "log_retention_days" {
  description = "Days that the workflow's logs are kept."
  type        = number
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts the logs; null: the logs' own encryption."
  type        = string
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
}
