variable "name" {
  description = "Name of the workflow and of its role."
  type        = string
}

variable "dedup_function_arns" {
  description = "ARNs of the functions that dedup the SoT tables (`acoes`, `fiis`) and the Spec table (`spec`)."
  type        = object({ acoes = string, fiis = string, spec = string })
}

variable "assess_function_arn" {
  description = "ARN of the function that checks the day status and assesses the day."
  type        = string
}

variable "get_tickers_function_arn" {
  description = "ARN of stage 2's function, which queues missing tickers again."
  type        = string
}

variable "notices" {
  description = "ARN of the topic for notices, and of the KMS key with which the module encrypts the topic (null: none). Null: no notices."
  type        = object({ topic_arn = string, kms_key_arn = string })
}

variable "log_retention_days" {
  description = "Days to keep the workflow's logs."
  type        = number
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts the logs; null: the default of CloudWatch Logs."
  type        = string
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
}

variable "role" {
  description = "Path and permissions boundary (null: none) of the role."
  type        = object({ path = string, permissions_boundary_arn = string })
}
