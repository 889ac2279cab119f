"""The README and the dictionary of indicators say what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[3]


def load_tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs" / "tables.py")
    assert spec is not None and spec.loader is not None
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    return tables


def test_tables_of_inputs_and_outputs_are_those_of_the_code() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert load_tables().render(readme) == readme, "stale tables: run `make docs`"


def test_the_dictionary_of_indicators_is_that_of_the_contract() -> None:
    written = (ROOT / "docs" / "indicadores.md").read_text(encoding="utf-8")

    assert load_tables().indicators() == written, "stale: run `make docs`"
    assert "| `vlr_ind_divida_liq_sobre_patrim` | Dív Líq / Patrim |" in written
