output "workgroup" {
  description = "Name and ARN of the workgroup."
  value       = { name = aws_athena_workgroup.this.name, arn = aws_athena_workgroup.this.arn }
}

output "named_queries" {
  description = "Map from a named query's name to its id and title."
  value       = { for name, query in aws_athena_named_query.this : name => { id = query.id, title = query.description } }
}

output "views" {
  description = "Map from a view's name to its database, ARN and title."
  value       = { for name, view in aws_glue_catalog_table.view : name => { database = view.database_name, arn = view.arn, title = local.titles[name] } }
}

output "reader_policy_json" {
  description = "JSON policy for people who query the lake. The policy allows queries only in the workgroup."
  value       = data.aws_iam_policy_document.reader.json
}
