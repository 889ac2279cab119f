locals {
  schemas = { for file in fileset("${path.module}/schemas", "*.json") :
    trimsuffix(file, ".json") => jsondecode(file("${path.module}/schemas/${file}"))
  }

  tables = {
    sor_acoes    = { layer = "sor", kind = "acoes", schema = local.schemas["tbsor_fundamentus_indicadores_acoes_raw"] }
    sor_fiis     = { layer = "sor", kind = "fiis", schema = local.schemas["tbsor_fundamentus_indicadores_fiis_raw"] }
    sot_acoes    = { layer = "sot", kind = "acoes", schema = local.schemas["tbsot_fundamentus_indicadores_acoes_prep"] }
    sot_fiis     = { layer = "sot", kind = "fiis", schema = local.schemas["tbsot_fundamentus_indicadores_fiis_prep"] }
    spec_ativos  = { layer = "spec", kind = null, schema = local.schemas["tbspec_fundamentus_cotacao_ativos"] }
    spec_quality = { layer = "spec", kind = null, schema = local.schemas["tbspec_pynvest_qualidade"] }
  }

  partition_key = { name = "anomesdia_exec", type = "int", comment = "Dia da execução, como número no formato AAAAMMDD" }

  # Layers with equal database names share one database. Its key in for_each is the first of these layers.
  layers      = ["sor", "sot", "spec"]
  database_of = { for layer in local.layers : layer => [for other in local.layers : other if var.database_names[other] == var.database_names[layer]][0] }
}

resource "aws_glue_catalog_database" "this" {
  for_each = var.create_databases ? toset(values(local.database_of)) : []

  name        = var.database_names[each.key]
  description = "Data lake de fundamentos de ativos da B3"
  tags        = var.tags
}

resource "aws_glue_catalog_table" "this" {
  for_each = local.tables

  name          = each.value.schema.table
  database_name = var.create_databases ? aws_glue_catalog_database.this[local.database_of[each.value.layer]].name : var.database_names[each.value.layer]
  description   = each.value.schema.comment
  table_type    = "EXTERNAL_TABLE"
  parameters    = { EXTERNAL = "TRUE", classification = "parquet", "parquet.compression" = "SNAPPY" }

  partition_keys {
    name    = local.partition_key.name
    type    = local.partition_key.type
    comment = local.partition_key.comment
  }

  storage_descriptor {
    location      = "s3://${var.bucket_names[each.value.layer]}/${var.key_prefix}${each.value.schema.table}/"
    input_format  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"

    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
      parameters            = { "serialization.format" = "1" }
    }

    dynamic "columns" {
      for_each = each.value.schema.columns

      content {
        name    = columns.value.name
        type    = columns.value.type
        comment = columns.value.comment
      }
    }
  }
}
