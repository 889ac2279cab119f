"""The rounds of a day: which listings they use, which assets they queue, and their messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from b3.days import days_before, last_closed_day, next_opening
from b3.kind import Kind
from fundamentus_site.site import FundamentusSite
from get_tickers.listings import PATIENCE_SECONDS, Listed, NoListing, asked_for, from_archive, from_site
from get_tickers.tickers import TickersNotSent, send_tickers
from pynvest_lake.archive import Archive
from pynvest_lake.aws import client
from pynvest_lake.contract import SOR
from pynvest_lake.day_request import DayRequest
from pynvest_lake.ledger import AssetKey, DayLedger, Ledger, Listing, moment_of, moment_text
from pynvest_lake.messages import PageRef, TickerMessage
from pynvest_lake.storage import PART, LakeTable, list_day

# The page of an asset without trades does not change. If the session on an asset's page is more than seven
# days before the site's old session, the asset is not queued again.
OLD_DAYS = 7


def still_asked(before: DayLedger, now: datetime, patience_seconds: float) -> list[AssetKey]:
    """Return the assets that can still get an outcome in the newest round."""
    if not before.rounds:
        return []
    given_up_at = moment_of(before.rounds[-1].started_at) + timedelta(seconds=patience_seconds)
    return before.unanswered() if now < given_up_at else []


def current_listings(
    site: FundamentusSite,
    archive: Archive,
    request: DayRequest,
    before: DayLedger,
    now: datetime,
    not_after: float,
) -> Listed:
    """Return the listings from the archive, from the site or, for a round, from the ledger.

    If the site gives no listing, a round uses the ledger's listing. If a later session has closed, a round
    uses the ledger's listing and sends no request. After the next session has opened, a round keeps the
    ledger's prices and does not archive the site's listing, because the site can show prices of that session.
    """
    if request.from_pages:
        return from_archive(archive, request.day)
    known = Listed(before.listing) if request.only_missing and before.listing else None
    if known and request.day < last_closed_day(now):
        return known
    patience = 0.0 if request.only_missing else min(PATIENCE_SECONDS, not_after - monotonic())
    try:
        found = from_site(site, patience, not_after=not_after)
    except NoListing as error:
        if known is None:
            raise
        return replace(known, problems=(str(error),))
    if known and now >= next_opening(request.day):
        return replace(found, listing=found.listing.united(known.listing), pages=())
    return found


def old_sessions(shown: int, session: int | None) -> frozenset[int]:
    """Return the sessions (``YYYYMMDD``) whose assets are queued again.

    `shown` is the old session that the site showed, and `session` the session that it shows now, if any. If
    `session` is not later than `shown`, no asset is queued again.
    """
    if session is None or session <= shown:
        return frozenset()
    return frozenset((shown, *days_before(shown, OLD_DAYS)))


def to_queue(
    tables: Iterable[LakeTable],
    request: DayRequest,
    listed: Listed,
    before: DayLedger,
    old: Collection[int],
) -> tuple[Listing, Collection[AssetKey]]:
    """Return the day's listing and the assets to queue.

    `listed` is the current listing, and `before` is the day's ledger. Assets whose pages showed one of the
    sessions in `old` (``YYYYMMDD``) are queued again.
    """
    asked = listed.listing if request.only_missing else asked_for(listed.listing, request.tickers)
    known = before.listing
    # A day is partial until a round requests all tickers. A ledger with rounds but without a listing
    # shows that an earlier round requested all tickers: the day gets the full listing.
    if known is None:
        listing = listed.listing if before.rounds else asked
    elif known.is_partial and (request.only_missing or request.from_pages):
        listing = known
    else:
        listing = known.united(asked)
    wanted: Iterable[AssetKey] = asked
    if request.from_pages:
        wanted = {(kind, ticker) for kind, ticker, _ in listed.places}
    if request.only_missing:
        sor_ids = {
            item
            for table in tables
            if table.table in SOR.values()
            for item in list_day(client("s3"), table, request.day).ids(PART)
        }
        wanted = replace(before, listing=listing).to_ask(sor_ids, old)
    tickers = request.tickers
    return listing, dict.fromkeys(asset for asset in wanted if tickers is None or asset[1] in tickers)


def send_round(
    queue_urls: Mapping[Kind, str],
    ledger: Ledger,
    request: DayRequest,
    places: Collection[tuple[Kind, str, PageRef | None]],
    number: int,
    now: datetime,
) -> dict[str, Any]:
    """Record the round in the ledger and send its messages.

    Raises
    ------
    TickersNotSent
        A queue did not take some tickers; all others were sent.
    """
    tickers: defaultdict[Kind, set[str]] = defaultdict(set)
    for kind, ticker, _ in places:
        tickers[kind].add(ticker)
    begun = ledger.start_round(request.day, tickers, now, number=number)
    result: dict[str, Any] = {"round": begun.number}
    problems = []
    for kind in Kind:
        messages = [
            TickerMessage(ticker, kind, request.day, begun.number, place, moment_text(now))
            for of_kind, ticker, place in places
            if of_kind is kind
        ]
        try:
            result[kind.value] = send_tickers(client("sqs"), queue_urls[kind], messages)
        except TickersNotSent as error:
            problems.append(str(error))
    if problems:
        raise TickersNotSent("; ".join(problems))
    return result
