"""Writes the results of a batch: pages, rows and outcomes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from aws_lambda_powertools import Logger

from b3.bounds import MOST_RECORDED, REASON_CHARACTERS, printable
from b3.brazilian import write_moment
from b3.days import number_of
from b3.kind import Kind
from get_financial_data.read_assets import AssetResult
from pynvest_lake.archive import Archive, ArchivedPage
from pynvest_lake.catalog import register_partition
from pynvest_lake.contract import table_schema
from pynvest_lake.ledger import AssetEntry, BatchEntry, Ledger, Outcome, moment_of
from pynvest_lake.messages import TickerMessage
from pynvest_lake.storage import LakeTable, object_id, write

Results = Mapping[TickerMessage, AssetResult]


@dataclass(frozen=True)
class Settings:
    """The settings of stage 3: kind of asset, table and bucket, queue limits, and requests to the site."""

    ticker_kind: Kind
    target_table: LakeTable
    work_bucket: str
    keep_pages: bool
    sqs_visibility_timeout_seconds: int
    sqs_max_receive_count: int
    fundamentus_base_url: str
    fetch_headers: tuple[tuple[str, str], ...]
    fetch_threads: int
    fetch_timeout_seconds: float


def save_batch(s3: Any, glue: Any, settings: Settings, assets: Results, logger: Logger) -> None:
    """Write pages, rows, partition and ledger, in this order, for each day of a batch.

    The ledger is written last, so that the ledger never names an object that does not exist.

    Raises
    ------
    botocore.exceptions.ClientError
        Rows or ledger could not be written. (If pages cannot be archived, log and ledger record it.)
    """
    days: defaultdict[int, dict[TickerMessage, AssetResult]] = defaultdict(dict)
    for message, asset in assets.items():
        days[message.day][message] = asset
    for day, of_day in days.items():
        pages = [
            ArchivedPage.of(asset.page, message.kind, message.ticker)
            for message, asset in of_day.items()
            if asset.page is not None and message.page is None and settings.keep_pages
        ]
        archived = not pages or Archive(s3, settings.work_bucket).keep(day, pages, logger)
        sor_id = _write_rows(s3, glue, settings, day, of_day)
        entry = BatchEntry(settings.ticker_kind, _entries(of_day, sor_id), archived=archived)
        Ledger(s3, settings.work_bucket).write_batch(day, entry)


def _write_rows(s3: Any, glue: Any, settings: Settings, day: int, assets: Results) -> str | None:
    """Write the rows as one object, register its partition, and return the object's id."""
    rows: dict[str, dict[str, str | None]] = {}
    for message, asset in sorted(assets.items(), key=lambda item: item[1].fetched_at or ""):
        if asset.row:  # if an asset has several pages, the newest page wins
            rows[message.ticker] = {
                **asset.row,
                # A page may spell the ticker differently from the message.
                settings.ticker_kind.ticker_column: message.ticker,
                "datetime_leitura": message.asked_at and write_moment(moment_of(message.asked_at)),
            }
    if not rows:
        return None
    schema = table_schema(settings.target_table.table).arrow
    table = pa.Table.from_pylist([rows[ticker] for ticker in sorted(rows)], schema=schema)
    item = settings.target_table.part(day, object_id(table.to_pylist()))
    write(s3, item, table)
    register_partition(glue, settings.target_table, day)
    return item.id


def _entries(assets: Results, sor_id: str | None) -> dict[str, AssetEntry]:
    """Return each asset's ledger entry. If an asset has several pages, its highest-ranked entry counts."""
    entries: dict[str, AssetEntry] = {}
    for message, asset in assets.items():
        entry = AssetEntry(
            asset.outcome,
            message.round,
            None if asset.outcome is Outcome.READ else printable(asset.reason, REASON_CHARACTERS),
            sor_id if asset.outcome is Outcome.READ else None,
            number_of(asset.session) if asset.session else None,
            asset.fetched_at,
            asset.unknown_labels or None,
            asset.unknown_count if asset.unknown_count > MOST_RECORDED else None,
            asset.lacking_core or None,
        )
        if message.ticker not in entries or entry.order > entries[message.ticker].order:
            entries[message.ticker] = entry
    return entries
