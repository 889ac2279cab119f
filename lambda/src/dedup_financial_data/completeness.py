"""Whether all that a day started has arrived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pynvest_lake.kinds import Kind
from pynvest_lake.storage import COMPACT, PART, LakeTable, Sources, Stamp, joined, list_day, sources_of

_SHOWN = 10
_COUNTS = {
    "ApproximateNumberOfMessages": "waiting",
    "ApproximateNumberOfMessagesNotVisible": "in flight",
    "ApproximateNumberOfMessagesDelayed": "delayed",
}


@dataclass(frozen=True)
class Neighbours:
    """The tables that a table's objects come from, and go to."""

    upstream: tuple[LakeTable, ...]
    downstream: tuple[LakeTable, ...]


def queued_messages(sqs: Any, queue_urls: Mapping[Kind, str]) -> list[str]:
    """Return what still lies in the queues, a text a queue that is not empty."""
    problems = []
    for kind, url in queue_urls.items():
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))["Attributes"]
        counts = {said: int(answer[name]) for name, said in _COUNTS.items()}
        if any(counts.values()):
            said = ", ".join(f"{count} {said}" for said, count in counts.items())
            problems.append(f"queue of {kind.value}: {said} messages")
    return problems


@dataclass(frozen=True)
class Holding:
    """What a day's partition of a table holds, by the ids of the parts.

    Parameters
    ----------
    parts
        What each part that lies there is now.
    sources
        The ids that have come to the table, by themselves or folded, each with the stamps of the sources that
        were read for it; none where the object is of before such stamps.
    """

    parts: Mapping[str, Stamp]
    sources: Sources

    def has(self, part_id: str, stamp: Stamp) -> bool:
        """Tell whether a part of the table before has come through as it is now."""
        return part_id in self.sources and (not self.sources[part_id] or stamp in self.sources[part_id])


def holding(s3: Any, table: LakeTable, day: int, *, reads_parts: bool = True) -> Holding:
    """Look at what a day's partition holds.

    Parameters
    ----------
    s3
        S3 client.
    table
        The table.
    day
        The day, ``YYYYMMDD``.
    reads_parts
        Whether the stamps that parts name are needed; where they are not, no part is read.
    """
    listed = list_day(s3, table, day)
    return Holding(
        {item.id: stamp for item, stamp in listed.items() if item.form == PART},
        joined(
            sources_of(s3, item, stamp)
            if reads_parts or item.form == COMPACT
            else {item.id: frozenset[Stamp]()}
            for item, stamp in listed.items()
        ),
    )


def missing_objects(s3: Any, table: LakeTable, neighbours: Neighbours, day: int) -> list[str]:
    """Return which of a day's objects have not come through, a text a pair of tables.

    Every id upstream has to be in the table, and every id in the table in each table downstream. A part that
    has been written anew has to come through anew.
    """
    # Upstream first: what arrives meanwhile is then seen too often, never too seldom.
    sources = [(source, holding(s3, source, day, reads_parts=False)) for source in neighbours.upstream]
    own = holding(s3, table, day)
    targets = [(target, holding(s3, target, day)) for target in neighbours.downstream]
    return [
        *_lacking((source.table, held, table.table, own) for source, held in sources),
        *_lacking((table.table, own, target.table, held) for target, held in targets),
    ]


def _lacking(pairs: Iterable[tuple[str, Holding, str, Holding]]) -> list[str]:
    problems = []
    for source, held, target, arrived in pairs:
        lacking = sorted(
            part_id
            for part_id in held.sources
            if part_id not in arrived.sources
            or (part_id in held.parts and not arrived.has(part_id, held.parts[part_id]))
        )
        if lacking:
            shown = ", ".join(lacking[:_SHOWN]) + (", …" if len(lacking) > _SHOWN else "")
            problems.append(f"{len(lacking)} objects of {source} are not in {target}: {shown}")
    return problems
