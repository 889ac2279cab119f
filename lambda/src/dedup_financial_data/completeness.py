"""Whether all that a day started has arrived."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pynvest_lake.kinds import Kind
from pynvest_lake.storage import LakeTable, ids_of, list_day

_SHOWN = 10
_COUNTS = {
    "ApproximateNumberOfMessages": "waiting",
    "ApproximateNumberOfMessagesNotVisible": "in flight",
    "ApproximateNumberOfMessagesDelayed": "delayed",
}


class DayNotComplete(Exception):  # noqa: N818 - the workflow retries this very name
    """Something of the day is still on its way; the text says what."""


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


def missing_objects(s3: Any, table: LakeTable, neighbours: Neighbours, day: int) -> list[str]:
    """Return which of a day's objects have not come through, a text a pair of tables.

    Every id upstream has to be in the table, and every id in the table in each table downstream.
    """
    # Upstream first: what arrives meanwhile is then seen too often, never too seldom.
    sources = [(source, table_ids(s3, source, day)) for source in neighbours.upstream]
    own = table_ids(s3, table, day)
    targets = [(target, table_ids(s3, target, day)) for target in neighbours.downstream]
    return [
        *_lacking((source.table, ids, table.table, own) for source, ids in sources),
        *_lacking((table.table, own, target.table, ids) for target, ids in targets),
    ]


def table_ids(s3: Any, table: LakeTable, day: int) -> set[str]:
    """Return the ids of all parts that a day's partition holds, folded ones among them."""
    return ids_of(s3, list_day(s3, table, day))


def _lacking(pairs: Iterable[tuple[str, Collection[str], str, Collection[str]]]) -> list[str]:
    problems = []
    for source, ids, target, present in pairs:
        lacking = sorted(set(ids) - set(present))
        if lacking:
            shown = ", ".join(lacking[:_SHOWN]) + (", …" if len(lacking) > _SHOWN else "")
            problems.append(f"{len(lacking)} objects of {source} are not in {target}: {shown}")
    return problems
