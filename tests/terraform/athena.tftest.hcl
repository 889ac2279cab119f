# The module creates a workgroup, views and saved queries. Query results are encrypted.

mock_provider "aws" {
  source          = "./tests/terraform/mocks"
  override_during = plan
}

variables {
  name                 = "lake"
  work_bucket          = { name = "work", arn = "arn:aws:s3:::work" }
  bytes_scanned_cutoff = 10485760
  force_destroy        = true
  kms_key_arn          = null
  bucket_kms_key_arns  = []
  tags                 = { project = "lake" }
  tables = {
    sot_acoes    = { layer = "sot", bucket = "curated", database = "db_sot", name = "acoes", prefix = "acoes/", arn = "arn:aws:glue:sa-east-1:123456789012:table/db_sot/acoes" }
    sot_fiis     = { layer = "sot", bucket = "curated", database = "db_sot", name = "fiis", prefix = "fiis/", arn = "arn:aws:glue:sa-east-1:123456789012:table/db_sot/fiis" }
    spec_ativos  = { layer = "spec", bucket = "served", database = "db-spec", name = "ativos", prefix = "ativos/", arn = "arn:aws:glue:sa-east-1:123456789012:table/db-spec/ativos" }
    spec_quality = { layer = "spec", bucket = "served", database = "db-spec", name = "qualidade", prefix = "qualidade/", arn = "arn:aws:glue:sa-east-1:123456789012:table/db-spec/qualidade" }
  }
  columns = {
    sot_acoes = [
      { name = "nome_papel", type = "string", comment = "Papel" },
      { name = "anomesdia_exec", type = "int", comment = "Dia" },
    ]
    sot_fiis = [
      { name = "fii", type = "string", comment = "Fundo" },
      { name = "anomesdia_exec", type = "int", comment = "Dia" },
    ]
    spec_ativos = [
      { name = "codigo_ticker_ativo", type = "string", comment = "Ativo" },
      { name = "vlr_cot", type = "double", comment = "Cotação" },
      { name = "dt_ult_cot", type = "date", comment = "Sessão" },
      { name = "vol", type = "bigint", comment = "Volume" },
      { name = "datetime_exec", type = "timestamp", comment = "Leitura" },
      { name = "anomesdia_exec", type = "int", comment = "Dia" },
    ]
  }
}

run "workgroup_views_and_queries" {
  command = plan

  module {
    source = "./athena"
  }

  # The workgroup sets the location and encryption of results, and limits the bytes that a query scans.
  assert {
    condition = [
      one(aws_athena_workgroup.this.configuration).enforce_workgroup_configuration,
      one(aws_athena_workgroup.this.configuration).bytes_scanned_cutoff_per_query,
      one(one(aws_athena_workgroup.this.configuration).result_configuration).output_location,
      one(one(one(aws_athena_workgroup.this.configuration).result_configuration).encryption_configuration).encryption_option,
      one(one(aws_athena_workgroup.this.configuration).engine_version).selected_engine_version,
      aws_athena_workgroup.this.name,
      aws_athena_workgroup.this.force_destroy,
    ] == [true, 10485760, "s3://work/athena-results/", "SSE_S3", "Athena engine version 3", "lake", true]
    error_message = "workgroup: ${jsonencode(aws_athena_workgroup.this.configuration)}"
  }

  # Views have the form that Athena gives its own views.
  assert {
    condition = alltrue([for view in aws_glue_catalog_table.view :
      [view.table_type, view.view_expanded_text, view.parameters.presto_view, view.database_name, length(view.partition_keys)] == ["VIRTUAL_VIEW", "/* Presto View */", "true", "db-spec", 0]
    ])
    error_message = "views: ${jsonencode(aws_glue_catalog_table.view)}"
  }
  assert {
    condition     = alltrue([for view in aws_glue_catalog_table.view : view.description == null])
    error_message = "Trino reads a view's description as the comment that marks a view, and finds no view"
  }
  assert {
    condition     = alltrue([for name, view in output.views : length(view.title) > 0 && startswith(local.views[name].sql, "-- ${view.title}\n")])
    error_message = "the first line of a view is not its title"
  }
  assert {
    condition = alltrue([for name in ["vw_acoes_ultimo_dia", "vw_fiis_ultimo_dia", "vw_ativos_ultimo_dia"] :
      strcontains(local.views[name].sql, "$partitions\"")
    ])
    error_message = "a view of the last day reads every day to find it"
  }
  assert {
    condition = alltrue([for view in aws_glue_catalog_table.view :
      [for name, value in jsondecode(base64decode(regex("^/\\* Presto View: (\\S+) \\*/$", view.view_original_text)[0])) : name] == ["catalog", "columns", "originalSql", "schema"]
    ])
    error_message = "a view's definition does not have Athena's format"
  }
  assert {
    condition = jsondecode(base64decode(split(" ", aws_glue_catalog_table.view["vw_ativos_por_sessao"].view_original_text)[3])).columns == [
      { name = "codigo_ticker_ativo", type = "varchar" },
      { name = "vlr_cot", type = "double" },
      { name = "dt_ult_cot", type = "date" },
      { name = "vol", type = "bigint" },
      { name = "datetime_exec", type = "timestamp(3)" },
      { name = "anomesdia_exec", type = "integer" },
    ]
    error_message = "columns: ${jsonencode(jsondecode(base64decode(split(" ", aws_glue_catalog_table.view["vw_ativos_por_sessao"].view_original_text)[3])))}"
  }
  assert {
    condition     = [for column in one(aws_glue_catalog_table.view["vw_ativos_por_sessao"].storage_descriptor).columns : { name = column.name, type = column.type, comment = column.comment }] == [for column in var.columns.spec_ativos : column]
    error_message = "the catalog has other columns"
  }
  assert {
    condition     = strcontains(jsondecode(base64decode(split(" ", aws_glue_catalog_table.view["vw_ativos_negociados"].view_original_text)[3])).originalSql, "FROM \"db-spec\".\"vw_ativos_ultimo_dia\"")
    error_message = "a view reads a view that does not exist"
  }

  # Queries are saved in the workgroup under a title.
  assert {
    condition     = toset(keys(aws_athena_named_query.this)) == toset([for file in fileset("athena/queries", "*.sql") : trimsuffix(file, ".sql")])
    error_message = "queries: ${join(", ", keys(aws_athena_named_query.this))}"
  }
  assert {
    condition     = alltrue([for query in aws_athena_named_query.this : query.workgroup == "lake" && query.database == "db-spec" && startswith(query.query, "-- ${query.description}\n-- ")])
    error_message = "a query has no title or no comment, or is saved elsewhere"
  }
  assert {
    condition     = strcontains(aws_athena_named_query.this["serie-de-um-papel"].description, "não ajustada por desdobramentos")
    error_message = "title: ${aws_athena_named_query.this["serie-de-um-papel"].description}"
  }
}

run "results_are_encrypted_with_the_given_key" {
  command = plan

  module {
    source = "./athena"
  }

  variables {
    kms_key_arn = "arn:aws:kms:sa-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }

  assert {
    condition     = [for one in one(one(aws_athena_workgroup.this.configuration).result_configuration).encryption_configuration : [one.encryption_option, one.kms_key_arn]] == [["SSE_KMS", var.kms_key_arn]]
    error_message = "results: ${jsonencode(aws_athena_workgroup.this.configuration)}"
  }
}
