"""The cost of stage 1, the workflow and the report on a lake with many days."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from b3.days import date_of, number_of
from pynvest_lake.catalog import register_partition
from sandbox.bench.queries import of_day, weekdays
from sandbox.console import Console
from sandbox.local import LocalLake

GROW = {"vlr_cot", "vlr_ind_p_sobre_l", "vlr_ind_p_sobre_vp", "vlr_p_sobre_vp"}
SHRINK = {"vlr_ind_div_yield", "vlr_div_yield"}
"""Columns that grow and shrink with the price."""


class Requests:
    """The requests that functions' roles send from now on, as the emulator records them."""

    def __init__(self, local: LocalLake) -> None:
        self._log = local.emulator.authorization_log
        self._skip = len(self._lines())

    def counts(self) -> dict[str, int]:
        """Return the number of requests by ``service:action``."""
        notes = map(json.loads, self._lines()[self._skip :])
        actions = Counter(note["action"] for note in notes if "-lambda-" in note["principal"])
        return {name: actions[name] for name in sorted(actions) if not name.startswith(("logs:", "lambda:"))}

    def _lines(self) -> list[str]:
        return self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []


def measure_growth(local: LocalLake, days: int, console: Console) -> dict[str, Any]:
    """Measure stage 1, the workflow and the report on a lake of one day and on a lake of many days."""
    _again(local, console)  # the first repetition loads awswrangler into stage 1's process
    first = {**_again(local, console), "report": measure_report(local)}
    console.progress(f"{days} days more")
    _fill(local, first["day"], days)
    last = {**_again(local, console), "report": measure_report(local)}
    return {"1 day": first, f"{days + 1} days": last}


def _again(local: LocalLake, console: Console) -> dict[str, Any]:
    """Repeat today's run, and measure stage 1, the workflow and the functions' requests."""
    requests = Requests(local)
    day = local.day(console)
    day.start()
    day.wait()
    started = time.monotonic()
    day.run_workflow()
    workflow_seconds = time.monotonic() - started
    console.settle()
    reports = {report.function.partition("-lambda-")[2]: report for report in day.stage_reports()}
    return {
        "day": day.number,
        "stage_1_seconds": reports["check-and-delete-partitions"].seconds,
        "workflow_seconds": workflow_seconds,
        "requests": requests.counts(),
    }


def measure_report(local: LocalLake) -> dict[str, Any]:
    """Write the report in a separate process; return its calls, bytes, seconds and peak memory."""
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.bench.one_report", local.lake.workgroup],
        env={**os.environ, **local.emulator.env()},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _fill(local: LocalLake, day: int, days: int) -> None:
    """Copy the objects and partitions of a day to earlier weekdays."""
    s3, glue = local.emulator.client("s3"), local.emulator.client("glue")
    numbers = [number_of(one) for one in weekdays(date_of(day) - timedelta(days=15), days)]
    for one in (*local.lake.tables, local.lake.quality):
        listed = s3.list_objects_v2(Bucket=one.bucket, Prefix=one.prefix(day)).get("Contents", [])
        if one.layer == "sor":  # one object is enough, because nothing reads SoR here
            listed = listed[:1]
        for number in numbers:
            for item in listed:
                key = item["Key"].replace(f"={day}/", f"={number}/")
                # Rename the copy, because the suffix .part.parquet would start a function.
                key = key.replace(".part.parquet", ".compact.parquet")
                source = {"Bucket": one.bucket, "Key": item["Key"]}
                if one.layer == "sot":
                    rows = pq.read_table(io.BytesIO(s3.get_object(**source)["Body"].read()))
                    s3.put_object(Bucket=one.bucket, Key=key, Body=_as_of(rows, number))
                else:
                    s3.copy_object(Bucket=one.bucket, Key=key, CopySource=source)
            register_partition(glue, one.lake_table, number)


def _as_of(rows: pa.Table, day: int) -> bytes:
    """Return rows as Parquet, with `day` as the newest session and with prices changed by up to a fifth."""
    factors = np.random.default_rng(day).uniform(0.8, 1.2, len(rows))
    rows = of_day(rows, date_of(day))
    for change, digits, names in ((pc.multiply, 2, GROW), (pc.divide, 1, SHRINK)):
        for name in names & {*rows.column_names}:
            changed = pc.round(change(rows[name], factors), digits)
            rows = rows.set_column(rows.column_names.index(name), rows.schema.field(name), changed)
    written = io.BytesIO()
    pq.write_table(rows, written)
    return written.getvalue()
