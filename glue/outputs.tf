output "databases" {
  description = "Name and ARN of the database of each layer."
  value = { for layer in local.layers : layer => {
    name = var.create_databases ? aws_glue_catalog_database.this[local.database_of[layer]].name : var.database_names[layer]
    arn  = "${split(":table/", values(aws_glue_catalog_table.this)[0].arn)[0]}:database/${var.database_names[layer]}"
  } }
}

output "tables" {
  description = "For each of the six tables: layer, kind of asset (null: both kinds), bucket, key prefix, database, name and ARN."
  value = { for key, table in local.tables : key => {
    layer    = table.layer
    kind     = table.kind
    bucket   = var.bucket_names[table.layer]
    prefix   = "${var.key_prefix}${table.schema.table}/"
    database = aws_glue_catalog_table.this[key].database_name
    name     = aws_glue_catalog_table.this[key].name
    arn      = aws_glue_catalog_table.this[key].arn
  } }
}

output "columns" {
  description = "Columns of each table, with name, Glue type and comment; the partition key is the last column."
  value = { for key, table in local.tables : key => [for column in concat(table.schema.columns, [local.partition_key]) :
    { name = column.name, type = column.type, comment = column.comment }
  ] }
}
