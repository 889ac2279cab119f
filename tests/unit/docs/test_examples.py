"""The examples keep up with the module."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[3]


def test_the_complete_example_sets_every_input() -> None:
    inputs = set(re.findall(r'^variable "(\w+)"', (PROJECT / "variables.tf").read_text(), re.M))
    example = (PROJECT / "examples" / "complete" / "main.tf").read_text()
    block = re.search(r'^module "pynvest_tools" \{\n(.*?)^\}', example, re.M | re.DOTALL)
    assert block

    assert set(re.findall(r"^  (\w+) += ", block[1], re.M)) - {"source"} == inputs


def test_the_complete_example_locks_and_encrypts_its_state() -> None:
    versions = (PROJECT / "examples" / "complete" / "versions.tf").read_text()
    backend = re.search(r'^  backend "s3" \{\n(.*?)^  \}', versions, re.M | re.DOTALL)
    assert backend

    assert {"encrypt", "use_lockfile"} <= set(re.findall(r"^    (\w+) += true\b", backend[1], re.M))


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    """Return the workflow that applies a root."""
    path = PROJECT / "examples" / "github-actions" / "deploy.yml"
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def with_of(job: dict[str, Any], action: str) -> dict[str, Any]:
    """Return what a job hands an action."""
    (step,) = (step for step in job["steps"] if step.get("uses", "").startswith(f"{action}@"))
    return dict(step["with"])


def test_the_workflow_names_its_actions_by_commit(workflow: dict[str, Any]) -> None:
    text = (PROJECT / "examples" / "github-actions" / "deploy.yml").read_text(encoding="utf-8")
    used = re.findall(r"uses: (.*)", text)

    assert len(used) == sum("uses" in step for job in workflow["jobs"].values() for step in job["steps"])
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action) for action in used)


def test_only_the_protected_environment_gets_the_role_that_applies(workflow: dict[str, Any]) -> None:
    plan, apply = workflow["jobs"]["plan"], workflow["jobs"]["apply"]
    credentials = "aws-actions/configure-aws-credentials"

    assert with_of(plan, credentials)["role-to-assume"] == "${{ vars.AWS_PLAN_ROLE_ARN }}"
    assert with_of(apply, credentials)["role-to-assume"] == "${{ vars.AWS_APPLY_ROLE_ARN }}"
    assert "environment" not in plan
    assert (apply["environment"], apply["if"]) == ("production", "github.event_name == 'push'")


def test_what_is_planned_is_kept_for_a_day_and_applied_with_the_locked_provider(
    workflow: dict[str, Any],
) -> None:
    plan, apply = workflow["jobs"]["plan"], workflow["jobs"]["apply"]

    assert with_of(plan, "actions/upload-artifact")["retention-days"] == 1
    for job in (plan, apply):
        commands = [step["run"] for step in job["steps"] if "run" in step]
        assert commands[0] == "terraform init -lockfile=readonly"
    assert commands[-1] == f"terraform apply {with_of(plan, 'actions/upload-artifact')['path']}"


def test_the_workflow_sets_variables_that_the_complete_example_has(workflow: dict[str, Any]) -> None:
    variables = re.findall(
        r'^variable "(\w+)"', (PROJECT / "examples" / "complete" / "variables.tf").read_text(), re.M
    )

    set_here = {name.removeprefix("TF_VAR_") for name in workflow["env"] if name.startswith("TF_VAR_")}
    assert set_here
    assert set_here <= set(variables)
