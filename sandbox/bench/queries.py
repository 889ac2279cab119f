"""Work out what each view and named query reads of a lake of a year: ``python -m sandbox.bench.queries``.

A day's objects are written as the dedup workflow leaves them, of the sample site's papers. Which columns of
which tables a query reads is taken from DuckDB's plan; what these weigh in a day, from the objects' footers.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pynvest_lake.contract import QUALITY, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS, table_schema
from sandbox.console import Console
from sandbox.site import Paper, make_papers

ATHENA = Path(__file__).resolve().parents[2] / "athena"
TABLES = {"sot_acoes": SOT_ACOES, "sot_fiis": SOT_FIIS, "spec_ativos": SPEC_ATIVOS, "spec_quality": QUALITY}
VIEWS = {
    "vw_acoes_ultimo_dia": SOT_ACOES,
    "vw_fiis_ultimo_dia": SOT_FIIS,
    "vw_ativos_ultimo_dia": SPEC_ATIVOS,
    "vw_ativos_por_sessao": SPEC_ATIVOS,
    "vw_ativos_negociados": SPEC_ATIVOS,
}
"""The table whose columns each view has; of two views, the one that reads the other comes later."""
LAST = datetime(2026, 11, 23, 18, 50)
MEASURES_A_DAY = 250
FOOTER_LENGTH_BYTES = 8


@dataclass(frozen=True)
class Weight:
    """What one object weighs: its footer, and each of its columns."""

    footer: int
    columns: Mapping[str, int]


@dataclass(frozen=True)
class Read:
    """Bytes that a query reads of a lake: footers of all objects, and its columns of all days."""

    footers: int
    columns: int


def main() -> None:
    """Print what each view and each named query reads."""
    parser = argparse.ArgumentParser(prog="sandbox.bench.queries", description=__doc__)
    parser.add_argument("--acoes", type=int, default=1000)
    parser.add_argument("--fiis", type=int, default=450)
    parser.add_argument("--days", type=int, default=250)
    options = parser.parse_args()
    rows = [
        [name, *(f"{size / 1e6:.2f}" for size in (read.footers, read.columns, read.footers + read.columns))]
        for name, read in what_is_read(options.acoes, options.fiis, options.days).items()
    ]
    Console().table(["query", "MB of footers", "MB of columns", "MB at most"], rows)


def what_is_read(acoes: int, fiis: int, days: int) -> dict[str, Read]:
    """Return what each view and each named query reads of so many papers and days.

    Parameters
    ----------
    acoes, fiis, days
        How many stocks, funds and days.
    """
    papers = make_papers(int(f"{LAST:%Y%m%d}"), acoes, fiis)
    lake = duckdb.connect()
    weights = {table: fill(lake, key, table, papers) for key, table in TABLES.items()}
    for name in VIEWS:
        lake.execute(f"CREATE VIEW {name} AS {text(ATHENA / 'views' / f'{name}.sql')}")
    found = {}
    for name, sql in questions():
        needed = list(scans(lake, sql))
        columns = sum(weights[table].columns.get(column, 0) for table, named in needed for column in named)
        found[name] = Read(days * sum(weights[table].footer for table, _ in needed), days * columns)
    return found


def fill(lake: duckdb.DuckDBPyConnection, key: str, table: str, papers: list[Paper]) -> Weight:
    """Make a table of two days, and return what an object of one day weighs."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "day.parquet"
        pq.write_table(pa.Table.from_pylist(rows_of(key, papers), schema=table_schema(table).arrow), path)
        days = f"(VALUES ({LAST:%Y%m%d}), ({LAST - timedelta(days=3):%Y%m%d})) AS days(anomesdia_exec)"
        lake.execute(f"CREATE TABLE {table} AS SELECT * FROM '{path}', {days}")  # noqa: S608 - our own names
        return weight(path)


def rows_of(key: str, papers: list[Paper]) -> list[dict[str, Any]]:
    """Return a day's rows of a table."""
    day = int(f"{LAST:%Y%m%d}")
    if key == "spec_quality":
        measure = {"tabela": SOT_ACOES, "medida": "mediana", "coluna": "vlr_cot", "situacao": "ok"}
        values = ({"valor": number / 7, "referencia": number / 6} for number in range(MEASURES_A_DAY))
        return [{**measure, **value, "datetime_exec": LAST} for value in values]
    if key == "spec_ativos":
        return [paper.expected_spec(day) | {"datetime_exec": LAST} for paper in papers]
    kind = key.removeprefix("sot_")
    return [paper.expected_sot(day) | {"datetime_exec": LAST} for paper in papers if paper.kind == kind]


def weight(path: Path) -> Weight:
    """Read what an object weighs."""
    metadata = pq.read_metadata(path)
    columns: dict[str, int] = {}
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(number)
            columns[chunk.path_in_schema] = columns.get(chunk.path_in_schema, 0) + chunk.total_compressed_size
    return Weight(metadata.serialized_size + FOOTER_LENGTH_BYTES, columns)


def text(path: Path) -> str:
    """Return a query as Terraform fills it in, but without databases."""
    columns = [*table_schema(VIEWS[path.stem]).names, "anomesdia_exec"] if path.stem in VIEWS else []
    names = {**TABLES, **{view: view for view in VIEWS}, "columns": ", ".join(columns)}
    return re.sub(r"\$\{(\w+)\}", lambda found: names[found[1]], path.read_text(encoding="utf-8"))


def questions() -> Iterator[tuple[str, str]]:
    """Give name and text of what is asked: all of each view, and each named query."""
    for name in VIEWS:
        yield name, f"SELECT * FROM {name}"  # noqa: S608 - our own names
    for path in sorted((ATHENA / "queries").glob("*.sql")):
        yield path.stem, text(path)


def scans(lake: duckdb.DuckDBPyConnection, sql: str) -> Iterator[tuple[str, list[str]]]:
    """Give table and columns of each time that a query reads a table."""
    (plan,) = json.loads(lake.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall()[0][1])
    waiting = [plan]
    while waiting:
        step = waiting.pop()
        waiting += step["children"]
        if step["name"].strip() == "SEQ_SCAN":
            columns = step["extra_info"].get("Projections", [])
            yield (
                step["extra_info"]["Table"].rpartition(".")[2],
                [columns] if isinstance(columns, str) else columns,
            )


if __name__ == "__main__":
    main()
