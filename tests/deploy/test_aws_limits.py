"""The values in plans and outputs stay within AWS limits that the emulator does not check."""

from __future__ import annotations

import json
import re
from typing import Any
from zoneinfo import available_timezones

import pytest
from consumer import Checkout, of_type, resources_of
from policies import check_policies, policies

pytestmark = pytest.mark.terraform

MANAGED_POLICY = 6_144
"""Maximum characters of a managed policy, without white space (IAM User Guide, "IAM and STS quotas")."""

LONGEST_REGION = "ap-southeast-1"
KEY = "arn:aws:kms:sa-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
LONGEST = f"""
  name_prefix                  = "a2345678-0-2345678-0"
  bucket_names_map             = {{ sor = "{"a" * 63}", sot = "{"b" * 63}", spec = "{"c" * 63}" }}
  flag_create_buckets          = null
  sqs_tickers_acoes_queue_name = "{"a" * 76}"
  sqs_tickers_fiis_queue_name  = "{"b" * 76}"
  kms_key_arn                  = "{KEY}"
  bucket_kms_key_arns          = ["{KEY[:-1]}1", "{KEY[:-1]}2", "{KEY[:-1]}3"]
  bucket_notifications         = "eventbridge"
  awssdkpandas_layer_arn       = "arn:aws:lambda:sa-east-1:336392948345:layer:AWSSDKPandas-Python313:1"
"""
LONGEST_NAMES = {
    "aws_athena_named_query.name": 128,
    "aws_athena_workgroup.name": 128,
    "aws_cloudwatch_event_rule.name": 64,
    "aws_cloudwatch_log_group.name": 512,
    "aws_cloudwatch_metric_alarm.alarm_name": 255,
    "aws_glue_catalog_database.name": 255,
    "aws_glue_catalog_table.name": 255,
    "aws_iam_role.name": 64,
    "aws_iam_role_policy.name": 128,
    "aws_lambda_function.function_name": 64,
    "aws_lambda_layer_version.layer_name": 140,
    "aws_s3_bucket.bucket": 63,
    "aws_scheduler_schedule.name": 64,
    "aws_sfn_state_machine.name": 80,
    "aws_sns_topic.name": 256,
    "aws_sqs_queue.name": 80,
}
"""Characters that AWS accepts, according to the reference of the call that creates the resource."""
TAG = re.compile(r"[\w .:/=+@-]{1,256}")
"""A tag key or value for S3, which accepts less than other services (S3 User Guide, "Tagging")."""


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory, env: dict[str, str]) -> dict[str, Any]:
    """Return the plan of the complete example with the longest names and every optional key."""
    checkout = Checkout(
        tmp_path_factory.mktemp("limits") / "checkout",
        env={**env, "TF_VAR_alarm_email": "me@example.com"},
        inputs=LONGEST,
        example="complete",
    )
    return dict(checkout.plan()["planned_values"])


@pytest.fixture(scope="module")
def found(planned: dict[str, Any]) -> dict[str, Any]:
    return resources_of(planned)


@pytest.mark.parametrize("output", ["operator_policy_json", "reader_policy_json"])
def test_a_policy_output_with_the_longest_names_fits_a_managed_policy(
    planned: dict[str, Any], output: str
) -> None:
    policy = planned["outputs"][output]["value"].replace("sa-east-1", LONGEST_REGION)

    assert len(json.dumps(json.loads(policy), separators=(",", ":"))) <= MANAGED_POLICY


@pytest.mark.parametrize("attribute", LONGEST_NAMES)
def test_aws_accepts_the_longest_names(found: dict[str, Any], attribute: str) -> None:
    kind, name = attribute.split(".")
    names = [values[name] for values in of_type(found, kind)]

    assert names
    assert [one for one in names if len(one) > LONGEST_NAMES[attribute]] == []


def test_the_limits_cover_every_named_resource(found: dict[str, Any]) -> None:
    named = {
        f"{re.search(r'aws_[a-z0-9_]+', address)[0]}.{attribute}"
        for address, values in found.items()
        for attribute in ("name", "function_name", "layer_name", "alarm_name", "bucket")
        if isinstance(values.get(attribute), str)
    }
    of_another = {name for name in named if name.endswith(".bucket") and name != "aws_s3_bucket.bucket"}
    of_another |= {name for name in named if name.endswith(".function_name") and "_function." not in name}

    assert named - of_another <= set(LONGEST_NAMES)


def test_the_key_of_the_complete_example_admits_no_other_account(found: dict[str, Any]) -> None:
    documents = policies(found)

    assert "aws_kms_key.lake: policy" in documents
    check_policies(documents)


def test_aws_accepts_tags_and_time_zone(found: dict[str, Any]) -> None:
    zones = {one["schedule_expression_timezone"] for one in of_type(found, "aws_scheduler_schedule")}
    assert zones <= available_timezones()
    for address, values in found.items():
        tags = values.get("tags_all") or {}
        assert len(tags) <= (10 if "aws_s3_object." in address else 50)
        assert [text for text in (*tags, *tags.values()) if not TAG.fullmatch(text)] == []
