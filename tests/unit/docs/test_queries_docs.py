"""DuckDB reads from generated lakes as many megabytes as docs/queries.md says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.bench.queries import bytes_read, weight, write_lake
from sandbox.site import make_assets

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "queries.md").read_text(encoding="utf-8")
DAY = 20261123


def documented() -> dict[str, tuple[float, float]]:
    """Return the documented megabytes for one day and for 250 days; the key is the first cell of the row."""
    rows = re.findall(r"^\| `([\w-]+)` \| ([\d,]+) \| ([\d,]+) \|$", PAGE, re.MULTILINE)
    return {name: (as_float(day), as_float(year)) for name, day, year in rows}


def as_float(brazilian: str) -> float:
    """Convert a text with a decimal comma to a number."""
    return float(brazilian.replace(",", "."))


def test_the_size_and_the_bytes_read_of_a_day_and_of_a_year_are_as_documented(
    tmp_path: Path,
) -> None:
    assets = make_assets(DAY, 1000, 450)
    found: dict[str, list[float]] = {}
    for days in (1, 250):
        lake = tmp_path / str(days)
        write_lake(lake, assets, days)
        for name, size in {**weight(lake), **bytes_read(lake)}.items():
            found.setdefault(name, []).append(size / 1e6)

    assert documented().keys() == found.keys()
    for name, sizes in found.items():
        # DuckDB sometimes reads the bytes near an object's end twice, so the sizes vary.
        assert sizes == pytest.approx(documented()[name], rel=0.1, abs=0.1), name
