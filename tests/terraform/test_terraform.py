"""Terraform's own checks: format, validity of every root, and the tests under tests/terraform."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from sandbox.terraform import Terraform, find_terraform, provider_env

pytestmark = pytest.mark.terraform

PROJECT = Path(__file__).resolve().parents[2]
PLANNED = ["minimal", "boundary", "collector", "own-buckets", "two-lakes"]
"""The examples that can be planned with a mocked provider: a plan includes the validation."""
EXAMPLES = sorted(path.parent.name for path in PROJECT.glob("examples/*/versions.tf"))
ROOTS = [".", *(f"examples/{name}" for name in EXAMPLES if name not in PLANNED)]
TEST_DIRECTORY = "tests/terraform"
MODULE_BLOCK = re.compile(r"```hcl\n(module .*?)```", re.DOTALL)
MODULE_BLOCKS = {
    f"{path.relative_to(PROJECT)}-{number}": block
    for path in [PROJECT / "README.md", *sorted(PROJECT.glob("docs/*.md"))]
    for number, block in enumerate(MODULE_BLOCK.findall(path.read_text(encoding="utf-8")))
}
COMPATIBILITY = (PROJECT / "docs" / "compatibility.md").read_text(encoding="utf-8")
MOCKED_PROVIDER = COMPATIBILITY.partition("```hcl\nmock_provider")[2].partition("```")[0]
PLAN = f"""
mock_provider{MOCKED_PROVIDER}

run "plan" {{
  command = plan
}}
"""


@pytest.fixture(scope="session")
def provider() -> dict[str, str]:
    return provider_env(PROJECT / ".local")


def test_every_file_is_formatted() -> None:
    check = subprocess.run(
        [find_terraform(), "fmt", "-check", "-recursive", "-diff", str(PROJECT)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (check.returncode, check.stdout) == (0, "")


@pytest.mark.parametrize("root", ROOTS)
def test_root_is_valid_as_it_lies_there(root: str, provider: dict[str, str], tmp_path: Path) -> None:
    terraform = Terraform(PROJECT / root, tmp_path, provider)
    terraform.run("init")

    _, said = terraform.run("validate")

    assert "Warning" not in said


def test_the_module_passes_its_own_tests(provider: dict[str, str], tmp_path: Path) -> None:
    terraform = Terraform(PROJECT, tmp_path, provider)
    terraform.run("init", "-backend=false", f"-test-directory={TEST_DIRECTORY}")

    _, said = terraform.run("test", f"-test-directory={TEST_DIRECTORY}")

    assert "0 failed" in said


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the folder of a consumer's root module, with the repository and an already built package."""
    root = tmp_path / "root"
    (root / "packages").mkdir(parents=True)
    (root / "packages" / "layer-0123456789abcdef.zip").touch()
    (root / "provider.tf").write_text('provider "aws" {\n  region = "sa-east-1"\n}\n')
    (root / "pynvest-tools").symlink_to(PROJECT)
    return root


@pytest.mark.parametrize("block", MODULE_BLOCKS.values(), ids=MODULE_BLOCKS)
def test_a_module_block_of_the_documentation_is_valid_as_pasted(
    block: str, root: Path, provider: dict[str, str], tmp_path: Path
) -> None:
    (root / "main.tf").write_text(block)
    terraform = Terraform(root, tmp_path, provider)
    terraform.run("init")

    _, said = terraform.run("validate")

    assert "Success!" in said


def test_the_module_block_of_the_readme_plans_with_the_mocked_provider_of_the_documentation(
    root: Path, provider: dict[str, str], tmp_path: Path
) -> None:
    (root / "main.tf").write_text(MODULE_BLOCKS["README.md-0"])
    (root / "plan.tftest.hcl").write_text(PLAN)
    terraform = Terraform(root, tmp_path, provider)
    terraform.run("init")

    _, said = terraform.run("test")

    assert "1 passed, 0 failed" in said


@pytest.mark.parametrize("example", PLANNED)
def test_an_example_plans(example: str, root: Path, provider: dict[str, str], tmp_path: Path) -> None:
    (root / "provider.tf").unlink()
    directory = PROJECT / "examples" / example
    for path in (*directory.glob("*.tf"), *directory.glob("*.json")):
        (root / path.name).write_text(path.read_text().replace('"../.."', '"./pynvest-tools"'))
    (root / "plan.tftest.hcl").write_text(PLAN)
    terraform = Terraform(root, tmp_path, provider)
    terraform.run("init")

    _, said = terraform.run("test")

    assert "1 passed, 0 failed" in said
    assert "Warning" not in said
