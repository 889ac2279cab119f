variable "region" {
  description = "Region of the lake."
  type        = string
  default     = "sa-east-1"
}

variable "alarm_email" {
  description = "Address for the notices; its owner must first confirm a mail from AWS."
  type        = string
}
