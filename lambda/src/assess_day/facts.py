"""What there is of a day: gathered from the ledger, the tables and the queues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assess_day.look import Facts
from assess_day.settings import Settings
from pynvest_lake.completeness import flow
from pynvest_lake.day import days_before
from pynvest_lake.kinds import Kind
from pynvest_lake.ledger import Ledger, moment_of

# Listings older than this are no measure of today's.
LISTING_DAYS = 10
_COUNTS = {
    "ApproximateNumberOfMessages": "waiting",
    "ApproximateNumberOfMessagesNotVisible": "in flight",
    "ApproximateNumberOfMessagesDelayed": "delayed",
}


def gather(s3: Any, sqs: Any, settings: Settings, day: int) -> Facts:
    """Find out what there is of a day."""
    # The queues first: what leaves them meanwhile is in the ledger by then, not the other way around.
    queues = queued_messages(sqs, settings.tickers_queue_urls)
    ledger = Ledger(s3, settings.work_bucket)
    of_day = ledger.read(day)
    come = flow(s3, settings.lake_tables, day)
    return Facts(
        of_day,
        come.sor_ids,
        come.not_through,
        queues,
        moment_of(come.newest_at) if come.newest_at else None,
        _earlier_listed(ledger, day),
        settings.fetch_from,
    )


def queued_messages(sqs: Any, queue_urls: Mapping[Kind, str]) -> list[str]:
    """Return what still lies in the queues, a text a queue that does not look empty."""
    problems = []
    for kind, url in queue_urls.items():
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))["Attributes"]
        counts = {said: int(answer[name]) for name, said in _COUNTS.items()}
        if any(counts.values()):
            said = ", ".join(f"{count} {said}" for said, count in counts.items())
            problems.append(f"queue of {kind.value}: {said} messages")
    return problems


def _earlier_listed(ledger: Ledger, day: int) -> dict[Kind, int] | None:
    for earlier in days_before(day, LISTING_DAYS):
        listing = ledger.listing(earlier)
        if listing is not None and not listing.trial:
            return {kind: len(listing.papers.get(kind, ())) for kind in Kind}
    return None
