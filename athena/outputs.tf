output "workgroup" {
  description = "Name and ARN of the workgroup."
  value       = { name = aws_athena_workgroup.this.name, arn = aws_athena_workgroup.this.arn }
}

output "named_queries" {
  description = "Id and title of each named query, by its name."
  value       = { for name, query in aws_athena_named_query.this : name => { id = query.id, title = query.description } }
}

output "views" {
  description = "Database, ARN and title of each view, by its name."
  value       = { for name, view in aws_glue_catalog_table.view : name => { database = view.database_name, arn = view.arn, title = local.titles[name] } }
}

output "reader_policy_json" {
  description = "Policy of a reader: it allows only queries through the workgroup."
  value       = data.aws_iam_policy_document.reader.json
}
