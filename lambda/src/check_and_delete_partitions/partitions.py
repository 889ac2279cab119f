"""Removal of a day from the tables of the lake."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import awswrangler as wr

from pynvest_lake.storage import LakeTable

ATTEMPTS = 3


class PartitionNotDeleted(RuntimeError):  # noqa: N818 - what went wrong
    """The catalog still has a partition after it was asked to delete it."""


@dataclass(frozen=True)
class Removed:
    """What was found of a day in one table, and removed."""

    table: str
    objects: int
    partition: bool


def remove_day(s3: Any, glue: Any, tables: Iterable[LakeTable], day: int) -> list[Removed]:
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

    Raises
    ------
    PartitionNotDeleted
        A partition is still there afterwards.
    """
    return [
        Removed(table.table, _remove_objects(s3, table, day), _remove_partition(glue, table, day))
        for table in tables
    ]


def _remove_objects(s3: Any, table: LakeTable, day: int) -> int:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=table.bucket, Prefix=table.prefix(day))
    paths = [f"s3://{table.bucket}/{item['Key']}" for page in pages for item in page.get("Contents", [])]
    if paths:
        wr.s3.delete_objects(paths)
    return len(paths)


def _remove_partition(glue: Any, table: LakeTable, day: int) -> bool:
    created_at = _created_at(glue, table, day)
    if created_at is None:
        return False
    for _ in range(ATTEMPTS):
        wr.catalog.delete_partitions(
            table=table.table, database=table.database, partitions_values=[[str(day)]]
        )
        # A partition that cannot be deleted is no error to awswrangler. One that is newer was registered
        # meanwhile by a function of an earlier run, and stands for what that has written.
        if _created_at(glue, table, day) != created_at:
            return True
    raise PartitionNotDeleted(
        f"partition {day} of {table.database}.{table.table} is still in the catalog after its deletion"
    )


def _created_at(glue: Any, table: LakeTable, day: int) -> datetime | None:
    """Return when a partition was registered, to the second; None where there is none."""
    answer = glue.batch_get_partition(
        DatabaseName=table.database, TableName=table.table, PartitionsToGet=[{"Values": [str(day)]}]
    )
    return next((partition["CreationTime"] for partition in answer["Partitions"]), None)
