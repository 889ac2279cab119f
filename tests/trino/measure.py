"""Measure the cost of queries on Trino.

``PYTHONPATH=.:lambda/src:tests/e2e .venv/bin/python tests/trino/measure.py 250 750``

For each argument N, the program makes one lake with 1,000 stocks, 450 funds and N days. The output is a table
per lake, with the seconds, rows, bytes and requests of each view and each saved query.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from faulty_lake import SHARED_DIR
from known_lake import LAST, tables_of
from role import Role
from trino_server import Trino, fetch, find_java

from pynvest_lake.catalog import register_partition
from report.athena import Athena
from sandbox.bench.queries import VIEWS, write_lake
from sandbox.console import Console
from sandbox.emulator import Emulator
from sandbox.local import LocalLake
from sandbox.site import make_assets

REQUESTS = ("s3:GetObject", "s3:ListBucket", "glue:GetPartitions", "glue:BatchGetPartition")
STOCKS, FUNDS = 1000, 450


def main() -> None:
    java = find_java()
    fetch(java)
    for days in map(int, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as directory:
            measure(days, java, Path(directory))


def measure(days: int, java: Path, directory: Path) -> None:
    """Print the measurements for a lake with this number of days."""
    console = Console()
    nowhere = {"fundamentus_base_url": "http://127.0.0.1:9"}
    with LocalLake(directory / "lake", nowhere, shared_dir=SHARED_DIR) as local:
        fill(local, days, directory / "objects")
        reader = Role(local.emulator, "reader", local.terraform.outputs()["reader_policy_json"])
        saved = Athena(local.emulator.client("athena"), local.lake.workgroup).named_queries()
        database = local.lake.table("spec").database
        questions = {view: f'SELECT * FROM "{database}"."{view}"' for view in VIEWS}  # noqa: S608
        questions |= {name: query.sql for name, query in saved.items()}
        (directory / "trino").mkdir()
        with Trino(local.emulator, reader.env(), java, directory / "trino") as trino:
            trino.ask(questions["vw_acoes_ultimo_dia"])  # the first query loads most classes
            rows = [[name, *asked(trino, local.emulator, sql)] for name, sql in questions.items()]
    console.table([f"{days} days", "s", "rows read", "read", *REQUESTS], rows)


def fill(local: LocalLake, days: int, directory: Path) -> None:
    """Write a lake with one object per day and table, and register its partitions."""
    write_lake(directory, make_assets(LAST, STOCKS, FUNDS), days)
    s3, glue = local.emulator.client("s3"), local.emulator.client("glue")
    tables = tables_of(local.lake)

    def put(path: Path) -> None:
        table, day = tables[path.parts[-3]], int(path.parts[-2].partition("=")[2])
        key = f"{table.prefix(day)}{day:032}.compact.parquet"
        s3.put_object(Bucket=table.bucket, Key=key, Body=path.read_bytes())
        register_partition(glue, table, day)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, directory.glob("*/*/*.parquet")))


def asked(trino: Trino, emulator: Emulator, sql: str) -> list[Any]:
    """Run a query. Return the query's seconds, rows read, bytes read, and requests of each kind."""
    before = len(emulator.authorization_log.read_text().splitlines())
    started = time.monotonic()
    answer = trino.ask(sql)
    seconds = time.monotonic() - started
    notes = map(json.loads, emulator.authorization_log.read_text().splitlines()[before:])
    made = Counter(note["action"] for note in notes)
    counts = [f"{made[action]}" for action in REQUESTS]
    return [f"{seconds:.1f}", f"{answer.rows_read}", answer.bytes_read, *counts]


if __name__ == "__main__":
    main()
