"""Compacts the objects of a partition into one object with the best reading of each ticker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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
    etag_of,
    list_day,
    read,
    write,
)

# From the second round on, a round compacts objects that other executions have added meanwhile.
MAX_ROUNDS = 5


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

    The new object is written before its source objects are deleted. An interruption at any point does not
    change the rows that the next compaction gives.

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
        A function that returns the ids that have reached the next table; None for the last table. Parts with
        other ids are left unchanged: stage 5 must still read them.

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
        objects = list_day(s3, table, day)
        sources = [item for item in objects if item.form == COMPACT or ids is None or item.id in ids]
        contents = [read(s3, item) for item in sources]
        if not contents:
            return Compacted()
        rows = _best_rows(contents, ticker_column)
        duplicates = sum(len(content.rows) for content in contents) - len(rows)
        if len(contents) == 1 and not duplicates:
            return Compacted(1, len(rows))
        ids_in = frozenset().union(*(content.ids for content in contents))
        _replace(s3, table, day, rows, ids_in, {content.object: content.etag for content in contents})
        return Compacted(len(contents), len(rows), duplicates, written=True)

    return _until_calm(table, day, attempt)


def rebuild(
    s3: Any,
    table: LakeTable,
    day: int,
    ticker_column: str,
    sources: Sequence[LakeTable],
    rows_of: Callable[[Content], pa.Table],
) -> Compacted:
    """Rebuild a day's partition from the rows of its source tables; replace also objects that are damaged.

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
        The result, with the numbers of objects and rows in the sources. Nothing is written if the sources are
        empty, or if the partition holds one compact object and nothing else, and the object has the rebuilt
        rows and ids.

    Raises
    ------
    PartitionBusy
        The partition changed during every attempt. No data is lost.
    """

    def attempt() -> Compacted:
        held, etags = _held(s3, table, day)
        made = [
            Content(content.object, rows_of(content), content.etag, content.ids)
            for source in sources
            for content in (read(s3, item) for item in list_day(s3, source, day))
        ]
        if not made:
            return Compacted()
        rows = _best_rows(made, ticker_column)
        ids = frozenset().union(*(content.ids for content in made))
        done = Compacted(len(made), len(rows), sum(len(content.rows) for content in made) - len(rows))
        if (
            len(etags) == len(held) == 1
            and held[0].object.form == COMPACT
            and held[0].ids == ids
            and held[0].rows.equals(rows)
        ):
            return done
        _replace(s3, table, day, rows, ids, etags)
        return Compacted(done.objects_read, done.rows, done.duplicates, written=True)

    return _until_calm(table, day, attempt)


def _held(s3: Any, table: LakeTable, day: int) -> tuple[list[Content], dict[LakeObject, str]]:
    """Return the readable objects of a partition, and the ETags of all its objects."""
    held, etags = [], {}
    for item in list_day(s3, table, day):
        try:
            content = read(s3, item)
        except UnexpectedObject:
            etags[item] = etag_of(s3, item)
        else:
            held.append(content)
            etags[item] = content.etag
    return held, etags


def _best_rows(contents: Sequence[Content], ticker_column: str) -> pa.Table:
    """Return the best reading per ticker.

    If two readings have equal moments, a part's reading is preferred to a compact object's. Between two parts
    or two compact objects, the greater object id wins.
    """
    ranked = sorted(contents, key=lambda content: (content.object.form == PART, content.object.id))
    return best_rows([content.rows for content in ranked], ticker_column)


def _until_calm(table: LakeTable, day: int, attempt: Callable[[], Compacted]) -> Compacted:
    """Repeat the compaction until an attempt writes nothing; return the combined result of all attempts."""
    outcome = Compacted()
    for _ in range(MAX_ROUNDS):
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
        f"another process writes to {table.location(day)}: it changed during each of {MAX_ROUNDS} attempts"
    )


def _replace(
    s3: Any, table: LakeTable, day: int, rows: pa.Table, ids: Iterable[str], etags: dict[LakeObject, str]
) -> None:
    """Write a compact object and delete the objects that it replaces.

    Raises
    ------
    ObjectGone
        Another process removed an object that the new object should replace. The new object was deleted
        again.
    """
    # The name is unique, so that after a conflict this execution deletes no object of another execution.
    target = table.compact(day, uuid4().hex)
    write(s3, target, rows, list(ids))
    if gone := etags.keys() - list_day(s3, table, day).objects.keys():
        s3.delete_object(Bucket=table.bucket, Key=target.key)
        raise ObjectGone(f"another process removed {min(item.uri for item in gone)}")
    for item, etag in etags.items():
        try:
            s3.delete_object(Bucket=table.bucket, Key=item.key, IfMatch=etag)
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE_OR_CHANGED:
                raise
