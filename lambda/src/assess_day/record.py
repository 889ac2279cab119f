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
from botocore.exceptions import ClientError

from assess_day.assessment import MissingPaper, QualityRow, Situation
from pynvest_lake.catalog import register_partition
from pynvest_lake.contract import table_schema
from pynvest_lake.day import BRASILIA, PARTITION_KEY, days_before
from pynvest_lake.storage import GONE_OR_CHANGED, LakeObject, LakeTable, ObjectChanged, object_id

MISSING = b"pynvest.missing"
TOLD_BY = b"pynvest.told_by"
NOBODY = ""


@dataclass(frozen=True)
class Record:
    """What was written of a day.

    Parameters
    ----------
    content
        Its rows, with what else was written down of it.
    etag, written_at
        Of the object.
    """

    content: pa.Table
    etag: str
    written_at: datetime

    @property
    def rows(self) -> tuple[QualityRow, ...]:
        """Return its rows, the verdict last."""
        return tuple(QualityRow.from_row(row) for row in self.content.to_pylist())

    @property
    def situacao(self) -> Situation:
        """Return the verdict."""
        return self.rows[-1].situacao

    @property
    def missing(self) -> tuple[str, ...]:
        """Return which papers were missing."""
        return tuple(json.loads((self.content.schema.metadata or {}).get(MISSING, b"[]")))

    @property
    def told_by(self) -> str | None:
        """Return the execution that tells of it; `NOBODY` where that failed, None where it is not known."""
        said = (self.content.schema.metadata or {}).get(TOLD_BY)
        return None if said is None else said.decode()


@dataclass(frozen=True)
class Run:
    """An execution of the workflow: its name, when it was started, and whether it has folded a part."""

    execution: str
    started_at: datetime
    folded: bool

    def has_news(self, before: Record | None, situation: Situation, missing: Sequence[MissingPaper]) -> bool:
        """Tell whether it has something to tell that was not told before.

        Parameters
        ----------
        before
            What was written of the day; None where nothing was.
        situation, missing
            Verdict and missing papers.
        """
        if before is None or (before.situacao, before.missing) != (situation, names(missing)):
            return True
        # Nobody got it; or an attempt of this execution wrote it, whose answer was lost.
        if before.told_by in (NOBODY, self.execution):
            return True
        # What one that ran beside this one has told since is told.
        return self.folded and before.written_at < self.started_at


def place(table: LakeTable, day: int) -> LakeObject:
    """Return the day's object of the quality table: one, that each assessment replaces."""
    return table.part(day, object_id("quality"))


def read_record(s3: Any, table: LakeTable, day: int) -> Record | None:
    """Return what was written of a day, if anything was."""
    try:
        answer = s3.get_object(Bucket=table.bucket, Key=place(table, day).key)
    except s3.exceptions.NoSuchKey:
        return None
    content = pq.read_table(BytesIO(answer["Body"].read()))
    return Record(content, answer["ETag"], answer["LastModified"])


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
        Prefix=f"{table.root}{PARTITION_KEY}=",
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
    *,
    told_by: str | None = None,
    before: Record | None = None,
) -> None:
    """Write what was measured of a day in place of what was written before, then register its partition.

    In this order a partition that is registered has an object: the newest one is the last day of a query.

    Raises
    ------
    ObjectChanged
        Something else has been written since.
    """
    schema = table_schema(table.table).arrow
    local = moment.astimezone(BRASILIA).replace(tzinfo=None, microsecond=0)
    content = pa.Table.from_pylist([{**row.to_row(), "datetime_exec": local} for row in rows], schema=schema)
    said = {MISSING: json.dumps(names(missing)).encode()}
    if told_by is not None:
        said[TOLD_BY] = told_by.encode()
    _write(s3, table, day, content.replace_schema_metadata(said), before)
    register_partition(glue, table, day)


def mark_untold(s3: Any, table: LakeTable, day: int, execution: str) -> None:
    """Write down that an execution could tell nobody of what was written of a day: the next one tells.

    Raises
    ------
    ObjectChanged
        Something else has been written since.
    """
    before = read_record(s3, table, day)
    if before is None or before.told_by != execution:  # another one tells of what has been written since
        return
    said = {**(before.content.schema.metadata or {}), TOLD_BY: NOBODY.encode()}
    _write(s3, table, day, before.content.replace_schema_metadata(said), before)


def _write(s3: Any, table: LakeTable, day: int, content: pa.Table, before: Record | None) -> None:
    buffer = BytesIO()
    pq.write_table(content, buffer, compression="snappy", use_dictionary=True)
    item = place(table, day)
    condition = {"IfNoneMatch": "*"} if before is None else {"IfMatch": before.etag}
    try:
        s3.put_object(Bucket=table.bucket, Key=item.key, Body=buffer.getvalue(), **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE_OR_CHANGED:
            raise ObjectChanged(f"{item.uri} is not what it was when it was read") from error
        raise


def names(missing: Sequence[MissingPaper]) -> tuple[str, ...]:
    """Return the missing papers as they are compared."""
    return tuple(sorted(f"{paper.kind.value} {paper.ticker}" for paper in missing))
