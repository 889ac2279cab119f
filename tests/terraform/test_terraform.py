"""Run the module's Terraform tests, and plan the examples and the documentation's module blocks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.terraform import Terraform

pytestmark = pytest.mark.terraform

PROJECT = Path(__file__).resolve().parents[2]
APPLIED = {"local", "minimal"}
"""Examples that tests apply to the emulator."""
EXAMPLES = sorted({path.parent.name for path in PROJECT.glob("examples/*/versions.tf")} - APPLIED)
TEST_DIRECTORY = "tests/terraform"
MODULE_BLOCK = re.compile(r"```hcl\n(module .*?)```", re.DOTALL)
MODULE_BLOCKS = {
    f"{path.stem}-{number}": block
    for path in [PROJECT / "README.md", *sorted(PROJECT.glob("docs/*.md"))]
    for number, block in enumerate(MODULE_BLOCK.findall(path.read_text(encoding="utf-8")))
}
COMPATIBILITY = (PROJECT / "docs" / "compatibility.md").read_text(encoding="utf-8")
MOCKED_PROVIDER = COMPATIBILITY.partition("```hcl\nmock_provider")[2].partition("```")[0]
PLAN = f"""
mock_provider{MOCKED_PROVIDER}

run "plan" {{
  command = plan

  module {{
    source = "ROOT"
  }}
}}
"""


def test_the_module_passes_its_own_tests(provider: dict[str, str], tmp_path: Path) -> None:
    terraform = Terraform(PROJECT, tmp_path, provider)
    terraform.run("init", "-backend=false", f"-test-directory={TEST_DIRECTORY}")

    _, said = terraform.run("test", f"-test-directory={TEST_DIRECTORY}")

    assert "0 failed" in said
    assert "Warning" not in said


@pytest.fixture(scope="module")
def planned(provider: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Plan each example and each module block in the documentation, and return the output of the plans.

    The plans use the mock provider of docs/compatibility.md. Each run has its own file, because Terraform
    skips the rest of a file after a failed run.
    """
    root = tmp_path_factory.mktemp("root")
    (root / "main.tf").write_text("terraform {}\n")  # `init` installs nothing in an empty folder
    (root / "pynvest-tools").symlink_to(PROJECT)
    folders = {name: f"pynvest-tools/examples/{name}" for name in EXAMPLES}
    for name, block in MODULE_BLOCKS.items():
        folders[name] = name
        packages = root / name / "packages"
        packages.mkdir(parents=True)
        (packages / "layer-0123456789abcdef.zip").touch()
        (root / name / "provider.tf").write_text('provider "aws" {\n  region = "sa-east-1"\n}\n')
        (root / name / "pynvest-tools").symlink_to(PROJECT)
        (root / name / "main.tf").write_text(block)
    for name, folder in folders.items():
        (root / f"{name}.tftest.hcl").write_text(PLAN.replace("ROOT", f"./{folder}"))
    required = {"alarm_email": "me@example.com", "fundamentus_base_url": "http://127.0.0.1:9"}
    env = {**provider, **{f"TF_VAR_{name}": value for name, value in required.items()}}
    terraform = Terraform(root, tmp_path_factory.mktemp("data"), env)
    terraform.run("init")
    return terraform.run("test", statuses=(0, 1))[1]


@pytest.mark.parametrize("root", [*EXAMPLES, *MODULE_BLOCKS])
def test_examples_and_documented_module_blocks_can_be_planned_unchanged(planned: str, root: str) -> None:
    assert f"{root}.tftest.hcl... pass" in planned
    assert "Warning" not in planned
