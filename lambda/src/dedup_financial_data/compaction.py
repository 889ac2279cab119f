"""Compacts the objects of a partition into one object with the best reading of each ticker."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pyarrow as pa
from botocore.exceptions import ClientError

from pynvest_lake.best_reading import best_rows
from pynvest_lake.storage import (
    COMPACT,
    GONE_OR_CHANGED,
    PART,
    Content,
    LakeObject,
    LakeTable,
    ObjectGone,
    UnexpectedObject,
    list_day,
    read,
    write,
)

# If other functions add objects during an attempt, a further attempt compacts these objects.
MAX_ATTEMPTS = 5


class PartitionBusy(Exception):
    """Another process keeps changing the partition; no data is lost."""


@dataclass(frozen=True)
class Compacted:
    """The counts of objects and rows in a compaction, and whether the compaction wrote an object."""

    objects_read: int = 0
    rows: int = 0
    duplicates: int = 0
    written: bool = False


def compact(
    s3: Any, table: LakeTable, day: int, ticker_column: str, arrived: Callable[[], frozenset[str]] | None
) -> Compacted:
    """Compact a day's partition into one object that has the best reading of each ticker.

    The new object is written before its source objects are deleted. If the compaction is interrupted at any
    point, the next compaction gives the same rows.

    Parameters
    ----------
    s3
        S3 client.
    table
        The table.
    day
        The day, ``YYYYMMDD``.
    ticker_column
        The column that holds the ticker.
    arrived
        A function that returns the ids that have reached the next table. Pass None for the last table. Parts
        that have not reached the next table are left unchanged, because stage 5 must still read them.

    Returns
    -------
    Compacted
        The result. If a partition is one object without duplicates, nothing is written.

    Raises
    ------
    PartitionBusy
        The partition changed during every attempt. No data is lost.
    """

    def attempt() -> Compacted:
        ids = arrived() if arrived else None
        objects = list_day(s3, table, day).objects
        sources = {
            item: listed
            for item, listed in objects.items()
            if item.form == COMPACT or ids is None or item.id in ids
        }
        contents = [read(s3, item) for item in sources]
        if not contents:
            return Compacted()
        rows, ids_in, done = _merge(contents, ticker_column)
        if len(contents) == 1 and not done.duplicates:
            return done
        _replace(s3, table, day, rows, ids_in, sources)
        return replace(done, written=True)

    return _until_calm(table, day, attempt)


def rebuild(
    s3: Any,
    table: LakeTable,
    day: int,
    ticker_column: str,
    sources: Sequence[LakeTable],
    rows_of: Callable[[Content], pa.Table],
) -> Compacted:
    """Rebuild a day's partition from its source tables. Damaged objects in the partition are replaced, too.

    Parameters
    ----------
    s3, table, day, ticker_column
        As for `compact`.
    sources
        The source tables.
    rows_of
        A function that converts the content of a source object to rows of the table.

    Returns
    -------
    Compacted
        The result; ``objects_read`` counts the source objects. Nothing is written if there are no source
        objects, or if the partition is already one compact object with the rebuilt rows and ids.

    Raises
    ------
    PartitionBusy
        The partition changed during every attempt. No data is lost.
    """

    def attempt() -> Compacted:
        objects = list_day(s3, table, day).objects
        made = [
            replace(content, rows=rows_of(content))
            for source in sources
            for content in (read(s3, item) for item in list_day(s3, source, day))
        ]
        if not made:
            return Compacted()
        rows, ids, done = _merge(made, ticker_column)
        if [item.form for item in objects] == [COMPACT]:
            with suppress(UnexpectedObject):
                held = read(s3, *objects)
                if held.ids == ids and held.rows.equals(rows):
                    return done
        _replace(s3, table, day, rows, ids, objects)
        return replace(done, written=True)

    return _until_calm(table, day, attempt)


def _merge(contents: Sequence[Content], ticker_column: str) -> tuple[pa.Table, frozenset[str], Compacted]:
    """Return the best reading of each ticker, the ids of all SoR objects in `contents`, and the counts.

    If two readings have the same timestamps, the reading from a part is better than the reading from a
    compact object. If both readings come from parts, or both from compact objects, the reading from the
    object with the greater id is better.
    """
    ranked = sorted(contents, key=lambda content: (content.object.form == PART, content.object.id))
    rows = best_rows([content.rows for content in ranked], ticker_column)
    ids = frozenset().union(*(content.ids for content in contents))
    duplicates = sum(len(content.rows) for content in contents) - len(rows)
    return rows, ids, Compacted(len(contents), len(rows), duplicates)


def _until_calm(table: LakeTable, day: int, attempt: Callable[[], Compacted]) -> Compacted:
    """Repeat the compaction until an attempt writes nothing; return the combined result of all attempts."""
    outcome = Compacted()
    for _ in range(MAX_ATTEMPTS):
        try:
            done = attempt()
        except ObjectGone:  # another execution compacted the partition: try again
            continue
        outcome = Compacted(
            outcome.objects_read or done.objects_read,
            done.rows,
            outcome.duplicates + done.duplicates if done.written else outcome.duplicates,
            outcome.written or done.written,
        )
        if not done.written:
            return outcome
    raise PartitionBusy(
        f"another process writes to {table.location(day)}, which changed in all {MAX_ATTEMPTS} attempts"
    )


def _replace(
    s3: Any,
    table: LakeTable,
    day: int,
    rows: pa.Table,
    ids: Collection[str],
    replaced: Mapping[LakeObject, Mapping[str, Any]],
) -> None:
    """Write a compact object, and delete the replaced objects that have not changed.

    Raises
    ------
    ObjectGone
        Another process removed an object that the new object should replace. The new object was deleted.
    """
    # The name is random: no other execution writes this object, so it is safe to delete it after a conflict.
    target = table.compact(day, uuid4().hex)
    write(s3, target, rows, ids)
    if gone := replaced.keys() - list_day(s3, table, day).objects.keys():
        s3.delete_object(Bucket=table.bucket, Key=target.key)
        raise ObjectGone(f"another process removed {min(item.uri for item in gone)}")
    for item, listed in replaced.items():
        try:
            s3.delete_object(Bucket=table.bucket, Key=item.key, IfMatch=listed["ETag"])
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE_OR_CHANGED:
                raise
