"""Removes a day from the tables of the lake."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from pynvest_lake.aws import attempts, list_objects, session
from pynvest_lake.storage import COMPACT, LakeTable

ATTEMPTS = 5


class NotDeleted(RuntimeError):
    """Objects in S3, or a partition in the catalog, still exist after the attempts to delete them."""


def remove_day(s3: Any, glue: Any, tables: Iterable[LakeTable], day: int) -> dict[str, Any]:
    """Remove a day's objects and partition from every table that has them.

    Functions of an earlier run may still be writing, so the tables are cleared in the order Spec, SoT, SoR.
    If SoR were cleared before SoT, a new SoR object could lose its SoT object, and the day would never be
    complete.

    Parameters
    ----------
    s3, glue
        Clients.
    tables
        The tables to clear, each table before its source tables.
    day
        The day, ``YYYYMMDD``.

    Returns
    -------
    dict
        ``objects_deleted`` and ``partitions_deleted`` are totals. ``tables`` has the number of deleted
        objects by table.

    Raises
    ------
    NotDeleted
        Objects or a partition still exist after all attempts.
    """
    objects, partitions = {}, 0
    for table in tables:
        objects[table.table] = remove_objects(s3, table.bucket, table.prefix(day))
        partitions += _remove_partition(glue, table, day)
    return {"objects_deleted": sum(objects.values()), "partitions_deleted": partitions, "tables": objects}


def remove_objects(s3: Any, bucket: str, prefix: str) -> int:
    """Delete the objects below a prefix, but keep the parts that other functions write during the deletion.

    A compact object that is written during the deletion is deleted too, because it contains rows of deleted
    objects.

    Returns
    -------
    int
        Number of objects found at the start.

    Raises
    ------
    NotDeleted
        Objects still exist after several attempts.
    """
    found = left = _objects(s3, bucket, prefix)
    for _ in attempts(ATTEMPTS if found else 0):
        _awswrangler().s3.delete_objects([f"s3://{bucket}/{key}" for key in left])
        # List the objects again: S3 may fail on some keys of a request, and awswrangler ignores such
        # failures.
        now = _objects(s3, bucket, prefix)
        left = {
            key: version
            for key, version in now.items()
            if left.get(key) == version or key.endswith(f".{COMPACT}.parquet")
        }
        if not left:
            break
    if left:
        raise NotDeleted(
            f"{len(left)} of {len(found)} objects of s3://{bucket}/{prefix} are still there after {ATTEMPTS} "
            f"attempts to delete them, such as {next(iter(left))}: repeat the call when S3 can delete objects"
        )
    return len(found)


@cache
def _awswrangler() -> Any:
    """Return awswrangler, imported at its first use.

    On most evenings there is nothing to delete, and importing awswrangler would take two thirds of stage 1's
    start time.
    """
    import awswrangler
    import boto3

    # Without a default SDK session, awswrangler would create a new session for each call.
    boto3.setup_default_session(botocore_session=session())
    return awswrangler


def _objects(s3: Any, bucket: str, prefix: str) -> dict[str, tuple[str, datetime]]:
    """Return ``ETag`` and ``LastModified`` of each object below a prefix, by the object's key."""
    found = list_objects(s3, bucket, prefix)
    return {item["Key"]: (item["ETag"], item["LastModified"]) for item in found}


def _remove_partition(glue: Any, table: LakeTable, day: int) -> bool:
    created_at = _created_at(glue, table, day)
    if created_at is None:
        return False
    for _ in attempts(ATTEMPTS):
        _awswrangler().catalog.delete_partitions(
            table=table.table, database=table.database, partitions_values=[[str(day)]]
        )
        # awswrangler reports no error if a deletion fails, so read the partition's creation time again. A new
        # time means that a function of an earlier run has registered the partition again: keep the partition.
        if _created_at(glue, table, day) != created_at:
            return True
    raise NotDeleted(
        f"partition {day} of {table.database}.{table.table} is still in the catalog after its deletion: "
        "repeat the call when the catalog can delete partitions"
    )


def _created_at(glue: Any, table: LakeTable, day: int) -> datetime | None:
    """Return when a partition was registered, in whole seconds; None if there is no partition."""
    try:
        answer = glue.get_partition(
            DatabaseName=table.database, TableName=table.table, PartitionValues=[str(day)]
        )
    except glue.exceptions.EntityNotFoundException:
        return None
    created_at: datetime = answer["Partition"]["CreationTime"]
    return created_at
