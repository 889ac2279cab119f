"""The roles of the CI example can plan, apply, upgrade and destroy examples/complete.

The tests take the required actions from the provider's log, because the emulator and AWS check different
actions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from consumer import PROJECT, Checkout, ModuleRepository
from policies import wrong_with_policy
from provider_calls import actions_called
from role import Role, may

from sandbox.emulator import ACCOUNT_ID, REGION, Emulator

pytestmark = [pytest.mark.e2e, pytest.mark.full]

POLICIES = {
    role: json.loads((PROJECT / "examples" / "github-actions" / f"{role}-policy.json").read_text())
    for role in ("plan", "apply")
}
NOT_SEEN = "OnlyAwsAsksFor"
"""Statements for actions that AWS checks in addition to the calls. docs/permissions.md gives the sources."""

NOT_GRANTED = {"iam:GetUser", "sts:GetCallerIdentity"}
"""Without the first action the provider calls STS, which needs no grant."""

HERE = f"{REGION}:{ACCOUNT_ID}"
RAW_BUCKET = f"pynvest-sor-{ACCOUNT_ID}-sa-east-1"

NO_FAULT = "RESOURCE_POLICY_PRIVILEGE_ESCALATION"
"""A role that may write a bucket policy may reach the bucket's objects, as docs/permissions.md says."""

NAMED_BY_THE_PREFIX = """
  name_prefix                  = "pynvest"
  bucket_names_map             = null
  databases_names_map          = null
  sqs_tickers_acoes_queue_name = null
  sqs_tickers_fiis_queue_name  = null
  force_destroy                = true
"""
CHANGED = """
  module_default_tags                = { project = "another" }
  bucket_notifications               = "eventbridge"
  permissions_boundary_arn           = "arn:aws:iam::aws:policy/PowerUserAccess"
  sqs_visibility_timeout_seconds     = 900
  sqs_message_retention_seconds      = 86400
  sqs_max_message_size               = 131072
  sqs_delay_seconds                  = 1
  sqs_receive_wait_time_seconds      = 10
  sqs_max_receive_count              = 2
  sqs_lambda_trigger_batch_size      = 20
  sqs_lambda_trigger_batch_window    = 6
  sqs_lambda_trigger_max_concurrency = 4
  functions_python_runtime           = "python3.12"
  functions_timeout                  = 240
  functions_memory_size              = 512
  fetch_from                         = "pages"
  pages_retention_days               = 60
  fundamentus_base_url               = "https://fundamentus.com.br"
  fetch_threads                      = 2
  fetch_timeout_seconds              = 10
  fetch_headers                      = {}
  schedules_enabled                  = false
  schedule_timezone                  = "UTC"
  schedule_expression_start          = "cron(45 21 ? * MON-FRI *)"
  schedule_expression_dedup          = "cron(0 22 ? * MON-FRI *)"
  dedup_wait_interval_seconds        = 60
  dedup_round_minutes                = [90]
  log_level                          = "DEBUG"
  quality_gate                       = "record"
  quality_reference_from             = 20261123
  daily_digest                       = false
  athena_bytes_scanned_cutoff        = 10485760
  athena_results_retention_days      = 5
  log_retention_days                 = 14
"""
"""A different value for each input that changes the resources."""

NOT_IN_PLACE = {
    "name_prefix": "new resources",
    "bucket_names_map": "new buckets",
    "flag_create_buckets": "no other resource",
    "kms_key_arn": "the emulator's log groups cannot lose a key: docs/permissions.md names these actions",
    "bucket_kms_key_arns": "part of the roles' policies, which another input changes",
    "databases_names_map": "new databases",
    "flag_create_databases": "no other resource",
    "sqs_tickers_acoes_queue_name": "new queues",
    "sqs_tickers_fiis_queue_name": "new queues",
    "awssdkpandas_layer_arn": "same as functions_python_runtime, which changes the layer",
    "awssdkpandas_layer_version": "same as functions_python_runtime, which changes the layer",
    "lambda_packages_dir": "read by Terraform only",
    "alarm_email": "a new subscription",
    "alarm_topic_arn": "replaces the module's own topic",
    "athena_enabled": "deletes the same resources as destroying the lake",
    "iam_role_path": "new roles",
    "force_destroy": "read by the provider only",
}


def next_version(module: Path) -> None:
    """Change a handler, a column comment, the workflow and the roles' trust policy."""
    for path, before, after in (
        ("lambda/src/prep_financial_data/handler.py", '"""', '""" '),
        ("glue/schemas/tbsot_fundamentus_indicadores_acoes_prep.json", '"comment": "', '"comment": "Novo: '),
        ("stepfunctions/main.tf", 'Comment = "', 'Comment = "New: '),
        ("lambda/iam.tf", '"aws:SourceAccount"', '"AWS:SourceAccount"'),
    ):
        text = (module / path).read_text()
        assert before in text, path
        (module / path).write_text(text.replace(before, after, 1))


@dataclass
class Deployed:
    planned: str
    drift: dict[str, str]
    upgrade: dict[str, str]
    destroyed: str
    called: dict[str, set[str]]
    """For each role, the actions of its calls."""


@pytest.fixture(scope="module")
def keys(emulator: Emulator) -> dict[str, dict[str, str]]:
    return {role: Role(emulator, role, json.dumps(policy)).env() for role, policy in POLICIES.items()}


@pytest.fixture(scope="module")
def deployed(
    tmp_path_factory: pytest.TempPathFactory,
    emulator: Emulator,
    env: dict[str, str],
    keys: dict[str, dict[str, str]],
) -> Deployed:
    directory = tmp_path_factory.mktemp("deployers")
    repository = ModuleRepository(directory / "pynvest-tools")
    repository.publish("v2", next_version, based_on="v1")

    def checkout(name: str, role: str, version: str = "v1", inputs: str = "") -> Checkout:
        return Checkout(
            directory / name,
            source=repository.source(version),
            env={
                **env,
                **keys[role],
                "TF_VAR_alarm_email": "me@example.com",
                "TF_LOG_PROVIDER": "DEBUG",
                "TF_LOG_PATH": str(directory / f"{role}.log"),
            },
            inputs=NAMED_BY_THE_PREFIX + inputs,
            example="complete",
            default_tags={"company": "ours"},
        )

    planned = checkout("plan", "plan").terraform("plan")
    checkout("apply", "apply").apply()
    drift = checkout("plan-again", "plan").changes()
    upgrade = checkout("plan-upgrade", "plan", "v2", CHANGED).changes()
    upgraded = checkout("upgrade", "apply", "v2", CHANGED)
    upgraded.apply()
    emulator.client("s3").put_object(Bucket=RAW_BUCKET, Key="what/a/day/left", Body=b"")
    destroyed = upgraded.destroy()
    called = {role: actions_called(directory / f"{role}.log") for role in POLICIES}
    return Deployed(planned, drift, upgrade, destroyed, called)


def actions(role: str, *, seen: bool) -> Iterator[str]:
    """Yield granted actions: those in the log if `seen`, otherwise those that only AWS checks."""
    for statement in POLICIES[role]["Statement"]:
        if statement["Sid"].startswith(NOT_SEEN) != seen:
            yield from statement["Action"]


def test_the_roles_plan_apply_upgrade_and_destroy(deployed: Deployed) -> None:
    assert "Plan: " in deployed.planned
    # The plan shows changes of alarms, because the emulator returns wrong values for alarms.
    assert {address.split("[")[0] for address in deployed.drift} <= {"aws_cloudwatch_metric_alarm.this"}
    kinds = {address.split("[")[0].rsplit(".", 2)[-2] for address in deployed.upgrade}
    assert {"aws_lambda_function", "aws_glue_catalog_table", "aws_sfn_state_machine", "aws_iam_role"} <= kinds
    assert "Destroy complete!" in deployed.destroyed


@pytest.mark.parametrize("role", POLICIES)
def test_a_role_is_granted_exactly_what_the_provider_calls(deployed: Deployed, role: str) -> None:
    assert set(actions(role, seen=True)) == deployed.called[role] - NOT_GRANTED


def test_every_input_that_can_change_in_place_is_changed() -> None:
    variables = set(re.findall(r'^variable "(\w+)"', (PROJECT / "variables.tf").read_text(), re.M))
    changed = set(re.findall(r"^  (\w+) +=", CHANGED, re.M))

    assert changed | set(NOT_IN_PLACE) == variables
    assert changed & set(NOT_IN_PLACE) == set()


def test_the_plan_role_may_only_read() -> None:
    verbs = {action.split(":")[1] for action in actions("plan", seen=True)}

    assert [verb for verb in verbs if not verb.startswith(("Get", "List", "Describe", "Validate"))] == []


@pytest.mark.parametrize("role", POLICIES)
def test_aws_accepts_the_policies(role: str) -> None:
    """AWS limits a role's inline policies to 10,240 characters in total, white space not counted."""
    assert [wrong for wrong in wrong_with_policy(POLICIES[role]) if not wrong.startswith(NO_FAULT)] == []
    assert len(json.dumps(POLICIES[role], separators=(",", ":"))) < 10_240


@pytest.mark.parametrize("role", POLICIES)
def test_every_action_that_only_aws_requires_is_explained(role: str) -> None:
    page = (PROJECT / "docs" / "permissions.md").read_text()

    assert [action for action in actions(role, seen=False) if f"`{action}`" not in page] == []


def test_the_apply_role_may_encrypt_schedules_with_a_given_key() -> None:
    """The EventBridge Scheduler User Guide lists these actions in "Using identity-based policies"."""
    asked = {"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"}

    assert asked - set(actions("apply", seen=False)) == set()


@pytest.mark.parametrize(
    ("action", "resource"),
    {
        "s3:DeleteBucket": "arn:aws:s3:::somebody-elses",
        "s3:GetObject": f"arn:aws:s3:::{RAW_BUCKET}/a/row",
        "lambda:UpdateFunctionCode": f"arn:aws:lambda:{HERE}:function:other",
        "iam:PutRolePolicy": f"arn:aws:iam::{ACCOUNT_ID}:role/other",
        "glue:DeleteTable": f"arn:aws:glue:{HERE}:database/other",
        "sqs:DeleteQueue": f"arn:aws:sqs:{HERE}:other",
    }.items(),
)
def test_the_apply_role_has_no_access_to_other_resources(
    deployed: Deployed, emulator: Emulator, action: str, resource: str
) -> None:
    assert may(emulator.client("iam"), "apply", resource, action) == []
