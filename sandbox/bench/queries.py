"""Measure how many bytes the views and named queries read in a lake of many days.

Run the measurement with ``python -m sandbox.bench.queries``. The lake is a local folder with one Parquet file
per day and table, as after compaction. The rows are made from the sample site's assets. DuckDB runs each
query through a file system that counts the bytes read. The emulator's Athena also uses DuckDB.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from pynvest_lake.contract import QUALITY, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS, table_schema
from sandbox.console import Console
from sandbox.site import SampleAsset, make_assets

ATHENA = Path(__file__).resolve().parents[2] / "athena"
TABLES = {"sot_acoes": SOT_ACOES, "sot_fiis": SOT_FIIS, "spec_ativos": SPEC_ATIVOS, "spec_quality": QUALITY}
VIEWS = {
    "vw_acoes_ultimo_dia": SOT_ACOES,
    "vw_fiis_ultimo_dia": SOT_FIIS,
    "vw_ativos_ultimo_dia": SPEC_ATIVOS,
    "vw_ativos_por_sessao": SPEC_ATIVOS,
    "vw_ativos_negociados": SPEC_ATIVOS,
    "vw_possiveis_desdobramentos": SOT_ACOES,
}
"""For each view, the table that has the view's columns; the last view names its columns itself. Each view
comes after the views that it reads."""
LAST = date(2026, 11, 23)
EVENING = time(18, 50)
MEASURES_A_DAY = 250
SESSION = "dt_ult_cot"


class CountingFileSystem(LocalFileSystem):  # type: ignore[misc] # fsspec has no types
    """The file system ``counted://``: local files, with a count of the bytes that were read."""

    protocol = "counted"
    bytes_read = 0

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        opened = super()._open(path, mode, **options)
        read = opened.read

        def counted(length: int = -1) -> bytes:
            content: bytes = read(length)
            self.bytes_read += len(content)
            return content

        opened.read = counted
        return opened


def main() -> None:
    """For each number of days, print each table's size and the bytes that each view and query reads."""
    parser = argparse.ArgumentParser(prog="sandbox.bench.queries", description=__doc__)
    parser.add_argument("--days", type=int, nargs="+", default=[1, 250])
    options = parser.parse_args()
    console = Console()
    assets = make_assets(int(f"{LAST:%Y%m%d}"), 1000, 450)
    measured = []
    for days in options.days:
        with tempfile.TemporaryDirectory() as directory:
            lake = Path(directory)
            write_lake(lake, assets, days)
            measured.append({**weight(lake), **bytes_read(lake)})
    console.table(
        ["table or query", *(f"MB of {days} days" for days in options.days)],
        [[name, *(f"{one[name] / 1e6:.2f}" for one in measured)] for name in measured[0]],
    )


def write_lake(directory: Path, assets: list[SampleAsset], days: int) -> None:
    """Write the four tables that views and named queries read, for `days` weekdays up to `LAST`.

    The rows of two days differ only in ``datetime_exec`` and in the newest session.

    Parameters
    ----------
    directory
        Directory for the files ``<table>/anomesdia_exec=<day>/day.parquet``.
    assets
        The assets of each day.
    days
        Number of days.
    """
    for key, table in TABLES.items():
        rows = pa.Table.from_pylist(rows_of(key, assets), schema=table_schema(table).arrow)
        for day in weekdays(LAST, days):
            target = directory / key / f"anomesdia_exec={day:%Y%m%d}" / "day.parquet"
            target.parent.mkdir(parents=True)
            pq.write_table(of_day(rows, day), target, compression="snappy", use_dictionary=True)


def weekdays(last: date, days: int) -> Iterator[date]:
    """Yield `days` weekdays in descending order, from `last` backwards."""
    day = last
    while days:
        if day.weekday() < 5:
            yield day
            days -= 1
        day -= timedelta(days=1)


def of_day(rows: pa.Table, day: date) -> pa.Table:
    """Return a copy of `rows` in which `day` replaces the newest session and the day of ``datetime_exec``."""
    schema = rows.schema
    new = {"datetime_exec": pa.array([datetime.combine(day, EVENING)] * len(rows))}
    if SESSION in rows.column_names:
        sessions = rows[SESSION]
        new[SESSION] = pc.if_else(pc.equal(sessions, pc.max(sessions)), pa.scalar(day), sessions)
    for name, column in new.items():
        rows = rows.set_column(rows.column_names.index(name), name, column)
    return rows.cast(schema)


def rows_of(key: str, assets: list[SampleAsset]) -> list[dict[str, Any]]:
    """Return a table's rows for the day `LAST`."""
    day = int(f"{LAST:%Y%m%d}")
    if key == "spec_quality":
        measure = {"tabela": SOT_ACOES, "medida": "mediana", "coluna": "vlr_cot", "situacao": "ok"}
        return [{**measure, "valor": one / 7, "referencia": one / 6} for one in range(MEASURES_A_DAY)]
    if key == "spec_ativos":
        return [asset.expected_spec(day) for asset in assets]
    kind = key.removeprefix("sot_")
    return [asset.expected_sot(day) for asset in assets if asset.kind == kind]


def weight(directory: Path) -> dict[str, int]:
    """Return the size in bytes of each table in a lake."""
    return {
        table: sum(one.stat().st_size for one in directory.glob(f"{key}/*/*"))
        for key, table in TABLES.items()
    }


def bytes_read(directory: Path) -> dict[str, int]:
    """Run each view and each named query in a lake, and return how many bytes each of them reads."""
    files = CountingFileSystem(skip_instance_cache=True)
    lake = duckdb.connect()
    lake.register_filesystem(files)
    lake.execute("SET enable_external_file_cache = false")  # queries do not share a cache
    lake.execute("SET threads = 1")  # one thread counts the bytes
    for key in TABLES:
        objects = f"'counted://{directory}/{key}/*/*.parquet'"
        partitions = "hive_partitioning = true, hive_types = {'anomesdia_exec': INTEGER}"
        lake.execute(f"CREATE VIEW {key} AS SELECT * FROM read_parquet({objects}, {partitions})")  # noqa: S608
        days = ", ".join(path.name.partition("=")[2] for path in (directory / key).iterdir())
        lake.execute(f"CREATE VIEW {key}_partitions AS SELECT unnest([{days}]) AS anomesdia_exec")
    for name in VIEWS:
        lake.execute(f"CREATE VIEW {name} AS {text(ATHENA / 'views' / f'{name}.sql')}")
    found = {}
    for name, sql in questions():
        before = files.bytes_read
        lake.execute(sql).fetchall()
        found[name] = files.bytes_read - before
    return found


def text(path: Path) -> str:
    """Return the query of a file, with the names in this lake in place of Terraform's placeholders."""
    columns = [*table_schema(VIEWS[path.stem]).arrow.names, "anomesdia_exec"] if path.stem in VIEWS else []
    relations = (*TABLES, *(f"{table}_partitions" for table in TABLES), *VIEWS)
    names = {**{name: name for name in relations}, "columns": ", ".join(columns)}
    return re.sub(r"\$\{(\w+)\}", lambda found: names[found[1]], path.read_text(encoding="utf-8"))


def questions() -> Iterator[tuple[str, str]]:
    """Yield the name and SQL of each query: first one ``SELECT *`` per view, then the named queries."""
    for name in VIEWS:
        yield name, f"SELECT * FROM {name}"  # noqa: S608 - our own names
    for path in sorted((ATHENA / "queries").glob("*.sql")):
        yield path.stem, text(path)


if __name__ == "__main__":
    main()
