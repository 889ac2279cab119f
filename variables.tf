variable "name_prefix" {
  description = "Prefix of all resource names. Instances in one account need different prefixes, even in different regions: IAM names are global."
  type        = string
  default     = "pynvest"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name_prefix)) && length(var.name_prefix) <= 20
    error_message = "name_prefix is \"${var.name_prefix}\": write at most 20 lowercase letters, digits and single hyphens, starting with a letter and not ending with a hyphen, such as \"pynvest\" or \"my-lake\"."
  }
}

variable "module_default_tags" {
  description = "Tags of every resource, at most ten (S3's limit for an object). Objects with Lambda packages do not get the provider's `default_tags`."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.module_default_tags) <= 10
    error_message = "module_default_tags has ${length(var.module_default_tags)} tags, but an S3 object takes at most 10: write at most 10, and set the other tags in the provider's default_tags, which the Lambda packages' S3 objects do not get."
  }
  validation {
    condition     = alltrue([for key in keys(var.module_default_tags) : !startswith(lower(key), "aws:")])
    error_message = format("module_default_tags has a key that starts with aws: (%s), a prefix that AWS reserves: write another key.", join(", ", [for key in keys(var.module_default_tags) : key if startswith(lower(key), "aws:")]))
  }
  validation {
    condition     = length(distinct([for key in keys(var.module_default_tags) : lower(key)])) == length(var.module_default_tags)
    error_message = "module_default_tags has the keys ${jsonencode(keys(var.module_default_tags))}; some differ only in capitals, which IAM ignores in keys: write each key once."
  }
  validation {
    condition     = alltrue([for key, value in var.module_default_tags : can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value))])
    error_message = format("module_default_tags has tags that S3 does not accept (%s): write letters, digits, spaces and _ . : / = + - @, at most 128 in a key and 256 in a value.", join(", ", [for key, value in var.module_default_tags : "${key} = ${value}" if !(can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value)))]))
  }
}

variable "bucket_names_map" {
  description = "Bucket name of each layer (`sor`, `sot`, `spec`). Without `flag_create_buckets`, these buckets must already exist; see [docs/permissions.md](docs/permissions.md#buckets-of-your-own). Null: buckets `<name_prefix>-<layer>-<account>-<region>` are created."
  type        = object({ sor = string, sot = string, spec = string })
  default     = null

  validation {
    condition     = var.bucket_names_map == null ? true : alltrue([for name in values(var.bucket_names_map) : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", name))])
    error_message = format("bucket_names_map has a name that S3 does not accept (%s): write 3 to 63 lowercase letters, digits, hyphens and dots.", join(", ", [for name in try(values(var.bucket_names_map), []) : jsonencode(name) if !can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", name))]))
  }
}

variable "flag_create_buckets" {
  description = "Whether the module creates the lake's buckets, with the names in `bucket_names_map` if given. By default, the module creates them unless `bucket_names_map` is given."
  type        = bool
  default     = null
}

variable "bucket_notifications" {
  description = "How new objects start functions: `module` uses the buckets' notification configuration, which the module owns; `eventbridge` uses rules on the default bus."
  type        = string
  default     = "module"
  nullable    = false

  validation {
    condition     = contains(["module", "eventbridge"], var.bucket_notifications)
    error_message = "bucket_notifications is \"${var.bucket_notifications}\": write \"module\" or \"eventbridge\"."
  }
}

variable "databases_names_map" {
  description = "Glue database name of each layer (`sor`, `sot`, `spec`); layers may share a name. Null: `db_<name_prefix>_<layer>`, with underscores instead of hyphens."
  type        = object({ sor = string, sot = string, spec = string })
  default     = null

  validation {
    condition     = var.databases_names_map == null ? true : alltrue([for name in values(var.databases_names_map) : can(regex("^[a-z0-9_]{1,128}$", name))])
    error_message = format("databases_names_map has a name that Athena or the functions' policies do not accept (%s): write lowercase letters, digits and underscores, at most 128.", join(", ", [for name in try(values(var.databases_names_map), []) : jsonencode(name) if !can(regex("^[a-z0-9_]{1,128}$", name))]))
  }
}

variable "flag_create_databases" {
  description = "Whether the module creates the Glue databases. If false, the databases must exist. The module always creates the tables."
  type        = bool
  default     = true
  nullable    = false
}

variable "sqs_tickers_acoes_queue_name" {
  description = "Name of the queue of stock tickers. Null: `<name_prefix>-tickers-acoes-queue`. The dead-letter queue's name is this name plus `-dlq`."
  type        = string
  default     = null

  validation {
    condition     = var.sqs_tickers_acoes_queue_name == null ? true : can(regex("^[A-Za-z0-9_-]{1,76}$", var.sqs_tickers_acoes_queue_name))
    error_message = "sqs_tickers_acoes_queue_name is ${jsonencode(var.sqs_tickers_acoes_queue_name)}: write 1 to 76 letters, digits, hyphens and underscores."
  }
}

variable "sqs_tickers_fiis_queue_name" {
  description = "Name of the queue of fund tickers. Null: `<name_prefix>-tickers-fiis-queue`. The dead-letter queue's name is this name plus `-dlq`."
  type        = string
  default     = null

  validation {
    condition     = var.sqs_tickers_fiis_queue_name == null ? true : can(regex("^[A-Za-z0-9_-]{1,76}$", var.sqs_tickers_fiis_queue_name))
    error_message = "sqs_tickers_fiis_queue_name is ${jsonencode(var.sqs_tickers_fiis_queue_name)}: write 1 to 76 letters, digits, hyphens and underscores."
  }
}

variable "sqs_visibility_timeout_seconds" {
  description = "Visibility timeout of tickers, in seconds. Minimum: stage 3's time limit plus the batch window. Null: six times stage 3's time limit, but at least the minimum."
  type        = number
  default     = null

  validation {
    condition     = var.sqs_visibility_timeout_seconds == null ? true : var.sqs_visibility_timeout_seconds >= 1 && var.sqs_visibility_timeout_seconds <= 21600
    error_message = "sqs_visibility_timeout_seconds is ${jsonencode(var.sqs_visibility_timeout_seconds)}: write a number of seconds from 1 to 21600."
  }
}

variable "sqs_message_retention_seconds" {
  description = "Seconds to keep an unread ticker in its queue. The dead-letter queues keep tickers for 14 days."
  type        = number
  default     = 345600
  nullable    = false
}

variable "sqs_max_message_size" {
  description = "Maximum size of a message, in bytes. Older releases of the provider accept at most 262144."
  type        = number
  default     = 262144
  nullable    = false
}

variable "sqs_delay_seconds" {
  description = "Delay before a queued ticker can be read, in seconds."
  type        = number
  default     = 0
  nullable    = false
}

variable "sqs_receive_wait_time_seconds" {
  description = "Long polling: seconds that a read waits if the queue is empty."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.sqs_receive_wait_time_seconds >= 0 && var.sqs_receive_wait_time_seconds <= 20
    error_message = "sqs_receive_wait_time_seconds is ${var.sqs_receive_wait_time_seconds}: write a number of seconds from 0 to 20."
  }
}

variable "sqs_max_receive_count" {
  description = "Number of tries of a ticker before it goes to the dead-letter queue."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = var.sqs_max_receive_count >= 1 && var.sqs_max_receive_count <= 1000
    error_message = "sqs_max_receive_count is ${var.sqs_max_receive_count}: write 1 to 1000."
  }
}

variable "sqs_lambda_trigger_batch_size" {
  description = "Maximum number of tickers per invocation. The rows of an invocation become one object."
  type        = number
  default     = 25
  nullable    = false

  validation {
    condition     = var.sqs_lambda_trigger_batch_size >= 1 && var.sqs_lambda_trigger_batch_size <= 10000
    error_message = "sqs_lambda_trigger_batch_size is ${var.sqs_lambda_trigger_batch_size}: write 1 to 10000 tickers."
  }
}

variable "sqs_lambda_trigger_batch_window" {
  description = "Longest wait for a full batch, in seconds. Minimum for batches of more than 10 tickers: 1."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.sqs_lambda_trigger_batch_window >= 0 && var.sqs_lambda_trigger_batch_window <= 300
    error_message = "sqs_lambda_trigger_batch_window is ${var.sqs_lambda_trigger_batch_window}: write a number of seconds from 0 to 300."
  }
}

variable "sqs_lambda_trigger_max_concurrency" {
  description = "Maximum number of concurrent invocations per queue; each invocation sends up to `fetch_threads` concurrent requests. Null: 5 for stocks, 3 for funds."
  type        = number
  default     = null

  validation {
    condition     = var.sqs_lambda_trigger_max_concurrency == null || try(var.sqs_lambda_trigger_max_concurrency >= 2 && var.sqs_lambda_trigger_max_concurrency <= 1000, false)
    error_message = "sqs_lambda_trigger_max_concurrency is ${jsonencode(var.sqs_lambda_trigger_max_concurrency)}: write 2 to 1000 (the limits of an SQS trigger), or null for the module's default."
  }
}

variable "functions_python_runtime" {
  description = "Lambda runtime of all functions and layers. The module is tested with the default; AWS deprecates `python3.11` on 30 June 2027."
  type        = string
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = contains(["python3.11", "python3.12", "python3.13", "python3.14"], var.functions_python_runtime)
    error_message = "functions_python_runtime is \"${var.functions_python_runtime}\": write python3.13, which the module is tested with, or python3.11, python3.12 or python3.14."
  }
}

variable "functions_timeout" {
  description = "Time limit of an invocation, in seconds. In stage 3, the limit is at most 120, and unread tickers return to their queue."
  type        = number
  default     = 300
  nullable    = false
}

variable "functions_memory_size" {
  description = "Memory of each function, in MB. Null: 512 for stages 2 and 3, 1024 for the other stages."
  type        = number
  default     = null

  validation {
    condition     = var.functions_memory_size == null || try(var.functions_memory_size >= 256 && var.functions_memory_size <= 10240, false)
    error_message = "functions_memory_size is ${jsonencode(var.functions_memory_size)}: write 256 to 10240 MB for all functions (a day uses up to 200 MB), or null for each stage's default."
  }
}

variable "awssdkpandas_layer_arn" {
  description = "ARN of the AWS SDK for pandas managed layer, version included. By default, Terraform reads it from SSM, by region, `awssdkpandas_layer_version` and `functions_python_runtime`."
  type        = string
  default     = null

  validation {
    condition     = var.awssdkpandas_layer_arn == null ? true : can(regex("^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$", var.awssdkpandas_layer_arn))
    error_message = "awssdkpandas_layer_arn is ${jsonencode(var.awssdkpandas_layer_arn)}: write the ARN of a layer version, such as \"arn:aws:lambda:sa-east-1:336392948345:layer:AWSSDKPandas-Python313:1\"."
  }
}

variable "awssdkpandas_layer_version" {
  description = "Release of AWS SDK for pandas, to look up its managed layer; the module is tested with the default."
  type        = string
  default     = "3.16.1"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+$", var.awssdkpandas_layer_version))
    error_message = "awssdkpandas_layer_version is \"${var.awssdkpandas_layer_version}\": write a release such as \"3.16.1\"."
  }

  validation {
    condition     = var.awssdkpandas_layer_version != "3.17.0"
    error_message = "awssdkpandas_layer_version is \"${var.awssdkpandas_layer_version}\", a release that, with Python 3.12 and newer, crashes when it processes a value of type date (aws/aws-sdk-pandas issue 3393): write \"3.16.1\", which the module is tested with, or \"3.17.1\"."
  }
}

variable "lambda_packages_dir" {
  description = "Directory of packages that `make package` built from this version; the apply then needs no `python3` or `pip`. Null: the apply builds the packages."
  type        = string
  default     = null

  validation {
    condition     = var.lambda_packages_dir == null ? true : length(fileset(var.lambda_packages_dir, "*.zip")) > 0
    error_message = "lambda_packages_dir is ${jsonencode(var.lambda_packages_dir)}, which has no packages: write the directory in which \"make package\" built this version's packages, such as \".build/packages\", or leave it out so that the apply builds the packages."
  }
}

variable "fundamentus_base_url" {
  description = "Address of the site."
  type        = string
  default     = "https://www.fundamentus.com.br"
  nullable    = false

  validation {
    condition     = can(regex("^https?://[^/\\s?#]+(/[^\\s?#]*[^/\\s?#])?$", var.fundamentus_base_url))
    error_message = "fundamentus_base_url is \"${var.fundamentus_base_url}\": write a URL without a slash at its end, such as \"https://www.fundamentus.com.br\"."
  }
}

variable "fetch_threads" {
  description = "Maximum number of concurrent requests to the site per invocation."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.fetch_threads >= 1 && var.fetch_threads <= 32 && floor(var.fetch_threads) == var.fetch_threads
    error_message = "fetch_threads is ${var.fetch_threads}: write a whole number from 1 to 32."
  }
}

variable "fetch_timeout_seconds" {
  description = "Time limit of one attempt to fetch a page, in seconds."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.fetch_timeout_seconds > 0 && var.fetch_timeout_seconds <= 300
    error_message = "fetch_timeout_seconds is ${var.fetch_timeout_seconds}: write more than 0 and at most 300 seconds."
  }
}

variable "fetch_headers" {
  description = "Headers of the requests to the site: a map from name to value. A `User-Agent` given here replaces the default of `pynvest`."
  type        = map(string)
  default = {
    "Accept"          = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    "Accept-Language" = "pt-BR,pt;q=0.9"
  }
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.fetch_headers) : can(regex("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", name))])
    error_message = "fetch_headers has the names ${jsonencode(keys(var.fetch_headers))}: write names of HTTP headers, without spaces or colons, such as \"User-Agent\"."
  }

  validation {
    condition     = alltrue([for value in values(var.fetch_headers) : can(regex("^[!-~]([ -~]*[!-~])?$", value))])
    error_message = "fetch_headers has the values ${jsonencode(values(var.fetch_headers))}: write each value on one line, in ASCII, without a space at its start or end, such as \"pt-BR,pt;q=0.9\"."
  }

  validation {
    condition     = length(distinct([for name in keys(var.fetch_headers) : lower(name)])) == length(var.fetch_headers)
    error_message = "fetch_headers has the names ${jsonencode(keys(var.fetch_headers))}; some differ only in capitals, which HTTP ignores in names: write each name once."
  }

  validation {
    condition     = alltrue([for name in keys(var.fetch_headers) : !contains(["accept-encoding", "connection", "content-length", "host"], lower(name))])
    error_message = "fetch_headers has the names ${jsonencode(keys(var.fetch_headers))}: leave out Accept-Encoding, Connection, Content-Length and Host, which decide whether an answer can be read."
  }

  validation {
    condition     = length(jsonencode(var.fetch_headers)) <= 1024
    error_message = "fetch_headers has ${length(jsonencode(var.fetch_headers))} characters as JSON: write at most 1024, because Lambda allows 4096 for all variables of a function."
  }
}

variable "schedules_enabled" {
  description = "Whether the two schedules run; if not, they are created disabled."
  type        = bool
  default     = true
  nullable    = false
}

variable "schedule_timezone" {
  description = "Time zone of the two schedules. The run day is always the date in Sao Paulo."
  type        = string
  default     = "America/Sao_Paulo"
  nullable    = false
}

variable "schedule_expression_start" {
  description = "Start of the day's run, as an EventBridge Scheduler expression."
  type        = string
  default     = "cron(45 18 ? * MON-FRI *)"
  nullable    = false

  validation {
    condition     = can(regex("^(at\\([0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\\)|rate\\([1-9][0-9]* (minute|hour|day)s?\\)|cron\\([0-9*,/-]+ [0-9*,/-]+ (\\? ([0-9*,/-]|[A-Z]{3})+ ([0-9*,/L#-]|SUN|MON|TUE|WED|THU|FRI|SAT)+|[0-9*,/LW-]+ ([0-9*,/-]|[A-Z]{3})+ \\?) [0-9*,/-]+\\))$", var.schedule_expression_start))
    error_message = "schedule_expression_start is \"${var.schedule_expression_start}\": write rate(…), at(…), or cron(…) with six fields and a ? as day of month or of week, such as \"cron(45 18 ? * MON-FRI *)\"."
  }
}

variable "schedule_expression_dedup" {
  description = "Start of the dedup workflow, as an EventBridge Scheduler expression; the workflow waits until all tickers are processed."
  type        = string
  default     = "cron(0 19 ? * MON-FRI *)"
  nullable    = false

  validation {
    condition     = can(regex("^(at\\([0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\\)|rate\\([1-9][0-9]* (minute|hour|day)s?\\)|cron\\([0-9*,/-]+ [0-9*,/-]+ (\\? ([0-9*,/-]|[A-Z]{3})+ ([0-9*,/L#-]|SUN|MON|TUE|WED|THU|FRI|SAT)+|[0-9*,/LW-]+ ([0-9*,/-]|[A-Z]{3})+ \\?) [0-9*,/-]+\\))$", var.schedule_expression_dedup))
    error_message = "schedule_expression_dedup is \"${var.schedule_expression_dedup}\": write rate(…), at(…), or cron(…) with six fields and a ? as day of month or of week, such as \"cron(0 19 ? * MON-FRI *)\"."
  }
}

variable "dedup_wait_interval_seconds" {
  description = "Seconds that the dedup workflow waits before it checks the tickers' outcomes again; after forty checks, it waits ten times as long."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.dedup_wait_interval_seconds >= 1 && var.dedup_wait_interval_seconds <= 3600 && floor(var.dedup_wait_interval_seconds) == var.dedup_wait_interval_seconds
    error_message = "dedup_wait_interval_seconds is ${var.dedup_wait_interval_seconds}: write a whole number from 1 to 3600."
  }
}

variable "dedup_round_minutes" {
  description = "Minutes that the dedup workflow waits before each round. A round requests the pages of the missing assets again. Empty: no rounds."
  type        = list(number)
  default     = [60, 60, 60, 60]
  nullable    = false

  validation {
    condition     = length(var.dedup_round_minutes) <= 24 && alltrue([for minutes in var.dedup_round_minutes : minutes > 0]) && sum(concat([0], var.dedup_round_minutes)) <= 900
    error_message = "dedup_round_minutes is ${jsonencode(var.dedup_round_minutes)}: write at most 24 waits above 0 with a sum of at most 900, such as [60, 60], or [] for no rounds. Rounds must start before the next session opens."
  }
}

variable "fetch_from" {
  description = "Source of the pages: `site` if the functions ask the site, `pages` if only your collector asks the site and uploads the pages."
  type        = string
  default     = "site"
  nullable    = false

  validation {
    condition     = contains(["site", "pages"], var.fetch_from)
    error_message = "fetch_from is \"${var.fetch_from}\": write \"site\" or \"pages\"."
  }
}

variable "quality_gate" {
  description = "What the workflow does after the verdict `falha`: with `fail`, it fails; with `record`, it succeeds. Both keep the tables' rows."
  type        = string
  default     = "fail"
  nullable    = false

  validation {
    condition     = contains(["fail", "record"], var.quality_gate)
    error_message = "quality_gate is \"${var.quality_gate}\": write \"fail\" or \"record\"."
  }
}

variable "quality_reference_from" {
  description = "Oldest day (`YYYYMMDD`) that quality checks use for comparison. Set it if values have changed permanently and are correct. Null: the last 60 days."
  type        = number
  default     = null

  validation {
    condition     = var.quality_reference_from == null ? true : can(formatdate("YYYYMMDD", format("%s-%s-%sT00:00:00Z", substr(tostring(var.quality_reference_from), 0, 4), substr(tostring(var.quality_reference_from), 4, 2), substr(tostring(var.quality_reference_from), 6, 2)))) && length(tostring(var.quality_reference_from)) == 8
    error_message = "quality_reference_from is ${jsonencode(var.quality_reference_from)}: write a day as a number YYYYMMDD, such as 20261123, or leave it out."
  }
}

variable "pages_retention_days" {
  description = "Days to keep archived pages, to read a day again without the site. 0: no archive."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.pages_retention_days >= 0 && var.pages_retention_days <= 3650 && floor(var.pages_retention_days) == var.pages_retention_days
    error_message = "pages_retention_days is ${var.pages_retention_days}: write a whole number from 0 (none are kept) to 3650."
  }
}

variable "log_level" {
  description = "Lowest level of log messages to write: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`, in capitals or not."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], upper(var.log_level))
    error_message = "log_level is \"${var.log_level}\": write DEBUG, INFO, WARNING, ERROR or CRITICAL."
  }
}

variable "alarm_email" {
  description = "Mail address for each day's notice, through a topic that the module creates. AWS first sends a mail to confirm the address. Null: no mail."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_email == null ? true : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.alarm_email))
    error_message = "alarm_email is ${jsonencode(var.alarm_email)}: write one address, such as \"me@example.com\"."
  }
}

variable "alarm_topic_arn" {
  description = "ARN of your own SNS topic for the notices, in the lake's region; see [docs/operations.md](docs/operations.md#notices). Null: none."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_topic_arn == null ? true : can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$", var.alarm_topic_arn))
    error_message = "alarm_topic_arn is ${jsonencode(var.alarm_topic_arn)}: write the ARN of a standard (not FIFO) topic, such as \"arn:aws:sns:sa-east-1:123456789012:my-topic\"."
  }
}

variable "daily_digest" {
  description = "Whether a day without remarks also gets a notice. Days with remarks or failures always get a notice."
  type        = bool
  default     = true
  nullable    = false
}

variable "athena_enabled" {
  description = "Whether to create a workgroup, saved queries and views for queries of the lake."
  type        = bool
  default     = true
  nullable    = false
}

variable "athena_bytes_scanned_cutoff" {
  description = "Maximum number of bytes that a query in the workgroup may read."
  type        = number
  default     = 1073741824
  nullable    = false
}

variable "athena_results_retention_days" {
  description = "Days to keep query results."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.athena_results_retention_days >= 1 && var.athena_results_retention_days <= 3650 && floor(var.athena_results_retention_days) == var.athena_results_retention_days
    error_message = "athena_results_retention_days is ${var.athena_results_retention_days}: write a whole number from 1 to 3650."
  }
}

variable "log_retention_days" {
  description = "Days to keep logs."
  type        = number
  default     = 30
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of your KMS key, in the lake's region, for created buckets, queues, logs and notices; see docs/permissions.md. Null: keys of AWS."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn is ${jsonencode(var.kms_key_arn)}: write the ARN of a key (not of an alias), such as \"arn:aws:kms:sa-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab\"."
  }
}

variable "bucket_kms_key_arns" {
  description = "ARNs of the KMS keys that encrypt your own buckets (`bucket_names_map`). Each key's policy must let your account's IAM policies grant use of the key."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.bucket_kms_key_arns : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", arn))])
    error_message = format("bucket_kms_key_arns has values that are not ARNs of keys (%s): write ARNs of keys (not of aliases), such as \"arn:aws:kms:sa-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab\".", join(", ", [for arn in var.bucket_kms_key_arns : jsonencode(arn) if !can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", arn))]))
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of your permissions boundary for every role of the module, if your account requires one. Null: none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null ? true : can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[\\w+=,.@/-]+$", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn is ${jsonencode(var.permissions_boundary_arn)}: write the ARN of a policy, such as \"arn:aws:iam::123456789012:policy/boundary\"."
  }
}

variable "iam_role_path" {
  description = "Path of every role of the module, if your account requires one."
  type        = string
  default     = "/"
  nullable    = false

  validation {
    condition     = can(regex("^/([!-.0-~]+/)*$", var.iam_role_path)) && length(var.iam_role_path) <= 512
    error_message = "iam_role_path is \"${var.iam_role_path}\": write a path that begins and ends with a slash, such as \"/lake/\"."
  }
}

variable "force_destroy" {
  description = "Whether a destroy also deletes buckets with data, and a workgroup with a query history. If false, AWS refuses to delete them."
  type        = bool
  default     = false
  nullable    = false
}
