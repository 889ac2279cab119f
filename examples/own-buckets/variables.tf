variable "region" {
  description = "Region that the lake lives in."
  type        = string
  default     = "sa-east-1"
}
