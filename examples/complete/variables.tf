variable "region" {
  description = "Region that the lake lives in."
  type        = string
  default     = "sa-east-1"
}

variable "alarm_email" {
  description = "Who is told of each day; AWS sends a mail to confirm it first."
  type        = string
}
