"""The examples use the inputs, outputs, versions and columns that the current module has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from b3.days import PARTITION_KEY
from pynvest_lake.contract import QUALITY, table_schema

PROJECT = Path(__file__).resolve().parents[3]


def test_the_complete_example_sets_every_input() -> None:
    inputs = set(re.findall(r'^variable "(\w+)"', (PROJECT / "variables.tf").read_text(), re.M))
    example = (PROJECT / "examples" / "complete" / "main.tf").read_text()
    block = re.search(r'^module "pynvest_tools" \{\n(.*?)^\}', example, re.M | re.DOTALL)
    assert block

    assert set(re.findall(r"^  (\w+) += ", block[1], re.M)) - {"source"} == inputs


def test_the_complete_example_shows_a_locked_and_encrypted_state() -> None:
    versions = (PROJECT / "examples" / "complete" / "versions.tf").read_text()
    backend = re.search(r'^  # backend "s3" \{\n(.*?)^  # \}', versions, re.M | re.DOTALL)
    assert backend

    assert {"encrypt", "use_lockfile"} <= set(re.findall(r"^  #   (\w+) += true\b", backend[1], re.M))


def test_the_minimal_example_has_the_output_that_the_readme_reads() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"terraform output -json (\w+)", readme)
    outputs = (PROJECT / "examples" / "minimal" / "outputs.tf").read_text()

    assert named == ["workflow"]
    assert f'output "{named[0]}"' in outputs


WORKFLOWS = [
    PROJECT / ".github" / "workflows" / "ci.yml",
    *sorted((PROJECT / "examples" / "github-actions").glob("*.yml")),
]


def content_of(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    """Return the workflow of the example for GitHub Actions."""
    return content_of(PROJECT / "examples" / "github-actions" / "deploy.yml")


def with_of(job: dict[str, Any], action: str) -> dict[str, Any]:
    """Return the inputs that a job passes to an action."""
    (step,) = (step for step in job["steps"] if step.get("uses", "").startswith(f"{action}@"))
    return dict(step["with"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_names_its_actions_by_commit(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    jobs = content_of(path)["jobs"].values()

    assert len(used) == sum("uses" in step for job in jobs for step in job["steps"])
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action) for action in used)


def test_the_workflows_name_the_same_commit_of_an_action() -> None:
    used = {action for path in WORKFLOWS for action in re.findall(r"uses: (.*)", path.read_text())}

    assert len(used) == len({action.partition("@")[0] for action in used})


def test_the_matrix_has_each_tested_terraform_and_the_documented_provider_versions() -> None:
    compat = content_of(PROJECT / "examples" / "github-actions" / "compat.yml")
    matrix = compat["jobs"]["check"]["strategy"]["matrix"]
    page = (PROJECT / "docs" / "compatibility.md").read_text(encoding="utf-8")
    versions = (PROJECT / "versions.tf").read_text()
    least, run, newest = matrix["provider"]
    terraforms = {cli["version"] for cli in matrix["cli"] if cli["command"] == "terraform"}

    assert terraforms == set(re.findall(r"^\| Terraform ([\d.]+) \|", page, re.M))
    assert f'version = ">= {least.removesuffix(".0")}, < 7.0"' in versions
    assert newest == "~> 6.0"
    assert f"All tests ran with AWS provider {run} only." in page


def test_every_example_accepts_the_terraform_versions_of_the_module() -> None:
    for versions in (PROJECT / "versions.tf", *PROJECT.glob("examples/*/versions.tf")):
        assert 'required_version = ">= 1.6"' in versions.read_text(), versions


def test_only_the_protected_environment_gets_the_apply_role(workflow: dict[str, Any]) -> None:
    plan, apply = workflow["jobs"]["plan"], workflow["jobs"]["apply"]
    credentials = "aws-actions/configure-aws-credentials"

    assert with_of(plan, credentials)["role-to-assume"] == "${{ vars.AWS_PLAN_ROLE_ARN }}"
    assert with_of(apply, credentials)["role-to-assume"] == "${{ vars.AWS_APPLY_ROLE_ARN }}"
    assert "environment" not in plan
    assert (apply["environment"], apply["if"]) == ("production", "github.event_name == 'push'")


def test_the_plan_is_stored_for_a_day_and_applied_with_the_locked_provider(
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


def test_the_form_for_a_bad_day_queries_columns_of_the_quality_table() -> None:
    form = (PROJECT / ".github" / "ISSUE_TEMPLATE" / "bad-day.yml").read_text(encoding="utf-8")
    asked = re.search(r"SELECT (.+) FROM \S+?\.(\w+) WHERE (\w+) =", form)

    assert asked is not None
    assert asked[2] == QUALITY
    assert set(asked[1].split(", ")) <= set(table_schema(QUALITY).arrow.names)
    assert asked[3] == PARTITION_KEY
