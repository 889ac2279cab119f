"""What stages 4 and 5 share: every new object of one layer becomes one of the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Derived:
    """What came of an event: counts of objects, rows, and sources that had gone or come through; problems."""

    counts: dict[str, int]
    problems: list[str]

    def raise_problems(self) -> None:
        """Raise what went wrong, if anything did.

        Raises
        ------
        UnexpectedEvent
            A record was not of the function's tables, or its object could not be read.
        """
        if self.problems:
            raise UnexpectedEvent("; ".join(self.problems))


def derive(
    event: dict[str, Any],
    sources: Iterable[LakeTable],
    target: LakeTable,
    rows_of: Callable[[Content], pa.Table],
    logger: Logger,
) -> Derived:
    """Write the target's object of every source object that an S3 event names.

    A source that the target holds already, as a part or compacted, is passed over: the event has come again.

    Parameters
    ----------
    event
        The event as S3 sends it.
    sources
        The tables whose objects the function takes.
    target
        The table that it writes.
    rows_of
        Makes the target's rows of what a source object holds.
    logger
        The function's.

    Raises
    ------
    UnexpectedEvent
        The event has no records.
    """
    objects, problems = objects_of(event, sources)
    counts = {"objects": 0, "rows": 0, "gone": 0, "there": 0}
    for source in objects:
        if _holds(target, source):
            counts["there"] += 1
            continue
        try:
            content = read(client("s3"), source)
        except (
            ObjectGone
        ) as error:  # cleared by stage 1 meanwhile, or compacted: then its rows are further on
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
    return Derived(counts, problems)


def _holds(target: LakeTable, source: LakeObject) -> bool:
    """Return whether a compact object of the target lists a source object."""
    objects = list_day(client("s3"), target, source.day)
    return any(source.id in compacted_ids(client("s3"), item) for item in objects)
