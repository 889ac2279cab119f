variable "region" {
  description = "Region of the lake."
  type        = string
  default     = "sa-east-1"
}
