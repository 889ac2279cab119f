"""The examples keep up with the module."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]


def test_the_complete_example_sets_every_input() -> None:
    inputs = set(re.findall(r'^variable "(\w+)"', (PROJECT / "variables.tf").read_text(), re.M))
    example = (PROJECT / "examples" / "complete" / "main.tf").read_text()
    block = re.search(r'^module "pynvest_tools" \{\n(.*?)^\}', example, re.M | re.DOTALL)
    assert block

    assert set(re.findall(r"^  (\w+) += ", block[1], re.M)) - {"source"} == inputs
