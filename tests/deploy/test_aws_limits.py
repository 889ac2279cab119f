"""The values in plans and outputs stay within AWS limits that the emulator does not check."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import pytest
from consumer import PROJECT, Checkout
from policies import lets_any_account_in, policies, wrong_with_policy

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
ENVIRONMENT = 4_096
"""Maximum bytes of all variables of a function (Lambda Developer Guide, "Quotas")."""
MOST_MEMORY_USED = 200
"""Peak memory of any function in MB, for a day of 1,450 assets (docs/performance.md)."""


def resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the planned resources of a module and of its child modules."""
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from resources(child)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory, env: dict[str, str]) -> dict[str, Any]:
    """Return the plan of the complete example with the longest names and every optional key."""
    directory = tmp_path_factory.mktemp("limits")
    checkout = Checkout(
        directory / "checkout",
        source=str(PROJECT),
        state=Path(directory / "terraform.tfstate"),
        env={**env, "TF_VAR_alarm_email": "me@example.com"},
        inputs=LONGEST,
        example="complete",
    )
    checkout.terraform("init")
    checkout.terraform("plan", "-out=limits.tfplan")
    return dict(json.loads(checkout.terraform("show", "-json", "limits.tfplan"))["planned_values"])


@pytest.mark.parametrize("output", ["operator_policy_json", "reader_policy_json"])
def test_a_policy_to_attach_fits_a_managed_policy_with_the_longest_names(
    planned: dict[str, Any], output: str
) -> None:
    policy = planned["outputs"][output]["value"].replace("sa-east-1", LONGEST_REGION)

    assert len(json.dumps(json.loads(policy), separators=(",", ":"))) <= MANAGED_POLICY


@pytest.mark.parametrize("attribute", LONGEST_NAMES)
def test_the_longest_names_are_ones_that_aws_takes(planned: dict[str, Any], attribute: str) -> None:
    kind, name = attribute.split(".")
    names = [one["values"][name] for one in resources(planned["root_module"]) if one["type"] == kind]

    assert names
    assert [one for one in names if len(one) > LONGEST_NAMES[attribute]] == []


def test_each_resource_with_a_name_is_held_to_its_limit(planned: dict[str, Any]) -> None:
    named = {
        f"{one['type']}.{attribute}"
        for one in resources(planned["root_module"])
        for attribute in ("name", "function_name", "layer_name", "alarm_name", "bucket")
        if isinstance(one.get("values", {}).get(attribute), str)
    }
    of_another = {name for name in named if name.endswith(".bucket") and name != "aws_s3_bucket.bucket"}
    of_another |= {name for name in named if name.endswith(".function_name") and "_function." not in name}

    assert named - of_another <= set(LONGEST_NAMES)


def test_each_function_has_more_memory_than_a_day_takes(planned: dict[str, Any]) -> None:
    sizes = [
        one["values"]["memory_size"]
        for one in resources(planned["root_module"])
        if one["type"] == "aws_lambda_function"
    ]

    assert len(sizes) == 11
    assert min(sizes) >= 1.25 * MOST_MEMORY_USED


def values(planned: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the planned values of each resource of a type."""
    return [one.get("values", {}) for one in resources(planned["root_module"]) if one["type"] == kind]


def test_the_topic_s_policy_names_no_role_and_has_no_condition_that_eventbridge_does_not_send(
    planned: dict[str, Any],
) -> None:
    (topic,) = values(planned, "aws_sns_topic_policy")
    statements = json.loads(topic["policy"])["Statement"]

    assert ":role/" not in topic["policy"]  # after the role is deleted, SNS would refuse the policy
    (of_events,) = [one for one in statements if one["Principal"] == {"Service": "events.amazonaws.com"}]
    assert "Condition" not in of_events


def test_the_complete_example_plans_a_key_that_lets_no_other_account_in(planned: dict[str, Any]) -> None:
    found = dict(
        policies({one["address"]: one.get("values", {}) for one in resources(planned["root_module"])})
    )

    assert "aws_kms_key.lake: policy" in found
    assert {where: wrong for where, policy in found.items() if (wrong := wrong_with_policy(policy))} == {}
    assert [where for where, policy in found.items() if lets_any_account_in(policy)] == []


def test_runtime_tags_and_time_zone_are_ones_that_aws_takes(planned: dict[str, Any]) -> None:
    assert {one["runtime"] for one in values(planned, "aws_lambda_function")} == {"python3.13"}
    zones = {one["schedule_expression_timezone"] for one in values(planned, "aws_scheduler_schedule")}
    assert zones <= available_timezones()
    for one in resources(planned["root_module"]):
        tags = one.get("values", {}).get("tags_all") or {}
        assert len(tags) <= (10 if one["type"] == "aws_s3_object" else 50)
        assert [text for text in (*tags, *tags.values()) if not TAG.fullmatch(text)] == []


def test_what_is_known_of_environments_leaves_room_for_the_rest(planned: dict[str, Any]) -> None:
    known = [
        one["environment"][0]["variables"]
        for one in values(planned, "aws_lambda_function")
        if one["environment"][0].get("variables")
    ]

    assert known
    assert max(len(json.dumps(variables)) for variables in known) <= ENVIRONMENT
