"""The data contract: the columns of the six tables, read from ``glue/schemas/<table>.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa

from b3.kind import Kind

SOR_ACOES = "tbsor_fundamentus_indicadores_acoes_raw"
SOR_FIIS = "tbsor_fundamentus_indicadores_fiis_raw"
SOT_ACOES = "tbsot_fundamentus_indicadores_acoes_prep"
SOT_FIIS = "tbsot_fundamentus_indicadores_fiis_prep"
SPEC_ATIVOS = "tbspec_fundamentus_cotacao_ativos"
QUALITY = "tbspec_pynvest_qualidade"
SOR = {Kind.ACOES: SOR_ACOES, Kind.FIIS: SOR_FIIS}
SOT = {Kind.ACOES: SOT_ACOES, Kind.FIIS: SOT_FIIS}
KINDS = {table: kind for tables in (SOR, SOT) for kind, table in tables.items()}
"""The kind of each SoR and SoT table."""

# In a deployment package the schemas are beside the shared code; in a checkout they are in glue/schemas.
_HERE = Path(__file__).resolve()
_SCHEMA_FOLDERS = (_HERE.parents[1] / "schemas", _HERE.parents[3] / "glue" / "schemas")

_ARROW_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("ms"),
}


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name, type, comment
        The column's name, type and comment in the Glue catalog.
    label
        For SoR tables: the value's label on the site's page. ``AAAA`` means the year of the run day, and
        ``AAAA-1`` the year before. None if the column is not read from a label. If a row of the page shows a
        label twice, two columns have this label: the first for twelve months, the second for three months.
    core
        For SoR tables: whether the label is on all pages of the kind, in every recorded year.
    since
        For SoR tables: the year or month (``2026-05``) when the site added the label; None if the site always
        had it.
    until
        For SoR tables: the year or month when the site removed the label; None if the site still has it.
    """

    name: str
    type: str
    comment: str
    label: str | None = None
    core: bool = False
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True)
class TableSchema:
    """The columns of one table, in order, without the partition key."""

    table: str
    comment: str
    columns: tuple[Column, ...]

    @property
    def arrow(self) -> pa.Schema:
        """Return the Arrow schema of the table's objects."""
        return pa.schema([(column.name, _ARROW_TYPES[column.type]) for column in self.columns])

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """Return a mapping from each label of the site to the label's columns, in order."""
        columns: dict[str, tuple[str, ...]] = {}
        for column in self.columns:
            if column.label is not None:
                columns[column.label] = (*columns.get(column.label, ()), column.name)
        return columns

    @property
    def core_labels(self) -> frozenset[str]:
        """Return the labels that every page of the site has."""
        return frozenset(column.label for column in self.columns if column.core and column.label)


@cache
def table_schema(table: str) -> TableSchema:
    """Read the contract of one of the six tables.

    Raises
    ------
    FileNotFoundError
        The contract does not have this table.
    """
    folder = next(folder for folder in _SCHEMA_FOLDERS if folder.is_dir())
    content = json.loads((folder / f"{table}.json").read_text(encoding="utf-8"))
    columns = tuple(Column(**column) for column in content["columns"])
    return TableSchema(content["table"], content["comment"], columns)
