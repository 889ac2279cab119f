"""Reads the quality rows of previous days from S3, and writes the quality rows of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from assess_day.assessment import QualityRow
from b3.brazilian import BRASILIA
from b3.days import PARTITION_KEY, days_before
from pynvest_lake.aws import list_objects
from pynvest_lake.catalog import register_partition
from pynvest_lake.contract import table_schema
from pynvest_lake.storage import LakeObject, LakeTable, object_id


def place(table: LakeTable, day: int) -> LakeObject:
    """Return the only object of a day in the quality table; each assessment replaces this object."""
    return table.part(day, object_id("quality"))


def read_record(s3: Any, table: LakeTable, day: int) -> tuple[QualityRow, ...]:
    """Return the stored quality rows of a day. The verdict is last."""
    answer = s3.get_object(Bucket=table.bucket, Key=place(table, day).key)
    return tuple(map(QualityRow.from_row, pq.read_table(BytesIO(answer["Body"].read())).to_pylist()))


def earlier_records(s3: Any, table: LakeTable, day: int, count: int) -> dict[int, Sequence[QualityRow]]:
    """Return the stored quality rows of each of the `count` days before a day."""
    days = days_before(day, count)
    listed = list_objects(
        s3, table.bucket, f"{table.root}{PARTITION_KEY}=", StartAfter=table.prefix(days[-1])
    )
    there = {item["Key"] for item in listed}
    return {
        earlier: read_record(s3, table, earlier) for earlier in days if place(table, earlier).key in there
    }


def write_record(
    s3: Any, glue: Any, table: LakeTable, day: int, rows: Sequence[QualityRow], moment: datetime
) -> None:
    """Replace the stored quality rows of a day, and then register the day's partition.

    The partition is registered last, because queries read the newest registered day and need its rows.
    """
    schema = table_schema(table.table).arrow
    local = moment.astimezone(BRASILIA).replace(tzinfo=None, microsecond=0)
    content = pa.Table.from_pylist([{**row.to_row(), "datetime_exec": local} for row in rows], schema=schema)
    buffer = BytesIO()
    pq.write_table(content, buffer, compression="snappy", use_dictionary=True)
    s3.put_object(Bucket=table.bucket, Key=place(table, day).key, Body=buffer.getvalue())
    register_partition(glue, table, day)
