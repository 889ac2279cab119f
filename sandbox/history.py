"""Writes the history of a local run (the days before the live day) directly into the tables.

This process makes all rows, without pages, queues or Lambda functions. The SoR rows have the values of the
sample site. The code of stages 4 to 6 makes the rows of all other tables from the SoR rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pyarrow as pa

from assess_day.assessment import QualityRow
from assess_day.check_inputs import CheckInputs
from assess_day.day_status import DayState
from assess_day.quality import run_checks
from assess_day.quality_table import write_record
from b3.brazilian import BRASILIA, read_date, read_number, write_moment
from b3.days import CLOSED_AT, date_of, number_of
from b3.kind import Kind
from pynvest_lake.arrow import leave_pandas_alone
from pynvest_lake.best_reading import best_rows
from pynvest_lake.catalog import register_partition
from pynvest_lake.contract import QUALITY, SOR, SOT, SPEC_ATIVOS, table_schema
from pynvest_lake.ledger import (
    AssetEntry,
    BatchEntry,
    DayLedger,
    Ledger,
    Listing,
    Outcome,
    Round,
    moment_text,
)
from pynvest_lake.prepare import prepare
from pynvest_lake.specialize import specialize
from pynvest_lake.storage import LakeTable, object_id, write
from sandbox.lake import Lake
from sandbox.site.asset import SampleAsset
from sandbox.site.trial import history_days, trial_assets

AT_ONCE = 2
"""Number of days that are made at the same time; this process and the emulator then use one core each."""
ASSETS_A_SECOND = 5


def write_history(live: int, lake: Lake, client: Callable[[str], Any]) -> None:
    """Write the days before a live day into a lake.

    Parameters
    ----------
    live
        The live day, ``YYYYMMDD``.
    lake
        The lake.
    client
        Function that makes a client for the service with a given name.
    """
    leave_pandas_alone()
    s3, glue = client("s3"), client("glue")
    tables = {table.name: table for table in (*lake.tables, lake.quality)}
    write_day = partial(_write_day, live, tables, Ledger(s3, lake.work_bucket), s3, glue)
    quality_rows: dict[int, Sequence[QualityRow]] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        # The days are made in parallel, but the quality checks run day by day, because the checks compare
        # each day with earlier days.
        for made in pool.map(write_day, history_days(live)):
            quality_rows[made.ledger.day] = run_checks(replace(made, earlier=quality_rows))
        write_quality = partial(_write_quality, s3, glue, tables[QUALITY])
        list(pool.map(write_quality, quality_rows, quality_rows.values()))


def _write_day(
    live: int, tables: Mapping[str, LakeTable], ledger: Ledger, s3: Any, glue: Any, day: int
) -> CheckInputs:
    """Write the objects, the partitions and the ledger of a day."""
    made = make_day(trial_assets(live, day), day)
    # Write Spec first and SoR last: when a SoR object appears, SoT and Spec already have the object's rows.
    write(s3, tables[SPEC_ATIVOS].compact(day, uuid4().hex), made.spec, made.state.sor_ids)
    for entry, _ in made.ledger.batches:
        sor, sot = tables[SOR[entry.kind]], tables[SOT[entry.kind]]
        (sor_id,) = {asset.object for asset in entry.assets.values() if asset.object}
        write(s3, sot.compact(day, uuid4().hex), made.sot[entry.kind], [sor_id])
        write(s3, sor.part(day, sor_id), made.sor[entry.kind])
        ledger.write_batch(day, entry)
    for table in tables.values():
        if table.table != QUALITY:
            register_partition(glue, table, day)
    assert made.ledger.listing
    ledger.write_listing(day, made.ledger.listing)
    ledger.start_round(day, made.ledger.listing.assets, _evening(day), number=0)
    return made


def make_day(assets: Sequence[SampleAsset], day: int) -> CheckInputs:
    """Make the rows and the ledger that the stages would write for `assets` on `day` (``YYYYMMDD``)."""
    evening = _evening(day)
    prices: dict[Kind, dict[str, float | None]] = {kind: {} for kind in Kind}
    sor: dict[Kind, pa.Table] = {}
    ids: dict[Kind, str] = {}
    batches = []
    for kind in Kind:
        of_kind = sorted((asset for asset in assets if asset.kind == kind.value), key=lambda one: one.ticker)
        moments = [
            evening + timedelta(seconds=10 + place // ASSETS_A_SECOND) for place in range(len(of_kind))
        ]
        asked_at = write_moment(evening)
        rows = [
            {**asset.expected_sor(), "datetime_exec": write_moment(moment), "datetime_leitura": asked_at}
            for asset, moment in zip(of_kind, moments, strict=True)
        ]
        sor[kind] = pa.Table.from_pylist(rows, schema=table_schema(SOR[kind]).arrow)
        ids[kind] = object_id(sor[kind].to_pylist())
        entries = {}
        for row, asset, moment in zip(rows, of_kind, moments, strict=True):
            prices[kind][asset.ticker] = read_number(row["vlr_cot"])
            session = read_date(row["dt_ult_cot"])
            entries[asset.ticker] = AssetEntry(
                Outcome.READ,
                object=ids[kind],
                session=number_of(session) if session else None,
                fetched_at=moment_text(moment),
            )
        batches.append((BatchEntry(kind, entries), evening))
    sot = {
        kind: best_rows([prepare(rows, kind, day).table], kind.ticker_column) for kind, rows in sor.items()
    }
    spec = best_rows([specialize(rows, kind) for kind, rows in sot.items()], "codigo_ticker_ativo")
    first = Round(0, moment_text(evening), {kind: tuple(of) for kind, of in prices.items()})
    ledger = DayLedger(day, Listing(prices), (first,), tuple(batches))
    state = DayState(ledger, frozenset(ids.values()))
    return CheckInputs(state, sor, sot, spec)


def _write_quality(s3: Any, glue: Any, table: LakeTable, day: int, rows: Sequence[QualityRow]) -> None:
    write_record(s3, glue, table, day, rows, _evening(day) + timedelta(minutes=20))


def _evening(day: int) -> datetime:
    """Return the moment at which the schedule starts the run of a day."""
    return datetime.combine(date_of(day), CLOSED_AT, BRASILIA)
