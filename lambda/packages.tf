locals {
  # For each stage, the shared folders of lambda/src that its package contains.
  shared = jsondecode(file("${path.module}/packages.json"))
  # For each package, a map from a file's path in the package to the file's source.
  package_sources = { for package, shared in local.shared : package => merge(
    { for file in fileset("${path.module}/src", "{${join(",", concat([package], shared))}}/**/*.{py,json}") : file => "${path.module}/src/${file}" },
    { for file in fileset("${path.module}/../glue/schemas", "*.json") : "schemas/${file}" => "${path.module}/../glue/schemas/${file}" },
    { "build.py" = "${path.module}/build.py" },
  ) }
  layer_sources = {
    "build.py"         = "${path.module}/build.py"
    "requirements.txt" = "${path.module}/layer/requirements.txt"
  }
  # A package's hash is computed with Unix line endings, so every checkout gives the same hash. build.py computes the same hash.
  hashes = { for package, sources in merge(local.package_sources, { layer = local.layer_sources }) : package =>
    substr(sha256(join("\n", concat(
      [for file in sort(keys(sources)) : "${file} ${sha256(replace(file(sources[file]), "\r\n", "\n"))}"],
      package == "layer" ? [var.python_runtime] : [],
    ))), 0, 16)
  }

  # A package whose hash is in the bucket keeps its key, so all machines make the same plan.
  # Any other package gets a new key, so Terraform builds and uploads the package.
  stored = { for package, hash in local.hashes : package => [for key in data.aws_s3_objects.packages.keys : key if startswith(key, "${package}/${hash}-")] }
  keys = { for package, hash in local.hashes : package =>
    length(local.stored[package]) > 0 ? local.stored[package][0] : "${package}/${hash}-${formatdate("YYYYMMDDhhmmss", plantimestamp())}.zip"
  }

  built_dir = "${path.root}/.terraform/pynvest-tools"
  files     = { for package, hash in local.hashes : package => "${coalesce(var.packages_dir, local.built_dir)}/${package}-${hash}.zip" }

  awssdkpandas_layer_arn = coalesce(var.awssdkpandas_layer.arn, one(data.aws_ssm_parameter.awssdkpandas_layer_arn[*].insecure_value))
}

data "aws_s3_objects" "packages" {
  bucket = var.packages_bucket
}

resource "terraform_data" "build" {
  for_each = var.packages_dir == null ? local.hashes : {}

  triggers_replace = local.keys[each.key]

  provisioner "local-exec" {
    command = "python3 -c '' || { echo 'No usable python3 on this machine: install Python 3.9 or newer with pip, or build the packages elsewhere with \"make package\" and set lambda_packages_dir to their directory.' >&2; exit 1; }; exec python3 \"$BUILD\" --runtime \"$RUNTIME\" --output \"$OUTPUT\" \"$PACKAGE\""

    environment = {
      BUILD   = "${path.module}/build.py"
      OUTPUT  = local.built_dir
      PACKAGE = each.key
      RUNTIME = var.python_runtime
    }
  }
}

resource "aws_s3_object" "package" {
  for_each = local.hashes

  bucket = var.packages_bucket
  key    = local.keys[each.key]
  source = local.files[each.key]
  tags   = var.tags

  # An S3 object takes at most ten tags, and the provider can have more default_tags, so the object gets no default_tags.
  override_provider {
    default_tags {
      tags = {}
    }
  }

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [source] # the key is a hash of the content, so a build on another machine changes nothing

    precondition {
      condition     = var.packages_dir == null ? true : length(local.stored[each.key]) > 0 || fileexists(local.files[each.key])
      error_message = "lambda_packages_dir (${jsonencode(var.packages_dir)}) has no ${each.key}-${each.value}.zip: build the packages with \"make package\" from this version of the module and for ${var.python_runtime}, or leave lambda_packages_dir out so that the apply builds the packages."
    }
  }

  depends_on = [terraform_data.build]
}

resource "aws_lambda_layer_version" "this" {
  layer_name               = "${var.name_prefix}-third-party"
  description              = "pynvest and aws-lambda-powertools"
  compatible_runtimes      = [var.python_runtime]
  compatible_architectures = ["x86_64"]
  s3_bucket                = var.packages_bucket
  s3_key                   = aws_s3_object.package["layer"].key

  lifecycle {
    create_before_destroy = true
  }
}

data "aws_ssm_parameter" "awssdkpandas_layer_arn" {
  count = var.awssdkpandas_layer.arn == null ? 1 : 0

  name = "/aws/service/aws-sdk-pandas/${var.awssdkpandas_layer.version}/${replace(var.python_runtime, "python", "py")}/x86_64/layer-arn"
}
