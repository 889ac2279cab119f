variable "bucket_names" {
  description = "Name of the bucket of each layer (`sor`, `sot`, `spec`)."
  type        = map(string)
}

variable "key_prefix" {
  description = "Prefix of all object keys: empty, or `<name>/` if lakes share buckets."
  type        = string
}

variable "database_names" {
  description = "Name of the database of each layer (`sor`, `sot`, `spec`); layers may share a name."
  type        = map(string)
}

variable "create_databases" {
  description = "Whether the databases are created; if not, they must exist."
  type        = bool
}

variable "tags" {
  description = "Tags of the databases."
  type        = map(string)
}
