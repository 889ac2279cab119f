"""docs/report.md documents every option of the report's command, and no other option."""

from __future__ import annotations

import re
from pathlib import Path

from report.__main__ import _parser

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "report.md").read_text(encoding="utf-8")


def test_every_option_is_documented_once_and_every_documented_one_exists() -> None:
    options = {option for action in _parser()._actions for option in action.option_strings if option != "-h"}

    documented = re.findall(r"^\| `(--[a-z]+)` \|", PAGE, re.MULTILINE)
    assert sorted(documented) == sorted(options - {"--help"})
