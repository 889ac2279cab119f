locals {
  # All views are in one database; the tables that they read can be in other databases.
  views_database = var.tables.spec_ativos.database
  view_columns = {
    vw_acoes_ultimo_dia  = var.columns.sot_acoes
    vw_fiis_ultimo_dia   = var.columns.sot_fiis
    vw_ativos_ultimo_dia = var.columns.spec_ativos
    vw_ativos_por_sessao = var.columns.spec_ativos
    vw_ativos_negociados = var.columns.spec_ativos
    vw_possiveis_desdobramentos = [
      { name = "codigo_ticker_ativo", type = "string", comment = "Código do ativo na bolsa" },
      { name = "tipo_ativo", type = "string", comment = "Ação ou Fundo Imobiliário" },
      { name = "nome_ativo", type = "string", comment = "Nome da empresa ou do fundo" },
      { name = "sessao_anterior", type = "date", comment = "Data da última cotação do ativo antes desta" },
      { name = "dt_ult_cot", type = "date", comment = "Data da cotação em que a mudança aparece" },
      { name = "fator", type = "double", comment = "Quantidade de ações ou cotas dividida pela anterior: 2 é um desdobramento de 1 para 2; 0.1 é um grupamento de 10 para 1" },
      { name = "quantidade_anterior", type = "bigint", comment = "Quantidade de ações ou cotas no pregão anterior" },
      { name = "quantidade", type = "bigint", comment = "Quantidade de ações ou cotas" },
      { name = "vlr_cot_anterior", type = "double", comment = "Cotação no pregão anterior, em reais, sem ajuste" },
      { name = "vlr_cot", type = "double", comment = "Cotação, em reais, sem ajuste" },
      { name = "anomesdia_exec", type = "int", comment = "Dia da execução que leu a mudança, como número no formato AAAAMMDD" },
    ]
  }

  # Variables of the SQL templates: each table, the list of its partitions, and each view.
  relations = merge(
    { for key, table in var.tables : key => "\"${table.database}\".\"${table.name}\"" },
    { for key, table in var.tables : "${key}_partitions" => "\"${table.database}\".\"${table.name}$partitions\"" },
    { for view in keys(local.view_columns) : view => "\"${local.views_database}\".\"${view}\"" },
  )

  views = { for name, columns in local.view_columns : name => {
    columns = columns
    sql     = trimspace(templatefile("${path.module}/views/${name}.sql", merge(local.relations, { columns = join(", ", columns[*].name) })))
  } }

  queries = { for file in fileset("${path.module}/queries", "*.sql") :
    trimsuffix(file, ".sql") => trimspace(templatefile("${path.module}/queries/${file}", local.relations))
  }

  # The first line of each view and query is a comment: its title.
  titles = { for name, sql in merge({ for name, view in local.views : name => view.sql }, local.queries) : name => regex("^-- (.+)", sql)[0] }

  # Athena's names for the Glue types.
  trino_types = { string = "varchar", double = "double", bigint = "bigint", int = "integer", date = "date", timestamp = "timestamp(3)" }
}

resource "aws_athena_workgroup" "this" {
  # checkov:skip=CKV_AWS_159:Encrypted with SSE-S3, or with the consumer's key if there is one
  name          = var.name
  description   = "Data lake de fundamentos de ativos da B3"
  force_destroy = var.force_destroy
  tags          = var.tags

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.bytes_scanned_cutoff

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      output_location = "s3://${var.work_bucket.name}/athena-results/"

      encryption_configuration {
        encryption_option = var.kms_key_arn == null ? "SSE_S3" : "SSE_KMS"
        kms_key_arn       = var.kms_key_arn
      }
    }
  }
}

resource "aws_athena_named_query" "this" {
  for_each = local.queries

  name        = each.key
  description = local.titles[each.key]
  workgroup   = aws_athena_workgroup.this.name
  database    = local.views_database
  query       = each.value
}

# Athena writes the same entry when it creates a view.
# Set no description: Trino would use it in place of the parameter `comment`, which must be "Presto View".
resource "aws_glue_catalog_table" "view" {
  for_each = local.views

  name          = each.key
  database_name = local.views_database
  table_type    = "VIRTUAL_VIEW"
  parameters    = { presto_view = "true", comment = "Presto View" }

  view_expanded_text = "/* Presto View */"
  view_original_text = "/* Presto View: ${base64encode(jsonencode({
    originalSql = each.value.sql
    catalog     = "awsdatacatalog"
    schema      = local.views_database
    columns     = [for column in each.value.columns : { name = column.name, type = local.trino_types[column.type] }]
  }))} */"

  storage_descriptor {
    # Athena refuses a view without this block; the content does not matter.
    ser_de_info {
      name                  = "-"
      serialization_library = "-"
    }

    dynamic "columns" {
      for_each = each.value.columns

      content {
        name    = columns.value.name
        type    = columns.value.type
        comment = columns.value.comment
      }
    }
  }
}
