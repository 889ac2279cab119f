# The catalog matches the data contract.

mock_provider "aws" {
  source          = "./tests/terraform/mocks"
  override_during = plan
}

variables {
  bucket_names     = { sor = "raw", sot = "curated", spec = "served" }
  database_names   = { sor = "db_sor", sot = "db_sot", spec = "db_spec" }
  key_prefix       = ""
  create_databases = true
  tags             = { project = "lake" }
}

run "tables_match_the_schemas" {
  command = plan

  module {
    source = "./glue"
  }

  assert {
    condition     = toset([for table in aws_glue_catalog_table.this : table.name]) == toset([for file in fileset("glue/schemas", "*.json") : trimsuffix(file, ".json")])
    error_message = "tables: ${join(", ", [for table in aws_glue_catalog_table.this : table.name])}"
  }
  assert {
    condition = alltrue([for table in aws_glue_catalog_table.this :
      [for column in one(table.storage_descriptor).columns : { name = column.name, type = column.type, comment = column.comment }]
      == [for column in jsondecode(file("glue/schemas/${table.name}.json")).columns : { name = column.name, type = column.type, comment = column.comment }]
    ])
    error_message = "a table has other columns than its schema"
  }
  assert {
    condition     = alltrue([for table in aws_glue_catalog_table.this : [for key in table.partition_keys : "${key.name} ${key.type}"] == ["anomesdia_exec int"]])
    error_message = "a table has another partition key"
  }
  assert {
    condition     = { for key, table in aws_glue_catalog_table.this : key => one(table.storage_descriptor).location } == { for key, table in aws_glue_catalog_table.this : key => "s3://${var.bucket_names[split("_", key)[0]]}/${table.name}/" }
    error_message = "a table is somewhere else"
  }
}

run "one_database_can_have_several_layers" {
  command = plan

  module {
    source = "./glue"
  }

  variables {
    database_names = { sor = "lake", sot = "lake", spec = "lake" }
  }

  assert {
    condition     = [for database in aws_glue_catalog_database.this : database.name] == ["lake"]
    error_message = "databases: ${join(", ", [for database in aws_glue_catalog_database.this : database.name])}"
  }
}

run "own_databases_are_not_created_and_keys_have_the_lakes_prefix" {
  command = plan

  module {
    source = "./glue"
  }

  variables {
    create_databases = false
    key_prefix       = "second/"
  }

  assert {
    condition     = length(aws_glue_catalog_database.this) == 0 && aws_glue_catalog_table.this["spec_ativos"].database_name == "db_spec"
    error_message = "the tables are not in the consumer's own databases"
  }

  assert {
    condition     = { for key, table in aws_glue_catalog_table.this : key => one(table.storage_descriptor).location } == { for key, table in output.tables : key => "s3://${var.bucket_names[table.layer]}/second/${table.name}/" }
    error_message = "a table is somewhere else"
  }
  assert {
    condition     = { for key, table in output.tables : key => table.prefix } == { for key, table in output.tables : key => "second/${table.name}/" }
    error_message = "prefixes: ${jsonencode(output.tables)}"
  }
}
