"""The quality table in S3: what the days before measured, and what is written of a day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from assess_day.assessment import MissingPaper, QualityRow
from pynvest_lake.catalog import register_partition
from pynvest_lake.contract import table_schema
from pynvest_lake.day import BRASILIA, PARTITION_KEY, days_before
from pynvest_lake.storage import LakeObject, LakeTable, object_id

MISSING = b"pynvest.missing"
UNTOLD = b"pynvest.untold"


@dataclass(frozen=True)
class Record:
    """What was written of a day.

    Parameters
    ----------
    rows
        Its rows, the verdict last.
    missing
        Which papers were missing.
    told
        Whether whoever was to be told of it was.
    """

    rows: tuple[QualityRow, ...]
    missing: tuple[str, ...]
    told: bool


def place(table: LakeTable, day: int) -> LakeObject:
    """Return the day's object of the quality table: one, that each assessment replaces."""
    return table.part(day, object_id("quality"))


def read_record(s3: Any, table: LakeTable, day: int) -> Record | None:
    """Return what was written of a day, if anything was."""
    found = _read(s3, table, day)
    if found is None:
        return None
    rows = tuple(QualityRow.from_row(row) for row in found.to_pylist())
    said = found.schema.metadata or {}
    return Record(rows, tuple(json.loads(said.get(MISSING, b"[]"))), UNTOLD not in said)


def mark_untold(s3: Any, table: LakeTable, day: int) -> None:
    """Write down that nobody could be told of what was written of a day: the next assessment tells."""
    if (found := _read(s3, table, day)) is not None:
        _write(s3, table, day, found.replace_schema_metadata({**(found.schema.metadata or {}), UNTOLD: b""}))


def _read(s3: Any, table: LakeTable, day: int) -> pa.Table | None:
    try:
        body = s3.get_object(Bucket=table.bucket, Key=place(table, day).key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None
    return pq.read_table(BytesIO(body))


def _write(s3: Any, table: LakeTable, day: int, content: pa.Table) -> None:
    buffer = BytesIO()
    pq.write_table(content, buffer, compression="snappy", use_dictionary=True)
    s3.put_object(Bucket=table.bucket, Key=place(table, day).key, Body=buffer.getvalue())


def earlier_records(s3: Any, table: LakeTable, day: int, count: int) -> dict[int, Sequence[QualityRow]]:
    """Return what was measured on the days before a day, by day.

    Parameters
    ----------
    s3
        S3 client.
    table
        The quality table.
    day
        The day, ``YYYYMMDD``.
    count
        How many days back.
    """
    days = days_before(day, count)
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=table.bucket,
        Prefix=f"{table.table}/{PARTITION_KEY}=",
        StartAfter=table.prefix(days[-1]),
    )
    there = {item["Key"] for page in pages for item in page.get("Contents", [])}
    found: dict[int, Sequence[QualityRow]] = {}
    for earlier in days:
        if place(table, earlier).key in there and (record := read_record(s3, table, earlier)):
            found[earlier] = record.rows
    return found


def write_record(
    s3: Any,
    glue: Any,
    table: LakeTable,
    day: int,
    rows: Sequence[QualityRow],
    missing: Sequence[MissingPaper],
    moment: datetime,
) -> None:
    """Register a day's partition, and write what was measured of it in place of what was written before."""
    schema = table_schema(table.table).arrow
    local = moment.astimezone(BRASILIA).replace(tzinfo=None, microsecond=0)
    content = pa.Table.from_pylist([{**row.to_row(), "datetime_exec": local} for row in rows], schema=schema)
    content = content.replace_schema_metadata({MISSING: json.dumps(names(missing))})
    # The object last: once it is there, a retry takes its verdict for one that was told.
    register_partition(glue, table, day)
    _write(s3, table, day, content)


def names(missing: Sequence[MissingPaper]) -> list[str]:
    """Return the missing papers as they are compared."""
    return sorted(f"{paper.kind.value} {paper.ticker}" for paper in missing)
