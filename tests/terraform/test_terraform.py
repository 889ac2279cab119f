"""Terraform's own checks: format, validity of every root, and the tests under tests/terraform."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sandbox.terraform import Terraform, find_terraform, provider_env

pytestmark = pytest.mark.terraform

PROJECT = Path(__file__).resolve().parents[2]
ROOTS = [
    ".",
    *sorted(str(path.parent.relative_to(PROJECT)) for path in PROJECT.glob("examples/*/versions.tf")),
]
TEST_DIRECTORY = "tests/terraform"


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
def test_root_is_valid(root: str, provider: dict[str, str], tmp_path: Path) -> None:
    terraform = Terraform(PROJECT / root, tmp_path, provider)
    terraform.run("init", "-backend=false")

    _, said = terraform.run("validate")

    assert "Warning" not in said


def test_the_module_passes_its_own_tests(provider: dict[str, str], tmp_path: Path) -> None:
    terraform = Terraform(PROJECT, tmp_path, provider)
    terraform.run("init", "-backend=false", f"-test-directory={TEST_DIRECTORY}")

    _, said = terraform.run("test", f"-test-directory={TEST_DIRECTORY}")

    assert "0 failed" in said
