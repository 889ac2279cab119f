variable "region" {
  description = "Region that the lake lives in."
  type        = string
  default     = "sa-east-1"
}

variable "alarm_email" {
  description = "Address for the notices; it has to confirm a mail from AWS first."
  type        = string
}
