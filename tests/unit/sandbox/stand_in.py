"""A script that replaces Terraform."""

from __future__ import annotations

from pathlib import Path

import pytest


def stand_in_for_terraform(monkeypatch: pytest.MonkeyPatch, directory: Path, script: str) -> None:
    """Write a shell script below the directory and put it on the PATH as ``terraform``."""
    command = directory / "bin" / "terraform"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\n{script}")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")
