"""The data contract: the columns of the five tables, read from ``glue/schemas/<table>.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa

SOR_ACOES = "tbsor_fundamentus_indicadores_acoes_raw"
SOR_FIIS = "tbsor_fundamentus_indicadores_fiis_raw"
SOT_ACOES = "tbsot_fundamentus_indicadores_acoes_prep"
SOT_FIIS = "tbsot_fundamentus_indicadores_fiis_prep"
SPEC_ATIVOS = "tbspec_fundamentus_cotacao_ativos"

# In a package the schemas lie beside the shared code; in a checkout they are Terraform's own files.
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
    """One column of a table: its name, its Glue type and its comment."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class TableSchema:
    """The columns of one table, in order, without the partition key."""

    table: str
    comment: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Return the column names in order."""
        return [column.name for column in self.columns]

    @property
    def arrow(self) -> pa.Schema:
        """Return the Arrow schema that objects of the table are written with."""
        return pa.schema([(column.name, _ARROW_TYPES[column.type]) for column in self.columns])


@cache
def table_schema(table: str) -> TableSchema:
    """Read the contract of a table.

    Parameters
    ----------
    table
        Name of one of the five tables.

    Raises
    ------
    FileNotFoundError
        The contract has no such table.
    """
    for folder in _SCHEMA_FOLDERS:
        path = folder / f"{table}.json"
        if path.is_file():
            content = json.loads(path.read_text(encoding="utf-8"))
            columns = tuple(Column(**column) for column in content["columns"])
            return TableSchema(content["table"], content["comment"], columns)
    raise FileNotFoundError(f"the data contract has no table {table!r}: no {table}.json in {_SCHEMA_FOLDERS}")
