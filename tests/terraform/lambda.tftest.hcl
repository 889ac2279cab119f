# The environment, trigger and package of each function.

mock_provider "aws" {
  source          = "./tests/terraform/mocks"
  override_during = plan
}

variables {
  name_prefix     = "pynvest"
  python_runtime  = "python3.13"
  timeout         = 300
  memory_size     = 512
  packages_bucket = "packages"
  packages_dir    = null
  tables = {
    sor_acoes    = { bucket = "raw", database = "db_sor", name = "sor_stocks", prefix = "sor_stocks/" }
    sor_fiis     = { bucket = "raw", database = "db_sor", name = "sor_funds", prefix = "sor_funds/" }
    sot_acoes    = { bucket = "curated", database = "db_sot", name = "sot_stocks", prefix = "sot_stocks/" }
    sot_fiis     = { bucket = "curated", database = "db_sot", name = "sot_funds", prefix = "sot_funds/" }
    spec_ativos  = { bucket = "served", database = "db_spec", name = "spec_all", prefix = "spec_all/" }
    spec_quality = { bucket = "served", database = "db_spec", name = "spec_quality", prefix = "spec_quality/" }
  }
  notified_buckets = { sor = "raw", sot = "curated" }
  ticker_queues = {
    acoes = { arn = "arn:aws:sqs:sa-east-1:123456789012:stocks", url = "https://queue/stocks" }
    fiis  = { arn = "arn:aws:sqs:sa-east-1:123456789012:funds", url = "https://queue/funds" }
  }
  dead_letter_queues = {
    pynvest-lambda-check-and-delete-partitions   = { arn = "arn:aws:sqs:sa-east-1:123456789012:failed-1", url = "https://queue/failed-1" }
    pynvest-lambda-get-tickers                   = { arn = "arn:aws:sqs:sa-east-1:123456789012:failed-2", url = "https://queue/failed-2" }
    pynvest-lambda-prep-financial-data-for-acoes = { arn = "arn:aws:sqs:sa-east-1:123456789012:failed-4a", url = "https://queue/failed-4a" }
    pynvest-lambda-prep-financial-data-for-fiis  = { arn = "arn:aws:sqs:sa-east-1:123456789012:failed-4b", url = "https://queue/failed-4b" }
    pynvest-lambda-specialize-financial-data     = { arn = "arn:aws:sqs:sa-east-1:123456789012:failed-5", url = "https://queue/failed-5" }
    pynvest-tickers-acoes-queue                  = { arn = "arn:aws:sqs:sa-east-1:123456789012:dead", url = "https://queue/dead" }
  }
  work_bucket          = { name = "work", arn = "arn:aws:s3:::work" }
  keep_pages           = true
  workflow_arn         = "arn:aws:states:sa-east-1:123456789012:stateMachine:dedup"
  fetch_from           = "site"
  bucket_notifications = "module"
  creates_buckets      = false
  kms_key_arn          = null
  bucket_kms_key_arns  = []
  tags                 = { project = "lake" }
  role                 = { path = "/", permissions_boundary_arn = null }
  log                  = { level = "INFO", retention_days = 30 }
  awssdkpandas_layer   = { arn = null, version = "3.16.1" }
  ticker_delivery      = { visibility_timeout_seconds = 900, max_receive_count = 3, patience_seconds = 2800, batch_size = 50, batch_window = 5, max_concurrency = 2 }
  assessment           = { quality_gate = "fail", quality_reference_from = null, daily_digest = true, look_interval = 30 }
  site                 = { base_url = "https://site", headers = { Accept = "text/html" }, threads = 2, timeout_seconds = 20 }
}

run "functions_roles_triggers_and_packages" {
  command = plan

  module {
    source = "./lambda"
  }

  # Each function's environment names the function's tables.
  assert {
    condition = { for name, function in aws_lambda_function.this : name => {
      for variable, value in one(function.environment).variables : variable => [for given in flatten([jsondecode(value)]) :
        one([for key, table in var.tables : key if given == { bucket = table.bucket, database = table.database, table = table.name }])
      ] if can(regex("TABLES?$", variable))
      } } == {
      check-and-delete-partitions          = { LAKE_TABLES = ["spec_quality", "spec_ativos", "sot_fiis", "sot_acoes", "sor_fiis", "sor_acoes"] }
      get-tickers                          = { LAKE_TABLES = ["spec_quality", "spec_ativos", "sot_fiis", "sot_acoes", "sor_fiis", "sor_acoes"] }
      get-financial-data-for-acoes         = { TARGET_TABLE = ["sor_acoes"] }
      get-financial-data-for-fiis          = { TARGET_TABLE = ["sor_fiis"] }
      prep-financial-data-for-acoes        = { SOURCE_TABLES = ["sor_acoes"], TARGET_TABLE = ["sot_acoes"] }
      prep-financial-data-for-fiis         = { SOURCE_TABLES = ["sor_fiis"], TARGET_TABLE = ["sot_fiis"] }
      specialize-financial-data            = { SOURCE_TABLES = ["sot_acoes", "sot_fiis"], TARGET_TABLE = ["spec_ativos"] }
      dedup-financial-data-for-acoes       = { SOURCE_TABLES = ["sor_acoes"], TABLE = ["sot_acoes"], DOWNSTREAM_TABLES = ["spec_ativos"] }
      dedup-financial-data-for-fiis        = { SOURCE_TABLES = ["sor_fiis"], TABLE = ["sot_fiis"], DOWNSTREAM_TABLES = ["spec_ativos"] }
      dedup-financial-data-for-spec-ativos = { SOURCE_TABLES = ["sot_acoes", "sot_fiis"], TABLE = ["spec_ativos"], DOWNSTREAM_TABLES = [] }
      assess-day                           = { LAKE_TABLES = ["spec_quality", "spec_ativos", "sot_fiis", "sot_acoes", "sor_fiis", "sor_acoes"] }
    }
    error_message = "a function has other tables"
  }

  # Settings in the environments of the functions.
  assert {
    condition = { for name, function in aws_lambda_function.this : name => {
      for variable, value in one(function.environment).variables : variable => try(jsondecode(value), value) if !can(regex("^POWERTOOLS_|TABLES?$", variable))
      } } == merge(
      { for kind in ["acoes", "fiis"] : "get-financial-data-for-${kind}" => {
        TICKER_KIND                    = kind
        FUNDAMENTUS_BASE_URL           = "https://site"
        FETCH_HEADERS                  = { Accept = "text/html" }
        FETCH_THREADS                  = 2
        FETCH_TIMEOUT_SECONDS          = 20
        SQS_VISIBILITY_TIMEOUT_SECONDS = 900
        SQS_MAX_RECEIVE_COUNT          = 3
        WORK_BUCKET                    = "work"
        KEEP_PAGES                     = true
      } },
      { for kind in ["acoes", "fiis"] : "prep-financial-data-for-${kind}" => { TICKER_KIND = kind } },
      { for name in ["specialize-financial-data", "dedup-financial-data-for-acoes", "dedup-financial-data-for-fiis", "dedup-financial-data-for-spec-ativos"] : name => {} },
      {
        check-and-delete-partitions = {
          WORK_BUCKET               = "work"
          GET_TICKERS_FUNCTION_NAME = "pynvest-lambda-get-tickers"
          WORKFLOW_ARN              = "arn:aws:states:sa-east-1:123456789012:stateMachine:dedup"
          FETCH_FROM                = "site"
        }
        get-tickers = {
          FUNDAMENTUS_BASE_URL   = "https://site"
          FETCH_HEADERS          = { Accept = "text/html" }
          TICKERS_QUEUE_URLS     = { acoes = "https://queue/stocks", fiis = "https://queue/funds" }
          WORK_BUCKET            = "work"
          KEEP_PAGES             = true
          FETCH_FROM             = "site"
          QUEUE_PATIENCE_SECONDS = 2800
        }
        assess-day = {
          WORK_BUCKET            = "work"
          TICKERS_QUEUE_URLS     = { acoes = "https://queue/stocks", fiis = "https://queue/funds" }
          QUEUE_PATIENCE_SECONDS = 2800
          LOOK_INTERVAL_SECONDS  = 30
          WORKFLOW_ARN           = "arn:aws:states:sa-east-1:123456789012:stateMachine:dedup"
          FETCH_FROM             = "site"
          DEAD_LETTER_QUEUE_URLS = [for queue in values(var.dead_letter_queues) : queue.url]
          DAILY_DIGEST           = true
          NAME_PREFIX            = "pynvest"
          QUALITY_GATE           = "fail"
          QUALITY_REFERENCE_FROM = 10000101
        }
      },
    )
    error_message = "a function has another environment"
  }
  assert {
    condition     = alltrue([for function in aws_lambda_function.this : one(function.environment).variables["POWERTOOLS_SERVICE_NAME"] == function.function_name])
    error_message = "a function's log group has another name"
  }

  # The functions use seven packages.
  assert {
    condition     = alltrue([for function in aws_lambda_function.this : startswith(function.s3_key, "${split(".", function.handler)[0]}/")])
    error_message = "a function's handler is not in its package"
  }
  assert {
    condition     = length(distinct([for function in aws_lambda_function.this : function.s3_key])) == 7
    error_message = "not seven packages"
  }
  assert {
    condition     = alltrue([for function in aws_lambda_function.this : function.layers == tolist([aws_lambda_layer_version.this.arn, "arn:aws:lambda:sa-east-1:336392948345:layer:AWSSDKPandas-Python313:1"])])
    error_message = "a function lacks a layer"
  }
  assert {
    condition     = data.aws_ssm_parameter.awssdkpandas_layer_arn[0].name == "/aws/service/aws-sdk-pandas/3.16.1/py3.13/x86_64/layer-arn"
    error_message = "the managed layer's SSM parameter is ${data.aws_ssm_parameter.awssdkpandas_layer_arn[0].name}"
  }
  assert {
    condition     = alltrue([for function in aws_lambda_function.this : one(function.logging_config).log_group == "/aws/lambda/${function.function_name}"])
    error_message = "a function does not log to the group that was created for it"
  }

  # All functions have the given memory size.
  assert {
    condition     = toset([for function in aws_lambda_function.this : function.memory_size]) == toset([512])
    error_message = jsonencode({ for name, function in aws_lambda_function.this : name => function.memory_size })
  }

  # Stage 3 has a timeout of 120 seconds. All other functions have the given timeout.
  assert {
    condition     = { for name, function in aws_lambda_function.this : name => function.timeout if function.timeout != 300 } == { get-financial-data-for-acoes = 120, get-financial-data-for-fiis = 120 }
    error_message = "time limits: ${jsonencode({ for name, function in aws_lambda_function.this : name => function.timeout })}"
  }

  # A new part (`*.part.parquet`) starts the next stage. Other objects start nothing.
  assert {
    condition = { for bucket in aws_s3_bucket_notification.this : bucket.bucket => {
      for trigger in bucket.lambda_function : trigger.id => [trigger.filter_prefix, trigger.filter_suffix, join(",", trigger.events)]
      } } == {
      raw = {
        sor-acoes = ["sor_stocks/", ".part.parquet", "s3:ObjectCreated:*"]
        sor-fiis  = ["sor_funds/", ".part.parquet", "s3:ObjectCreated:*"]
      }
      curated = {
        sot-acoes = ["sot_stocks/", ".part.parquet", "s3:ObjectCreated:*"]
        sot-fiis  = ["sot_funds/", ".part.parquet", "s3:ObjectCreated:*"]
      }
    }
    error_message = "notifications: ${jsonencode(aws_s3_bucket_notification.this)}"
  }
  assert {
    condition = { for table, permission in aws_lambda_permission.bucket : table => [permission.function_name, permission.source_arn, permission.source_account] } == {
      sor_acoes = ["pynvest-lambda-prep-financial-data-for-acoes", "arn:aws:s3:::raw", "123456789012"]
      sor_fiis  = ["pynvest-lambda-prep-financial-data-for-fiis", "arn:aws:s3:::raw", "123456789012"]
      sot_acoes = ["pynvest-lambda-specialize-financial-data", "arn:aws:s3:::curated", "123456789012"]
      sot_fiis  = ["pynvest-lambda-specialize-financial-data", "arn:aws:s3:::curated", "123456789012"]
    }
    error_message = "permissions: ${jsonencode(aws_lambda_permission.bucket)}"
  }

  # A collector's manifest starts the day. Pages do not start it.
  assert {
    condition     = [for trigger in aws_s3_bucket_notification.manifests.lambda_function : [trigger.filter_prefix, trigger.filter_suffix]] == [["pages/", ".manifest.json"]] && aws_s3_bucket_notification.manifests.bucket == "work"
    error_message = "notification: ${jsonencode(aws_s3_bucket_notification.manifests)}"
  }
  assert {
    condition     = [aws_lambda_permission.manifests.function_name, aws_lambda_permission.manifests.source_arn, aws_lambda_permission.manifests.source_account] == ["pynvest-lambda-check-and-delete-partitions", "arn:aws:s3:::work", "123456789012"]
    error_message = "permission: ${jsonencode(aws_lambda_permission.manifests)}"
  }

  # Stage 1 can start stage 2 and the workflow. The assessment can list the workflow's executions.
  assert {
    condition = { for function in ["check-and-delete-partitions", "assess-day"] : function => flatten([
      for statement in data.aws_iam_policy_document.this[function].statement : [for action in sort(statement.actions) : "${action} ${one(statement.resources)}" if can(regex("^(states|lambda):", action))]
      ]) } == {
      check-and-delete-partitions = [
        "states:StartExecution arn:aws:states:sa-east-1:123456789012:stateMachine:dedup",
        "lambda:InvokeFunction arn:aws:lambda:sa-east-1:123456789012:function:pynvest-lambda-get-tickers",
      ]
      assess-day = [
        "states:ListExecutions arn:aws:states:sa-east-1:123456789012:stateMachine:dedup",
        "states:DescribeExecution arn:aws:states:sa-east-1:123456789012:execution:dedup:*",
      ]
    }
    error_message = "stage 1 or the assessment may start or read another resource"
  }

  # Stage 3 receives messages in batches.
  assert {
    condition = { for function, mapping in aws_lambda_event_source_mapping.this : function => [
      mapping.event_source_arn, mapping.batch_size, mapping.maximum_batching_window_in_seconds,
      one(mapping.scaling_config).maximum_concurrency, one(mapping.function_response_types),
      ] } == {
      get-financial-data-for-acoes = ["arn:aws:sqs:sa-east-1:123456789012:stocks", 50, 5, 2, "ReportBatchItemFailures"]
      get-financial-data-for-fiis  = ["arn:aws:sqs:sa-east-1:123456789012:funds", 50, 5, 2, "ReportBatchItemFailures"]
    }
    error_message = "mappings: ${jsonencode(aws_lambda_event_source_mapping.this)}"
  }

  # Each asynchronous function has a failure queue.
  assert {
    condition = { for function, config in aws_lambda_function_event_invoke_config.this : function => one(one(config.destination_config).on_failure).destination } == {
      check-and-delete-partitions   = "arn:aws:sqs:sa-east-1:123456789012:failed-1"
      get-tickers                   = "arn:aws:sqs:sa-east-1:123456789012:failed-2"
      prep-financial-data-for-acoes = "arn:aws:sqs:sa-east-1:123456789012:failed-4a"
      prep-financial-data-for-fiis  = "arn:aws:sqs:sa-east-1:123456789012:failed-4b"
      specialize-financial-data     = "arn:aws:sqs:sa-east-1:123456789012:failed-5"
    }
    error_message = "destinations: ${jsonencode(aws_lambda_function_event_invoke_config.this)}"
  }

  # No policy grants wildcard actions or the resource "*".
  assert {
    condition = alltrue(flatten([for policy in data.aws_iam_policy_document.this : [for statement in policy.statement : [
      length(setintersection(statement.resources, ["*"])) == 0,
      [for action in statement.actions : !strcontains(action, "*")],
    ]]]))
    error_message = "a policy grants more than exact actions on exact resources"
  }

  # No role can use a bucket of another account.
  assert {
    condition = alltrue(flatten([for policy in data.aws_iam_policy_document.this : [for statement in policy.statement :
      contains([for condition in statement.condition : "${condition.test} ${condition.variable} ${join(",", condition.values)}"], "StringEqualsIfExists aws:ResourceAccount 123456789012")
      if anytrue([for action in statement.actions : startswith(action, "s3:")])
    ]]))
    error_message = "a role may use a bucket of another account"
  }

  # All resources have the given tags.
  assert {
    condition = alltrue([for resource in concat(
      values(aws_lambda_function.this), values(aws_lambda_event_source_mapping.this), values(aws_iam_role.this),
      values(aws_cloudwatch_log_group.this), values(aws_s3_object.package),
    ) : resource.tags == tomap({ project = "lake" })])
    error_message = "a resource lacks the tags"
  }
}

run "timeout_layer_and_keys_are_used_and_memory_and_concurrency_have_defaults" {
  command = plan

  module {
    source = "./lambda"
  }

  variables {
    memory_size         = null
    ticker_delivery     = { visibility_timeout_seconds = 900, max_receive_count = 3, patience_seconds = 2800, batch_size = 50, batch_window = 5, max_concurrency = null }
    timeout             = 7
    awssdkpandas_layer  = { arn = "arn:aws:lambda:sa-east-1:123456789012:layer:own:7", version = "3.16.1" }
    bucket_kms_key_arns = ["arn:of:raw", "arn:of:curated"]
  }

  # By default, functions that compute have more memory than functions that wait for the site.
  assert {
    condition = { for name, function in aws_lambda_function.this : name => function.memory_size } == {
      for name in keys(aws_lambda_function.this) : name => can(regex("^get-", name)) ? 512 : 1024
    }
    error_message = jsonencode({ for name, function in aws_lambda_function.this : name => function.memory_size })
  }

  # By default, stage 3 reads more stocks than funds at the same time, because the site has more stocks.
  assert {
    condition = { for name, mapping in aws_lambda_event_source_mapping.this : name => one(mapping.scaling_config).maximum_concurrency } == {
      get-financial-data-for-acoes = 5
      get-financial-data-for-fiis  = 3
    }
    error_message = jsonencode(aws_lambda_event_source_mapping.this)
  }

  # If the given timeout is below 120 seconds, stage 3 has the given timeout too.
  assert {
    condition     = distinct([for function in aws_lambda_function.this : function.timeout]) == tolist([7])
    error_message = "time limits: ${jsonencode({ for name, function in aws_lambda_function.this : name => function.timeout })}"
  }

  # The functions use the given layer. The module then does not look up the managed layer.
  assert {
    condition     = length(data.aws_ssm_parameter.awssdkpandas_layer_arn) == 0 && aws_lambda_function.this["get-tickers"].layers[1] == "arn:aws:lambda:sa-east-1:123456789012:layer:own:7"
    error_message = "the functions do not use the given layer"
  }

  # Only functions that read or write objects can use the keys of the consumer's buckets.
  assert {
    condition = { for function, policy in data.aws_iam_policy_document.this : function => flatten([
      for statement in policy.statement : sort(statement.actions) if statement.resources == toset(["arn:of:raw", "arn:of:curated"])
      ]) } == merge({ for name in keys(aws_lambda_function.this) : name => ["kms:Decrypt", "kms:GenerateDataKey"] }, {
      check-and-delete-partitions  = []
      get-tickers                  = []
      get-financial-data-for-acoes = ["kms:GenerateDataKey"]
      get-financial-data-for-fiis  = ["kms:GenerateDataKey"]
    })
    error_message = "uses of the keys: ${jsonencode({ for function, policy in data.aws_iam_policy_document.this : function => policy.statement })}"
  }
}

run "rules_on_the_bus_start_the_next_stage_and_do_not_change_a_foreign_bucket" {
  command = plan

  module {
    source = "./lambda"
  }

  variables {
    bucket_notifications = "eventbridge"
  }

  assert {
    condition     = length(aws_s3_bucket_notification.this) == 0 && length(aws_lambda_permission.bucket) == 0
    error_message = "the module changes a bucket's own configuration"
  }
  assert {
    condition     = alltrue([for table, rule in aws_cloudwatch_event_rule.this : rule.name == "pynvest-new-objects-of-${replace(table, "_", "-")}"])
    error_message = "rules: ${jsonencode(aws_cloudwatch_event_rule.this)}"
  }
  assert {
    condition = { for table, rule in aws_cloudwatch_event_rule.this : table => [
      one(jsondecode(rule.event_pattern).detail.bucket.name), one(jsondecode(rule.event_pattern).detail.object.key).wildcard,
      trimprefix(aws_lambda_permission.bus[table].function_name, "pynvest-lambda-"), aws_lambda_permission.bus[table].principal,
      trimprefix(one(aws_cloudwatch_event_target.this[table].dead_letter_config).arn, "arn:aws:sqs:sa-east-1:123456789012:"),
      ] } == {
      sor_acoes = ["raw", "sor_stocks/*.part.parquet", "prep-financial-data-for-acoes", "events.amazonaws.com", "failed-4a"]
      sor_fiis  = ["raw", "sor_funds/*.part.parquet", "prep-financial-data-for-fiis", "events.amazonaws.com", "failed-4b"]
      sot_acoes = ["curated", "sot_stocks/*.part.parquet", "specialize-financial-data", "events.amazonaws.com", "failed-5"]
      sot_fiis  = ["curated", "sot_funds/*.part.parquet", "specialize-financial-data", "events.amazonaws.com", "failed-5"]
    }
    error_message = "another object, function or queue: ${jsonencode([aws_cloudwatch_event_rule.this, aws_lambda_permission.bus, aws_cloudwatch_event_target.this])}"
  }
}

run "buckets_of_the_module_notify_the_bus" {
  command = plan

  module {
    source = "./lambda"
  }

  variables {
    bucket_notifications = "eventbridge"
    creates_buckets      = true
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket_notification.this : bucket.eventbridge && length(bucket.lambda_function) == 0]) && length(aws_s3_bucket_notification.this) == 2
    error_message = "notifications: ${jsonencode(aws_s3_bucket_notification.this)}"
  }
}

run "a_lake_in_shared_buckets_uses_only_its_own_keys" {
  command = plan

  module {
    source = "./lambda"
  }

  variables {
    tables           = { for key, table in var.tables : key => merge(table, { bucket = "one", prefix = "second/${table.name}/" }) }
    notified_buckets = { sor = "one" }
  }

  assert {
    condition     = { for bucket in aws_s3_bucket_notification.this : bucket.bucket => sort([for trigger in bucket.lambda_function : trigger.filter_prefix]) } == { one = tolist(["second/sor_funds/", "second/sor_stocks/", "second/sot_funds/", "second/sot_stocks/"]) }
    error_message = "notifications: ${jsonencode(aws_s3_bucket_notification.this)}"
  }
  assert {
    condition = alltrue(flatten([for policy in data.aws_iam_policy_document.this : [for statement in policy.statement : [
      [for resource in statement.resources : resource == "arn:aws:s3:::one" || startswith(resource, "arn:aws:s3:::one/second/") if startswith(resource, "arn:aws:s3:::one")],
      [for condition in statement.condition : [for value in condition.values : startswith(value, "second/")] if contains(statement.resources, "arn:aws:s3:::one") && condition.variable == "s3:prefix"],
      !contains(statement.resources, "arn:aws:s3:::one") || contains([for condition in statement.condition : condition.variable], "s3:prefix"),
    ]]]))
    error_message = "a role has access to keys of another lake"
  }
  assert {
    condition     = jsondecode(one(aws_lambda_function.this["prep-financial-data-for-acoes"].environment).variables.TARGET_TABLE) == { bucket = "one", database = "db_sot", table = "sot_stocks", key_prefix = "second/" }
    error_message = "a function's environment lacks its table's key prefix"
  }
}

run "the_longest_names_fit_into_each_functions_environment" {
  command = plan

  module {
    source = "./lambda"
  }

  variables {
    name_prefix = "a2345678-0-2345678-0"
    tables = { for key, table in {
      sor_acoes    = "tbsor_fundamentus_indicadores_acoes_raw"
      sor_fiis     = "tbsor_fundamentus_indicadores_fiis_raw"
      sot_acoes    = "tbsot_fundamentus_indicadores_acoes_prep"
      sot_fiis     = "tbsot_fundamentus_indicadores_fiis_prep"
      spec_ativos  = "tbspec_fundamentus_cotacao_ativos"
      spec_quality = "tbspec_pynvest_qualidade"
      } : key => {
      bucket   = format("%063d", 0)
      database = "db_a2345678_0_2345678_0_${split("_", key)[0]}"
      name     = table
      prefix   = "a2345678-0-2345678-0/${table}/"
    } }
    ticker_queues = { for kind in ["acoes", "fiis"] : kind => {
      arn = "arn:aws:sqs:ap-southeast-1:123456789012:${format("%080d", 0)}"
      url = "https://sqs.ap-southeast-1.amazonaws.com/123456789012/${format("%080d", 0)}"
    } }
    dead_letter_queues = { for source in concat(
      [for function in ["check-and-delete-partitions", "get-tickers", "prep-financial-data-for-acoes", "prep-financial-data-for-fiis", "specialize-financial-data"] : "a2345678-0-2345678-0-lambda-${function}"],
      ["acoes", "fiis", "start", "dedup"],
      ) : source => {
      arn = "arn:aws:sqs:ap-southeast-1:123456789012:${format("%080d", 0)}"
      url = "https://sqs.ap-southeast-1.amazonaws.com/123456789012/${format("%080d", 0)}"
    } }
    work_bucket  = { name = format("%063d", 0), arn = "arn:aws:s3:::${format("%063d", 0)}" }
    workflow_arn = "arn:aws:states:ap-southeast-1:123456789012:stateMachine:${format("%080d", 0)}"
    site = {
      base_url = "https://${format("%0100d", 0)}"
      # The module accepts headers up to 1024 characters of JSON.
      headers         = { for number in range(10) : "Accept-${number}" => format("%0${number == 0 ? 100 : 87}d", 0) }
      threads         = 2
      timeout_seconds = 20
    }
  }

  assert {
    condition     = length(jsonencode(var.site.headers)) == 1024
    error_message = "the headers have ${length(jsonencode(var.site.headers))} characters"
  }
  assert {
    condition     = alltrue([for function in aws_lambda_function.this : length(jsonencode(one(function.environment).variables)) <= 4096])
    error_message = jsonencode({ for name, function in aws_lambda_function.this : name => length(jsonencode(one(function.environment).variables)) })
  }
  assert {
    condition     = alltrue([for function in aws_lambda_function.this : length(jsonencode({ for name, value in one(function.environment).variables : name => value if startswith(name, "POWERTOOLS_") })) < 190])
    error_message = "the variables of every function take more than the precondition reserves for them"
  }
}

run "an_environment_above_the_limit_of_lambda_is_refused" {
  command = plan

  module {
    source = "./lambda"
  }

  variables {
    site = { base_url = "https://site", headers = { Accept = format("%04000d", 0) }, threads = 2, timeout_seconds = 20 }
  }

  expect_failures = [aws_lambda_function.this]
}
