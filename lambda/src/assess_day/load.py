"""Loads the state of a day and the input of its checks from ledger, tables, queues and workflow."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from assess_day.check_inputs import CheckInputs
from assess_day.day_status import DayState
from assess_day.portuguese import ASSETS, some
from assess_day.quality_table import earlier_records
from assess_day.references import is_old_session
from assess_day.thresholds import REFERENCE_DAYS
from b3.days import PARTITION_KEY, DayRefused, day_at, days_before, is_trading_day
from b3.kind import Kind
from pynvest_lake.catalog import days_without_partition
from pynvest_lake.contract import (
    QUALITY,
    SOR,
    SOT,
    SPEC_ATIVOS,
    table_schema,
)
from pynvest_lake.execution import Execution
from pynvest_lake.ledger import DayLedger, Ledger
from pynvest_lake.storage import PART, LakeTable, ObjectGone, arrived_ids, list_day, read

# Look for an earlier listing or earlier rows in at most this many days before the run day.
LISTING_DAYS = 10
_COUNTS = {
    "ApproximateNumberOfMessages": "à espera",
    "ApproximateNumberOfMessagesNotVisible": "em leitura",
    "ApproximateNumberOfMessagesDelayed": "adiadas",
}


@dataclass(frozen=True)
class Settings:
    """The settings of the function.

    ``queue_patience_seconds``: a sent message is read, or moved to the dead-letter queue, within this time.
    ``fetch_from``: ``site`` if the lake fetches pages from the site, ``pages`` if a collector uploads the
    pages. ``quality_gate``: with ``fail``, the workflow fails if the verdict is ``falha``; with ``record``,
    it does not. ``quality_reference_from``: the first day whose values serve as references. ``daily_digest``:
    whether a digest is sent even if the day has no remarks. ``name_prefix``: the lake's name.
    """

    lake_tables: tuple[LakeTable, ...]
    work_bucket: str
    tickers_queue_urls: Mapping[Kind, str]
    queue_patience_seconds: int
    look_interval_seconds: int
    workflow_arn: str
    fetch_from: str
    dead_letter_queue_urls: tuple[str, ...]
    quality_gate: str
    quality_reference_from: int
    daily_digest: bool
    name_prefix: str

    def table(self, name: str) -> LakeTable:
        """Return the lake's table that has the given name."""
        return next(table for table in self.lake_tables if table.table == name)


def load_state(s3: Any, sqs: Any, settings: Settings, day: int) -> DayState:
    """Load the stored state of a day."""
    # Read the queues before the ledger. If the ledger were read first, a message that is processed between
    # the two reads would be missing from `ledger` and from `queues`.
    queues = queued_messages(sqs, settings.tickers_queue_urls)
    ledger = Ledger(s3, settings.work_bucket).read(day)
    return state_of(s3, settings.lake_tables, ledger, queues, settings.fetch_from)


def state_of(
    s3: Any,
    tables: Iterable[LakeTable],
    ledger: DayLedger,
    queues: Sequence[str] = (),
    fetch_from: str = "site",
) -> DayState:
    """Return the state of a day's objects and ledger. Each id of SoR should be in SoT and in Spec."""
    named = {table.table: table for table in tables}
    while True:
        # List SoR first: otherwise its list could have a new object that the lists of SoT and Spec lack.
        order = (*SOR.values(), *SOT.values(), SPEC_ATIVOS)
        partitions = {name: list_day(s3, named[name], ledger.day) for name in order}
        of_sor = {kind: partitions[name].ids(PART) for kind, name in SOR.items()}
        sor_ids = frozenset().union(*of_sor.values())
        expected = {**{SOT[kind]: ids for kind, ids in of_sor.items()}, SPEC_ATIVOS: sor_ids}
        try:
            lacking = {
                name: sorted(ids - arrived_ids(s3, partitions[name])) for name, ids in expected.items()
            }
        except ObjectGone:  # a compaction has replaced an object: list the new objects
            continue
        written = [item for name in SOR.values() for item in partitions[name].objects.values()]
        return DayState(
            ledger,
            sor_ids,
            tuple(
                f"objetos da SoR que não chegaram a {name}: {len(missing)} ({some(missing)})"
                for name, missing in lacking.items()
                if missing
            ),
            queues,
            max((item["LastModified"] for item in written), default=None),
            fetch_from,
            tuple(key for partition in partitions.values() for key in partition.foreign),
        )


def earlier_listed(s3: Any, settings: Settings, day: int) -> dict[Kind, int] | None:
    """Return the number of assets per kind in the previous full listing; None if no such listing exists."""
    ledger = Ledger(s3, settings.work_bucket)
    for earlier in days_before(day, LISTING_DAYS):
        listing = ledger.listing(earlier)
        if listing is not None and not listing.is_partial and all(listing.assets.get(kind) for kind in Kind):
            return {kind: len(listing.assets.get(kind, ())) for kind in Kind}
    return None


def old_sessions(s3: Any, settings: Settings, state: DayState) -> list[tuple[int, Kind]]:
    """Return the old sessions that the site shows, each with its kind."""
    ledger = state.ledger
    if state.fetch_from != "site" or ledger.is_partial:
        return []
    newest: dict[Kind, int] = {}
    for (kind, _), said in ledger.assets(state.sor_ids).items():
        newest[kind] = max(newest.get(kind, 0), said.session or 0)
    shown = [(session, kind) for kind, session in newest.items() if session not in (0, ledger.day)]
    if not shown:
        return []
    earlier = earlier_records(s3, settings.table(QUALITY), ledger.day, LISTING_DAYS)
    old = [one for one in shown if is_old_session(one[0], ledger.day, one[1], earlier)]
    return sorted(old) if old and is_trading_day(ledger.day) else []


def most_traded(s3: Any, settings: Settings, day: int, kind: Kind) -> str | None:
    """Return a kind's most traded asset, whose page is one of the first to show a new session."""
    rows = rows_of(s3, settings.table(SOT[kind]), day)
    assets = zip(rows[kind.ticker_column].to_pylist(), rows["vol_med_neg_2m"].to_pylist(), strict=True)
    most = max(((volume or 0, ticker) for ticker, volume in assets), default=None)
    return most[1] if most else None


def load_inputs(
    s3: Any,
    glue: Any,
    sqs: Any,
    settings: Settings,
    state: DayState,
    compactions: Sequence[Mapping[str, Any]],
) -> CheckInputs:
    """Load the input of a day's quality checks.

    Each compaction has ``result`` if it succeeded, else ``error`` and ``cause``.
    """
    day = state.ledger.day
    return CheckInputs(
        state,
        {kind: rows_of(s3, settings.table(name), day) for kind, name in SOR.items()},
        {kind: rows_of(s3, settings.table(name), day) for kind, name in SOT.items()},
        rows_of(s3, settings.table(SPEC_ATIVOS), day),
        {kind: rows_before(s3, settings.table(name), day) for kind, name in SOT.items()},
        [
            f"{compaction['error']}: {compaction.get('cause')}"
            for compaction in compactions
            if "error" in compaction
        ],
        sum(compaction.get("result", {}).get("duplicates", 0) for compaction in compactions),
        dead_letters(sqs, settings.dead_letter_queue_urls),
        earlier_records(s3, settings.table(QUALITY), day, REFERENCE_DAYS),
        settings.quality_reference_from,
        {table: days_without_partition(s3, glue, table) for table in settings.lake_tables},
    )


def dead_letters(sqs: Any, queue_urls: Sequence[str]) -> int:
    """Return the total number of messages in the given queues."""
    name = "ApproximateNumberOfMessages"
    return sum(
        int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])
        for url in queue_urls
    )


def rows_of(s3: Any, table: LakeTable, day: int) -> pa.Table:
    """Return a table's rows for a day."""
    while True:
        try:
            found = [read(s3, item).rows for item in list_day(s3, table, day)]
        except ObjectGone:  # a compaction has replaced the object: list the new objects
            continue
        return pa.concat_tables([table_schema(table.table).arrow.empty_table(), *found])


def rows_before(s3: Any, table: LakeTable, day: int) -> pa.Table:
    """Search the ten days before `day`, the latest first; return the first rows found, or an empty table."""
    found = (rows_of(s3, table, earlier) for earlier in days_before(day, LISTING_DAYS))
    return next((rows for rows in found if len(rows)), table_schema(table.table).arrow.empty_table())


def queued_messages(sqs: Any, queue_urls: Mapping[Kind, str]) -> list[str]:
    """Return one text for each queue that has messages, with their approximate numbers."""
    problems = []
    for kind, url in queue_urls.items():
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))["Attributes"]
        counts = {said: int(answer[name]) for name, said in _COUNTS.items()}
        if any(counts.values()):
            said = ", ".join(f"{count} {said}" for said, count in counts.items())
            problems.append(f"mensagens na fila de {ASSETS[kind]}: {said}")
    return problems


def check_rebuild(
    workflow: Any, workflow_arn: str, execution: Execution, name: str, sor_ids: Collection[str]
) -> None:
    """Check that a day has SoR objects and that no other execution for the day is running.

    Raises
    ------
    DayRefused
        The day cannot be rebuilt now. Nothing was changed.
    """
    day = execution.day
    if not sor_ids:
        raise DayRefused(f"{day} has no SoR objects to rebuild it from. Nothing was changed")
    pages = workflow.get_paginator("list_executions").paginate(
        stateMachineArn=workflow_arn, statusFilter="RUNNING"
    )
    for other in (item for page in pages for item in page["executions"]):
        if other["name"] == name:
            continue
        given = json.loads(workflow.describe_execution(executionArn=other["executionArn"])["input"])
        if given.get(PARTITION_KEY, day_at(other["startDate"])) == day:
            raise DayRefused(
                f"{day} cannot be rebuilt while another execution for this day runs: {other['name']}. "
                "Start the rebuild again when that execution has ended. Nothing was changed"
            )
