"""docs/queries.md says what views and named queries read, as far as can be told without an account."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.bench.queries import what_is_read

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "queries.md").read_text(encoding="utf-8")


def test_what_each_view_and_named_query_reads_of_a_year_is_what_is_documented() -> None:
    documented = {
        name: (int(footers), int(columns), int(most))
        for name, footers, columns, most in re.findall(
            r"^\| `([\w-]+)` \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE
        )
    }

    found = what_is_read(acoes=1000, fiis=450, days=250)

    assert documented.keys() == found.keys()
    for name, read in found.items():
        sizes = read.footers, read.columns, read.footers + read.columns
        assert documented[name] == pytest.approx([size / 1e6 for size in sizes], abs=1), name


def test_half_the_days_are_half_as_much_and_more_columns_are_more() -> None:
    year, half = (what_is_read(acoes=60, fiis=40, days=days) for days in (250, 125))

    assert all(read.columns == 2 * half[name].columns > 0 for name, read in year.items())
    assert year["serie-de-um-papel"].columns < year["vw_ativos_por_sessao"].columns
