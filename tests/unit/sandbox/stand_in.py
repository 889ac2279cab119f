"""A command in Terraform's place."""

from __future__ import annotations

from pathlib import Path

import pytest


def stand_in_for_terraform(monkeypatch: pytest.MonkeyPatch, directory: Path, script: str) -> None:
    """Let a shell script, kept below the directory, be what is called as ``terraform``."""
    command = directory / "bin" / "terraform"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\n{script}")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")
