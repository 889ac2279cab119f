"""Converts each new object of a layer to an object of the next layer, in stages 4 and 5."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote_plus

import pyarrow as pa
from aws_lambda_powertools import Logger

from b3.days import DayRefused, check_run_day
from pynvest_lake.aws import client
from pynvest_lake.catalog import register_partition
from pynvest_lake.storage import (
    PART,
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
    sources: Collection[LakeTable],
    target: LakeTable,
    rows_of: Callable[[Content], pa.Table],
    logger: Logger,
) -> dict[str, int]:
    """Write a target object for every source object that an S3 event names.

    S3 may deliver an event twice, so an existing part is not written again. A source is skipped if a compact
    object of the target lists the source's id.

    Parameters
    ----------
    event
        The event from S3, directly or through EventBridge.
    sources
        The tables whose objects the function reads.
    target
        The table that the function writes.
    rows_of
        Makes the target's rows from the content of a source object.

    Returns
    -------
    dict
        ``objects`` counts the converted sources, ``gone`` the deleted sources, ``there`` the skipped sources,
        and ``rows`` the written rows.

    Raises
    ------
    UnexpectedObject
        The event names an object that cannot be read, or that is not a part in one of the `sources`. All
        other objects were written.
    ValueError
        The event is not from S3.
    """
    problems: list[str] = []
    counts = {"objects": 0, "rows": 0, "gone": 0, "there": 0}
    for bucket, key in _places(event):
        try:
            source = _part(bucket, key, sources)
            if _holds(target, source):
                counts["there"] += 1
                continue
            content = read(client("s3"), source)
        except ObjectGone as error:
            # Stage 1 or a compaction removed the source. A compaction removes a part only after the rows of
            # the part are in the next layer.
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
        raise UnexpectedObject("; ".join(problems))
    return counts


def _places(event: dict[str, Any]) -> list[tuple[str, str]]:
    """Return bucket and key of each object that an event names."""
    if event.get("Event") == "s3:TestEvent":
        return []
    try:
        if event.get("source") == "aws.s3":  # from EventBridge, which does not encode the key
            return [(event["detail"]["bucket"]["name"], event["detail"]["object"]["key"])]
        records = [record["s3"] for record in event["Records"]]
        return [(one["bucket"]["name"], unquote_plus(one["object"]["key"])) for one in records]
    except (KeyError, TypeError) as error:
        raise ValueError(f"event has {sorted(event)}, expected an event of S3: {error!r}") from error


def _part(bucket: str, key: str, tables: Collection[LakeTable]) -> LakeObject:
    table = next((one for one in tables if one.bucket == bucket and key.startswith(one.root)), None)
    if table is None:
        expected = ", ".join(f"s3://{table.bucket}/{table.root}" for table in tables)
        raise UnexpectedObject(f"s3://{bucket}/{key} is in no table of this function, expected {expected}")
    found = table.parse_key(key)
    if found.form != PART:
        raise UnexpectedObject(f"{found.uri} is a compact object, expected a part")
    try:
        check_run_day(found.day, datetime.now(timezone.utc))
    except DayRefused as error:
        raise UnexpectedObject(f"{found.uri}: {error}") from error
    return found


def _holds(target: LakeTable, source: LakeObject) -> bool:
    """Return whether a compact object of the target lists a source object."""
    for item in list_day(client("s3"), target, source.day):
        with suppress(ObjectGone, UnexpectedObject):
            if source.id in compacted_ids(client("s3"), item):
                return True
    return False
