"""Converts each new object of a layer to an object of the next layer, in stages 4 and 5."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pyarrow as pa
from aws_lambda_powertools import Logger

from pynvest_lake.aws import client
from pynvest_lake.catalog import register_partition
from pynvest_lake.events import UnexpectedEvent, objects_of
from pynvest_lake.storage import (
    Content,
    LakeObject,
    LakeTable,
    ObjectGone,
    UnexpectedObject,
    compacted_ids,
    list_day,
    read,
    write,
)


def derive(
    event: dict[str, Any],
    sources: Iterable[LakeTable],
    target: LakeTable,
    rows_of: Callable[[Content], pa.Table],
    logger: Logger,
) -> dict[str, int]:
    """Write a target object for every source object that an S3 event names.

    A source is skipped if a compact object of the target lists it. Then S3 delivers the source's event a
    second time. A part that exists already is not written again.

    Parameters
    ----------
    event
        The event from S3.
    sources
        The tables whose objects the function reads.
    target
        The table that the function writes.
    rows_of
        Makes the target's rows from the content of a source object.
    logger
        The function's logger.

    Returns
    -------
    dict
        The numbers of written objects, written rows, sources that had been deleted, and skipped sources.

    Raises
    ------
    UnexpectedEvent
        The event has no records, a record does not belong to `sources`, or an object could not be read. All
        other objects were written.
    """
    objects, problems = objects_of(event, sources)
    counts = {"objects": 0, "rows": 0, "gone": 0, "there": 0}
    for source in objects:
        if _holds(target, source):
            counts["there"] += 1
            continue
        try:
            content = read(client("s3"), source)
        except ObjectGone as error:
            # Stage 1 or a compaction removed the source. After a compaction, the next layers already have the
            # rows.
            logger.warning("object gone", extra={"reason": str(error)})
            counts["gone"] += 1
            continue
        except UnexpectedObject as error:
            problems.append(str(error))
            continue
        rows = rows_of(content)
        write(client("s3"), target.part(source.day, source.id), rows)
        register_partition(client("glue"), target, source.day)
        counts["objects"] += 1
        counts["rows"] += len(rows)
    logger.info("objects derived", extra=counts)
    if problems:
        raise UnexpectedEvent("; ".join(problems))
    return counts


def _holds(target: LakeTable, source: LakeObject) -> bool:
    """Return whether a compact object of the target lists a source object."""
    for item in list_day(client("s3"), target, source.day):
        with suppress(ObjectGone):
            if source.id in compacted_ids(client("s3"), item):
                return True
    return False
