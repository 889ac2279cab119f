"""`make` and CI run all commands with the functions' Python version."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
ASK = "found:\n\t$(info $(PYTHON) $(RUNS))\n\t@:\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return a folder with ``bin`` and a makefile. The ``python3.x`` in ``bin`` always fails."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    make = shutil.which("make")
    assert make is not None
    (binaries / "make").symlink_to(make)
    (tmp_path / "ask.mk").write_text(ASK)
    write_command(binaries / f"python{MINOR}", "exit 127")
    return tmp_path


def write_command(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def python_found(machine: Path, *arguments: str) -> list[str]:
    said = subprocess.run(
        ["make", "-f", "Makefile", "-f", str(machine / "ask.mk"), *arguments, "found"],
        cwd=PROJECT,
        env={"PATH": str(machine / "bin"), "HOME": str(machine)},
        check=True,
        capture_output=True,
        text=True,
    )
    return said.stdout.split()


def test_a_python_on_the_path_that_really_runs_is_used(machine: Path) -> None:
    write_command(machine / "bin" / f"python{MINOR}", f'exec {sys.executable} "$@"')

    assert python_found(machine, f"PYTHONS={MINOR}") == [f"python{MINOR}", f".venv/.made-runs-{MINOR}"]


def test_a_python_is_found_under_pyenv_if_the_path_has_only_a_shim(machine: Path) -> None:
    python = machine / ".pyenv" / "versions" / f"{MINOR}.0" / "bin" / "python"
    write_command(python, f'exec {sys.executable} "$@"')

    assert python_found(machine, f"PYTHONS={MINOR}") == [str(python), f".venv/.made-runs-{MINOR}"]


def test_ci_uses_only_the_python_version_of_the_functions(machine: Path) -> None:
    command = (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1].split()

    assert "PYTHONS=3.13" in command
    assert python_found(machine, "PYTHONS=3.13") == [".venv/.made-runs-"]


def test_a_python_that_is_too_old_is_named_and_the_environment_stays(machine: Path) -> None:
    old = machine / "python3.9"
    write_command(old, """case "$2" in *print*) echo 3.9;; *) exit 1;; esac""")
    environment = machine / "venv"
    environment.mkdir()
    said = subprocess.run(
        ["make", f"PYTHON={old}", f"VENV={environment}", "venv"],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert said.returncode != 0
    assert f"{old} is Python 3.9, and this needs 3.11 or newer" in said.stderr
    assert environment.exists()
