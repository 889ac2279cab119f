"""The roles of the CI example plan, apply, upgrade and destroy examples/complete with just their policies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from consumer import PROJECT, Checkout, ModuleRepository
from policies import wrong_with_policy

from sandbox.emulator import ACCOUNT_ID, Emulator

pytestmark = [pytest.mark.e2e, pytest.mark.full]

POLICIES = {
    role: json.loads((PROJECT / "examples" / "github-actions" / f"{role}-policy.json").read_text())
    for role in ("plan", "apply")
}
NOT_SEEN = "OnlyAwsAsksFor"
"""Statements of what AWS asks for and the emulator does not: docs/permissions.md says of each where from."""

NOT_GRANTED = {"iam:GetUser"}
"""The provider does without it: it asks STS next, which needs no grant."""

RAW_BUCKET = f"pynvest-sor-{ACCOUNT_ID}-sa-east-1"

NO_FAULT = "RESOURCE_POLICY_PRIVILEGE_ESCALATION"
"""Who may write a bucket's policy may reach its objects, as docs/permissions.md says."""

NAMED_BY_THE_PREFIX = """
  name_prefix                  = "pynvest"
  bucket_names_map             = null
  databases_names_map          = null
  sqs_tickers_acoes_queue_name = null
  sqs_tickers_fiis_queue_name  = null
  force_destroy                = true
"""
CHANGED = """
  functions_memory_size             = 512
  module_default_tags               = { project = "another" }
  sqs_lambda_trigger_batch_size     = 20
  sqs_visibility_timeout_seconds    = 900
  log_retention_days                = 14
  schedule_timezone                 = "UTC"
  athena_results_retention_days     = 5
"""


def next_version(module: Path) -> None:
    """Change a handler, a comment of a column, the workflow and the roles' trust."""
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
    """What the roles did, from the first plan to the end."""

    planned: str
    drift: dict[str, list[str]]
    upgrade: dict[str, list[str]]
    destroyed: str
    asked: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    """The decisions on each action that a role asked for."""


@pytest.fixture(scope="module")
def keys(emulator: Emulator) -> dict[str, dict[str, str]]:
    """Make the two roles, and return the environment of each."""
    iam, sts = emulator.client("iam"), emulator.client("sts")
    account = {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": account}
    made = {}
    for role, policy in POLICIES.items():
        arn = iam.create_role(
            RoleName=role,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )["Role"]["Arn"]
        iam.put_role_policy(RoleName=role, PolicyName="only", PolicyDocument=json.dumps(policy))
        key = sts.assume_role(RoleArn=arn, RoleSessionName="ci")["Credentials"]
        made[role] = {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_SESSION_TOKEN": key["SessionToken"],
        }
    return made


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
        made = Checkout(
            directory / name,
            source=repository.source(version),
            state=directory / "terraform.tfstate",
            env={**env, **keys[role], "TF_VAR_alarm_email": "me@example.com"},
            inputs=NAMED_BY_THE_PREFIX + inputs,
            example="complete",
            default_tags={"company": "ours"},
        )
        made.terraform("init")
        return made

    planned = checkout("plan", "plan").terraform("plan")
    checkout("apply", "apply").apply()
    drift = checkout("plan-again", "plan").changes()
    upgrade = checkout("plan-upgrade", "plan", "v2", CHANGED).changes()
    upgraded = checkout("upgrade", "apply", "v2", CHANGED)
    upgraded.apply()
    emulator.client("s3").put_object(Bucket=RAW_BUCKET, Key="what/a/day/left", Body=b"")
    made = Deployed(planned, drift, upgrade, upgraded.destroy())
    for line in emulator.authorization_log.read_text().splitlines():
        note = json.loads(line)
        for role in POLICIES:
            if f":assumed-role/{role}/" in note["principal"]:
                decisions = made.asked.setdefault(role, {}).setdefault(note["action"], set())
                decisions.add(note["decision"])
    return made


def actions(role: str, *, seen: bool) -> Iterator[str]:
    """Give the actions that a policy grants: those that the emulator asks for, or those of AWS alone."""
    for statement in POLICIES[role]["Statement"]:
        if statement["Sid"].startswith(NOT_SEEN) != seen:
            yield from statement["Action"]


def test_the_roles_plan_apply_upgrade_and_destroy(deployed: Deployed) -> None:
    assert "Plan: " in deployed.planned
    # The emulator reads alarms back wrong.
    assert {address.split("[")[0] for address in deployed.drift} <= {"aws_cloudwatch_metric_alarm.this"}
    kinds = {address.split("[")[0].rsplit(".", 2)[-2] for address in deployed.upgrade}
    assert {"aws_lambda_function", "aws_glue_catalog_table", "aws_sfn_state_machine", "aws_iam_role"} <= kinds
    assert "Destroy complete!" in deployed.destroyed


@pytest.mark.parametrize("role", POLICIES)
def test_a_role_is_refused_nothing_that_it_needs(deployed: Deployed, role: str) -> None:
    refused = {action for action, decisions in deployed.asked[role].items() if decisions - {"Allow"}}

    assert refused <= NOT_GRANTED


@pytest.mark.parametrize("role", POLICIES)
def test_a_role_is_granted_nothing_that_nothing_used(deployed: Deployed, role: str) -> None:
    used = {action for action, decisions in deployed.asked[role].items() if decisions == {"Allow"}}

    assert set(actions(role, seen=True)) == used


def test_the_role_that_plans_may_only_look() -> None:
    verbs = {action.split(":")[1] for action in actions("plan", seen=True)}

    assert [verb for verb in verbs if not verb.startswith(("Get", "List", "Describe", "Validate"))] == []


@pytest.mark.parametrize("role", POLICIES)
def test_the_policies_are_ones_that_aws_takes(role: str) -> None:
    """A role takes 10,240 characters of policies of its own, white space aside."""
    assert [wrong for wrong in wrong_with_policy(POLICIES[role]) if not wrong.startswith(NO_FAULT)] == []
    assert len(json.dumps(POLICIES[role], separators=(",", ":"))) < 10_240


@pytest.mark.parametrize("role", POLICIES)
def test_every_action_that_only_aws_asks_for_is_explained(role: str) -> None:
    page = (PROJECT / "docs" / "permissions.md").read_text()

    assert [action for action in actions(role, seen=False) if f"`{action}`" not in page] == []


def test_what_another_made_is_out_of_reach(
    deployed: Deployed, emulator: Emulator, keys: dict[str, dict[str, str]]
) -> None:
    simulate: Any = emulator.client("iam").simulate_principal_policy
    here = f"sa-east-1:{ACCOUNT_ID}"
    others = {
        "s3:DeleteBucket": "arn:aws:s3:::somebody-elses",
        "s3:GetObject": f"arn:aws:s3:::{RAW_BUCKET}/a/row",
        "lambda:UpdateFunctionCode": f"arn:aws:lambda:{here}:function:other",
        "iam:PutRolePolicy": f"arn:aws:iam::{ACCOUNT_ID}:role/other",
        "glue:DeleteTable": f"arn:aws:glue:{here}:database/other",
        "sqs:DeleteQueue": f"arn:aws:sqs:{here}:other",
    }

    decisions = {
        action: simulate(
            PolicySourceArn=f"arn:aws:iam::{ACCOUNT_ID}:role/apply",
            ActionNames=[action],
            ResourceArns=[resource],
        )["EvaluationResults"][0]["EvalDecision"]
        for action, resource in others.items()
    }

    assert set(decisions.values()) == {"implicitDeny"}
