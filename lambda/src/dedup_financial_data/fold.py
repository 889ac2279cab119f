"""Many objects of a partition folded into one, with one row a ticker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from botocore.exceptions import ClientError

from dedup_financial_data.errors import PartitionBusy
from pynvest_lake.best_reading import best_rows
from pynvest_lake.storage import (
    COMPACT,
    GONE_OR_CHANGED,
    PART,
    Content,
    LakeTable,
    ObjectChanged,
    ObjectGone,
    joined,
    list_day,
    object_id,
    read,
    write,
)

# Each further round folds what another run of the workflow left beside this one's object.
MAX_ROUNDS = 5


@dataclass(frozen=True)
class Folded:
    """What a fold did to a partition."""

    objects_read: int = 0
    rows: int = 0
    duplicates: int = 0
    written: bool = False


def fold(
    s3: Any, table: LakeTable, day: int, ticker_column: str, foldable: Callable[[Content], bool]
) -> Folded:
    """Leave a day's partition as one object that has the newest row of each ticker.

    The new object is written before the ones it was made from are deleted, each only if it is still what was
    read. Started again after an end at any point, it leaves the same rows.

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
    foldable
        Tells whether a part may be folded; others stay as they are.

    Returns
    -------
    Folded
        What was read and kept. Where one object without duplicates is all there is, nothing is written.

    Raises
    ------
    PartitionBusy
        The partition changed on each of several looks. Nothing of it is lost.
    """
    outcome = Folded()
    for _ in range(MAX_ROUNDS):
        try:
            done = _fold_once(s3, table, day, ticker_column, foldable)
        except (ObjectGone, ObjectChanged):  # another run folded it: look again
            continue
        if not done.written:
            return Folded(
                outcome.objects_read or done.objects_read, done.rows, outcome.duplicates, outcome.written
            )
        outcome = Folded(
            outcome.objects_read or done.objects_read, done.rows, outcome.duplicates + done.duplicates, True
        )
    raise PartitionBusy(
        f"something else writes to {table.location(day)}: it had changed at each of {MAX_ROUNDS} looks"
    )


def _fold_once(
    s3: Any, table: LakeTable, day: int, ticker_column: str, foldable: Callable[[Content], bool]
) -> Folded:
    read_now = [read(s3, source) for source in list_day(s3, table, day)]
    contents = [content for content in read_now if content.object.form == COMPACT or foldable(content)]
    if not contents:
        return Folded()
    rows = newest_rows(contents, ticker_column)
    duplicates = sum(len(content.rows) for content in contents) - len(rows)
    if len(contents) == 1 and not duplicates:
        return Folded(1, len(rows))
    sources = joined(content.sources for content in contents)
    target = table.compact(day, object_id(*sorted(sources)))
    # What another run has put there meanwhile is not overwritten unread.
    etags = {content.object: content.etag for content in contents}
    write(s3, target, rows, sources, replaces=etags.get(target))
    for content in contents:
        if content.object != target:
            _delete(s3, content)
    return Folded(len(contents), len(rows), duplicates, written=True)


def newest_rows(contents: Sequence[Content], ticker_column: str) -> pa.Table:
    """Return the best reading of each ticker, in the order of tickers.

    Of equal readings, that of a part comes before that of a compact object (it came later), then that of the
    greatest id.
    """
    ranked = sorted(contents, key=lambda content: (content.object.form == PART, content.object.id))
    return best_rows([content.rows for content in ranked], ticker_column)


def _delete(s3: Any, content: Content) -> None:
    """Delete an object if it is still the one that was read."""
    try:
        s3.delete_object(Bucket=content.object.table.bucket, Key=content.object.key, IfMatch=content.etag)
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE_OR_CHANGED:
            raise
