"""Removal of a day from the tables of the lake."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from pynvest_lake.aws import session
from pynvest_lake.storage import LakeTable

ATTEMPTS = 5


class ObjectsNotDeleted(RuntimeError):
    """S3 still has objects after it was asked to delete them."""


class PartitionNotDeleted(RuntimeError):
    """The catalog still has a partition after it was asked to delete it."""


@dataclass(frozen=True)
class Removed:
    """What was found of a day in one table, and removed."""

    table: str
    objects: int
    partition: bool


def remove_day(
    s3: Any, glue: Any, tables: Iterable[LakeTable], day: int, *, wait_seconds: float = 0.5
) -> list[Removed]:
    """Remove a day's objects and its partition from every table, each where it is found.

    Functions of an earlier run may still be writing. What lands in a table once that is cleared must find the
    tables after it cleared too: hence Spec before SoT before SoR. The other way around an object could stay
    whose successor has just been removed, and the day would never get complete.

    Parameters
    ----------
    s3, glue
        Clients.
    tables
        Tables to remove the day from, in this order: each before those that its objects come from.
    day
        The day, ``YYYYMMDD``.
    wait_seconds
        Wait before the second attempt at what would not go; doubles with each further one.

    Raises
    ------
    ObjectsNotDeleted, PartitionNotDeleted
        Objects or a partition are still there afterwards.
    """
    return [
        Removed(
            table.table,
            remove_objects(s3, table.bucket, table.prefix(day), wait_seconds=wait_seconds),
            _remove_partition(glue, table, day, wait_seconds),
        )
        for table in tables
    ]


def remove_objects(s3: Any, bucket: str, prefix: str, *, wait_seconds: float = 0.5) -> int:
    """Delete what lies below a prefix now; what an earlier run's function writes meanwhile stays.

    Returns
    -------
    int
        How many objects there were.

    Raises
    ------
    ObjectsNotDeleted
        Objects are still there after several attempts.
    """
    found = left = _objects(s3, bucket, prefix)
    for wait in _waits(wait_seconds):
        if not left:
            break
        time.sleep(wait)
        _awswrangler().s3.delete_objects([f"s3://{bucket}/{key}" for key in left])
        # S3 may report success and still leave single keys, which awswrangler ignores: list again.
        now = _objects(s3, bucket, prefix)
        left = {key: version for key, version in left.items() if now.get(key) == version}
    if left:
        raise ObjectsNotDeleted(
            f"{len(left)} of {len(found)} objects of s3://{bucket}/{prefix} are still there after {ATTEMPTS} "
            f"attempts to delete them, such as {next(iter(left))}: run the day again once S3 deletes them"
        )
    return len(found)


@cache
def _awswrangler() -> Any:
    """Return awswrangler, loaded at its first use.

    On most evenings there is nothing of the day to delete yet, and it would be two thirds of stage 1's start.
    """
    import awswrangler
    import boto3

    # awswrangler makes a client for each call, and a session too where boto3 has none.
    boto3.setup_default_session(botocore_session=session())
    return awswrangler


def _objects(s3: Any, bucket: str, prefix: str) -> dict[str, tuple[str, datetime]]:
    """Return ETag and time of every object below a prefix, by its key."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {
        item["Key"]: (item["ETag"], item["LastModified"])
        for page in pages
        for item in page.get("Contents", [])
    }


def _waits(wait_seconds: float) -> Iterator[float]:
    """Yield the wait before each attempt, none before the first."""
    yield 0.0
    for attempt in range(ATTEMPTS - 1):
        yield wait_seconds * 2**attempt


def _remove_partition(glue: Any, table: LakeTable, day: int, wait_seconds: float) -> bool:
    created_at = _created_at(glue, table, day)
    if created_at is None:
        return False
    for wait in _waits(wait_seconds):
        time.sleep(wait)
        _awswrangler().catalog.delete_partitions(
            table=table.table, database=table.database, partitions_values=[[str(day)]]
        )
        # A partition that cannot be deleted is no error to awswrangler. One that is newer was registered
        # meanwhile by a function of an earlier run, and stands for what that has written.
        if _created_at(glue, table, day) != created_at:
            return True
    raise PartitionNotDeleted(
        f"partition {day} of {table.database}.{table.table} is still in the catalog after its deletion: "
        "run the day again once the catalog deletes it"
    )


def _created_at(glue: Any, table: LakeTable, day: int) -> datetime | None:
    """Return when a partition was registered, to the second; None where there is none."""
    of_table = {"DatabaseName": table.database, "TableName": table.table}
    answer = glue.batch_get_partition(**of_table, PartitionsToGet=[{"Values": [str(day)]}])
    found: list[dict[str, Any]] = answer["Partitions"]
    if answer.get("UnprocessedKeys"):
        # Left unanswered, which does not say whether it is there. The single call does.
        try:
            found = [glue.get_partition(**of_table, PartitionValues=[str(day)])["Partition"]]
        except glue.exceptions.EntityNotFoundException:
            found = []
    return next((partition["CreationTime"] for partition in found), None)
