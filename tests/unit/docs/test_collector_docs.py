"""docs/collector.md agrees with the collector."""

from __future__ import annotations

import re
from pathlib import Path

from collector import errors
from collector.__main__ import INTERRUPTED, _parser

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "collector.md").read_text(encoding="utf-8")


def test_every_option_is_documented_once_and_every_documented_one_exists() -> None:
    options = {option for action in _parser()._actions for option in action.option_strings if option != "-h"}

    documented = re.findall(r"^\| `(--[a-z]+)` \|", PAGE, re.MULTILINE)
    assert sorted(documented) == sorted(options)


def test_every_exit_status_is_documented_once_and_every_documented_one_exists() -> None:
    statuses = {error.status for error in errors.CollectorError.__subclasses__()} | {0, 2, INTERRUPTED}

    documented = re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)
    assert sorted(map(int, documented)) == sorted(statuses)
