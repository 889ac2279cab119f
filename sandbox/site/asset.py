"""An asset of the sample site, with the cells of its page and the rows that the lake must hold for it.

The expected rows are computed from the cells and the contract's columns. No HTML is parsed, and no code of
the lake is used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

Value = int | Decimal | date | str | None
Typed = int | float | date | str | None

SCHEMAS = Path(__file__).resolve().parents[2] / "glue" / "schemas"
SOR_TABLES = {
    "acoes": "tbsor_fundamentus_indicadores_acoes_raw",
    "fiis": "tbsor_fundamentus_indicadores_fiis_raw",
}
SPEC_TABLE = "tbspec_fundamentus_cotacao_ativos"
SPEC_SOURCES: Mapping[str, Mapping[str, str]] = {
    "acoes": {
        "codigo_ticker_ativo": "nome_papel",
        "nome_ativo": "nome_empresa",
        "nome_setor_segmento": "nome_setor",
    },
    "fiis": {"codigo_ticker_ativo": "fii", "nome_ativo": "nome_fii", "nome_setor_segmento": "segmento"},
}
"""Spec columns that have another name in a kind's SoT table."""
SPEC_TYPES = {"acoes": "Ação", "fiis": "Fundo Imobiliário"}

YEARS_SHOWN = 6


@dataclass(frozen=True)
class Cell:
    """A label and its value, as on a page.

    Parameters
    ----------
    label
        Name of the indicator; empty for a pair of empty cells on the page.
    value
        Value of the cell, with percentages in percentage points; None if the page has no value.
    text
        Text of the value on the page.
    column
        The cell's column in SoR and SoT; None for a label that the lake does not know. For a year's price
        change, `column` is None and `column_on` gives the column.
    year
        The year of the price change.
    change
        Whether the cell is a price change. The page has no help mark beside the label of a price change.
    """

    label: str
    value: Value
    text: str
    column: str | None = None
    year: int | None = None
    change: bool = False

    def column_on(self, day: int) -> str | None:
        """Return the cell's column for a page read on `day` (``YYYYMMDD``); None if there is no column."""
        if self.year is None:
            return self.column
        age = day // 10_000 - self.year
        return f"pct_var_ano_a{age}" if 0 <= age < YEARS_SHOWN else None


@dataclass(frozen=True)
class Heading:
    """A cell that names a section of a table."""

    text: str
    span: int


Row = tuple[Cell | Heading, ...]
Table = tuple[Row, ...]


@dataclass(frozen=True)
class SampleAsset:
    """An asset of the site.

    Parameters
    ----------
    ticker
        The asset's code at B3.
    kind
        ``acoes`` or ``fiis``.
    variety
        Key of the asset's variety in ``STOCK_VARIETIES`` or ``FUND_VARIETIES`` of `sandbox.site.assets`.
    day
        The day of the asset's page, ``YYYYMMDD``.
    tables
        The tables of the asset's page.
    """

    ticker: str
    kind: str
    variety: str
    day: int
    tables: tuple[Table, ...]

    def cells(self) -> Iterator[Cell]:
        """Yield the page's cells in order."""
        for table in self.tables:
            for row in table:
                yield from (cell for cell in row if isinstance(cell, Cell))

    def cells_by_column(self, day: int | None = None) -> dict[str, Cell]:
        """Return each column's cell for a page read on `day`, which defaults to the page's day."""
        columns = ((cell.column_on(day or self.day), cell) for cell in self.cells())
        return {column: cell for column, cell in columns if column is not None}

    def with_cell(self, column: str, text: str, value: Value = None) -> SampleAsset:
        """Return a copy of the asset in which the cell of `column` has the given `text` and `value`."""
        return self.with_cells({column: (text, value)})

    def with_cells(self, cells: Mapping[str, tuple[str, Value]]) -> SampleAsset:
        """Return a copy of the asset with other cells; `cells` maps a column to the new text and value."""
        if lacking := cells.keys() - self.cells_by_column().keys():
            raise ValueError(f"the page of {self.ticker} has no cell of {', '.join(sorted(lacking))}")

        def changed(cell: Cell | Heading) -> Cell | Heading:
            if isinstance(cell, Cell) and (column := cell.column_on(self.day)) and column in cells:
                text, value = cells[column]
                return replace(cell, text=text, value=value)
            return cell

        return self._changed(changed)

    def with_label(self, label: str, name: str) -> SampleAsset:
        """Return a copy of the asset with `label` renamed to `name`, a label that the lake does not know."""

        def changed(cell: Cell | Heading) -> Cell | Heading:
            if isinstance(cell, Cell) and cell.label == label:
                return replace(cell, label=name, column=None, year=None)
            return cell

        return self._changed(changed)

    def _changed(self, change: Callable[[Cell | Heading], Cell | Heading]) -> SampleAsset:
        tables = tuple(tuple(tuple(map(change, row)) for row in table) for table in self.tables)
        return replace(self, tables=tables)

    def expected_sor(self, day: int | None = None) -> dict[str, str | None]:
        """Return the expected SoR row for a page read on `day`, which defaults to the page's day."""
        cells = self.cells_by_column(day)
        return {
            column: cells[column].text if column in cells else None
            for column in _columns(SOR_TABLES[self.kind])
        }

    def expected_sot(self, day: int | None = None) -> dict[str, Typed]:
        """Return the expected SoT row for a page read on `day`, which defaults to the page's day."""
        cells = self.cells_by_column(day)
        return {
            column: _typed(column, cells[column].value) if column in cells else None
            for column in _columns(SOR_TABLES[self.kind])
        }

    def expected_spec(self, day: int | None = None) -> dict[str, Typed]:
        """Return the expected Spec row for a page read on `day`, which defaults to the page's day."""
        sot = {**self.expected_sot(day), "tipo_ativo": SPEC_TYPES[self.kind]}
        sources = SPEC_SOURCES[self.kind]
        return {column: sot[sources.get(column, column)] for column in _columns(SPEC_TABLE)}


@cache
def definitions(kind: str) -> Mapping[str, str]:
    """Return the contract's definition of every label of a kind."""
    return {column["label"]: column["comment"] for column in _schema(SOR_TABLES[kind]) if column["label"]}


@cache
def _columns(table: str) -> tuple[str, ...]:
    """Return a table's columns without ``datetime_exec`` and ``datetime_leitura``, which no page shows."""
    return tuple(column["name"] for column in _schema(table) if not column["name"].startswith("datetime_"))


def _schema(table: str) -> list[dict[str, Any]]:
    schema = json.loads((SCHEMAS / f"{table}.json").read_text(encoding="utf-8"))
    columns: list[dict[str, Any]] = schema["columns"]
    return columns


def _typed(column: str, value: Value) -> Typed:
    if value is None or isinstance(value, str | date):
        return value
    if column.startswith(("num_", "qtd_", "vol_")):
        return int(value)
    return float(Decimal(value) / 100 if column.startswith("pct_") else value)
