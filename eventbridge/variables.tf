variable "schedules" {
  description = "For each schedule: name, expression, target, the target's input (JSON), the IAM action that starts the target, whether the schedule is enabled."
  type        = map(object({ name = string, expression = string, target_arn = string, action = string, input = string, enabled = bool }))
}

variable "dead_letter_queue_arns" {
  description = "Map from a schedule's name to the ARN of its dead-letter queue."
  type        = map(string)
}

variable "timezone" {
  description = "Time zone of the expressions."
  type        = string
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts the dead-letter queues; null: none."
  type        = string
}

variable "tags" {
  description = "Tags of the roles."
  type        = map(string)
}

variable "role" {
  description = "Path and permissions boundary (null: none) of the roles."
  type        = object({ path = string, permissions_boundary_arn = string })
}
