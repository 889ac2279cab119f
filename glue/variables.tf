variable "bucket_names" {
  description = "Name of the bucket of each layer (`sor`, `sot`, `spec`)."
  type        = map(string)
}

variable "key_prefix" {
  description = "What the keys of all objects start with: empty, or `<name>/` of a lake that shares its buckets."
  type        = string
}

variable "database_names" {
  description = "Name of the database of each layer (`sor`, `sot`, `spec`); one name may stand for several layers."
  type        = map(string)
}

variable "create_databases" {
  description = "Whether the databases are created; if not, they have to exist."
  type        = bool
}

variable "tags" {
  description = "Tags of the databases."
  type        = map(string)
}
