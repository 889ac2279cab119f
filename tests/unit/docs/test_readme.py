"""The README says what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_tables_of_inputs_and_outputs_are_those_of_the_code() -> None:
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs" / "tables.py")
    assert spec is not None and spec.loader is not None
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)

    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert tables.render(readme) == readme, "stale tables: run `make docs`"
