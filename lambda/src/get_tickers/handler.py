"""Lambda handler of stage 2."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import cache
from time import monotonic
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from b3.days import check_run_day, days_before, last_closed_day, next_opening
from b3.kind import Kind
from fundamentus_site.asset_page import Labels
from fundamentus_site.site import FundamentusSite
from get_tickers.listings import PATIENCE_SECONDS, Listed, NoListing, asked_for, from_archive, from_site
from get_tickers.probe import probe, session_of
from get_tickers.tickers import TickersNotSent, send_tickers
from pynvest_lake.archive import Archive
from pynvest_lake.aws import client
from pynvest_lake.contract import SOR, table_schema
from pynvest_lake.day_request import DayRequest, parse_probe
from pynvest_lake.ledger import AssetKey, DayLedger, Ledger, Listing, moment_of, moment_text
from pynvest_lake.messages import PageRef, TickerMessage
from pynvest_lake.settings import read_settings
from pynvest_lake.storage import PART, LakeTable, list_day

logger = Logger()


@dataclass(frozen=True)
class Settings:
    """The settings of stage 2.

    ``fetch_headers``: headers of the requests to the site. ``tickers_queue_urls``: the queue of each kind.
    ``work_bucket``: the bucket of ledger and archive. ``keep_pages``: whether pages are archived.
    ``queue_patience_seconds``: a sent message is read, or moved to the dead-letter queue, within this time.
    ``fetch_from``: ``site``, or ``pages`` if a collector uploads the pages.
    """

    fundamentus_base_url: str
    fetch_headers: tuple[tuple[str, str], ...]
    tickers_queue_urls: Mapping[Kind, str]
    lake_tables: tuple[LakeTable, ...]
    work_bucket: str
    keep_pages: bool
    fetch_from: str
    queue_patience_seconds: int


# Requests stop this long before the function's timeout, to leave time to write the ledger and the messages.
RESERVE_SECONDS = 30.0
# The page of an asset without trades does not change. An asset is not queued again if its page showed a
# session more than seven days before the old session.
OLD_DAYS = 7


@cache
def _site(base_url: str, headers: tuple[tuple[str, str], ...], *, once: bool) -> FundamentusSite:
    """Return the site. If `once` is True, as for a probe, each page gets one attempt of at most 10 s."""
    schemas = {kind: table_schema(table) for kind, table in SOR.items()}
    return FundamentusSite(
        base_url,
        labels={kind: Labels(schema.labels, schema.core_labels) for kind, schema in schemas.items()},
        headers=dict(headers),
        max_connections=1,
        attempts=1 if once else 3,
        timeout_seconds=10 if once else 20,
    )


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Queue the day's tickers.

    If no listing can be read, the invocation still succeeds: a round of the workflow requests the listing
    again. For a run of the whole day, the ledger records why the listing is missing.

    Parameters
    ----------
    event
        ``anomesdia_exec`` is the day. ``tickers`` limits the queued tickers. If ``source`` is ``pages``, the
        day's archived pages are queued. ``only_missing`` queues tickers without a final outcome.
        ``old_session`` needs ``only_missing``. If the site now shows a session later than ``old_session``,
        stage 2 also queues the tickers that were read with the old session. ``probe`` (a ticker or true)
        allows no other field. A probe checks whether the site answers, and writes nothing.

    Raises
    ------
    DayRefused, ValueError
        The event has an unknown or invalid field, or is not allowed for this day.
    TickersNotSent
        A queue did not take some tickers; all others were sent.
    """
    settings = read_settings(Settings, os.environ)
    site = _site(settings.fundamentus_base_url, settings.fetch_headers, once="probe" in event)
    if (ticker := parse_probe(event)) is not None:
        answer = probe(site, ticker, settings.fetch_from)
        logger.info("site probed", extra=answer)
        return answer
    request, now = DayRequest.of_tickers(event, settings.fetch_from), datetime.now(timezone.utc)
    check_run_day(request.day, now, today_only=not (request.only_missing or request.from_pages))
    ledger, archive = Ledger(client("s3"), settings.work_bucket), Archive(client("s3"), settings.work_bucket)
    result: dict[str, Any] = {"anomesdia_exec": request.day}
    before = ledger.read(request.day)
    if request.only_missing and (waiting := _still_asked(before, now, settings.queue_patience_seconds)):
        result["still_asked"] = len(waiting)
        logger.info("nothing queued: the previous round is not settled", extra=result)
        return result

    left = context.get_remaining_time_in_millis() / 1000
    left = min(left - min(RESERVE_SECONDS, left / 3), PATIENCE_SECONDS + RESERVE_SECONDS)
    not_after = monotonic() + left
    try:
        listed = _listed(site, archive, request, before, now, not_after)
    except NoListing as error:
        result["no_listing"] = str(error)
        if before.listing is None and not request.only_missing and request.tickers is None:
            ledger.start_round(request.day, {}, now, number=before.next_round, reason=str(error))
        logger.warning("no listing", extra=result)
        return result
    if listed.pages and settings.keep_pages:
        result["pages_kept"] = kept = archive.keep(request.day, listed.pages, logger)
        listed = replace(listed, listing=replace(listed.listing, archived=kept))
    result["unreadable_rows"], result["problems"] = dict(listed.unreadable), list(listed.problems)

    old: frozenset[int] = frozenset()
    if request.old_session is not None and not request.from_pages:
        session = session_of(site, request.old_session.ticker, not_after)
        result["session"] = session
        shown = request.old_session.session
        if session is not None and session > shown:
            old = frozenset((shown, *days_before(shown, OLD_DAYS)))
    listing, wanted = _to_queue(settings, request, listed, before, old)
    if any(listing.assets.values()):  # archived pages can be read without a listing
        ledger.write_listing(request.day, listing)
    if request.tickers is not None:
        names = {ticker for _, ticker in listed.listing}
        result["not_listed"] = sorted(set(request.tickers) - names)
    places: list[tuple[Kind, str, PageRef | None]] = (
        [place for place in listed.places if (place[0], place[1]) in wanted]
        if request.from_pages
        else [(kind, ticker, None) for kind, ticker in wanted]
    )
    if places or (request.tickers is None and not request.only_missing):
        result |= _queue(settings, ledger, request, places, before.next_round, now)
    log = logger.warning if any(listed.unreadable.values()) or listed.problems else logger.info
    log("tickers queued", extra=result)
    return result


def _still_asked(before: DayLedger, now: datetime, patience_seconds: float) -> list[AssetKey]:
    """Return the assets that can still get an outcome in the newest round."""
    if not before.rounds:
        return []
    given_up_at = moment_of(before.rounds[-1].started_at) + timedelta(seconds=patience_seconds)
    return before.unanswered() if now < given_up_at else []


def _listed(
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


def _to_queue(
    settings: Settings, request: DayRequest, listed: Listed, before: DayLedger, old: frozenset[int]
) -> tuple[Listing, Collection[AssetKey]]:
    """Return the day's listing and the assets to queue.

    `listed` is the current listing, and `before` is the day's ledger. Assets that were read with a session in
    `old` (``YYYYMMDD``) are queued again.
    """
    asked = listed.listing if request.only_missing else asked_for(listed.listing, request.tickers)
    known = before.listing
    # A day is partial until a round requests the whole day. If the ledger has rounds but no listing, an
    # earlier round requested the whole day, so the day gets the full listing.
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
            for table in settings.lake_tables
            if table.table in SOR.values()
            for item in list_day(client("s3"), table, request.day).ids(PART)
        }
        known_now = replace(before, listing=listing)
        of_old_session = [asset for asset, said in known_now.assets(sor_ids).items() if said.session in old]
        wanted = [*known_now.to_ask(sor_ids), *of_old_session]
    tickers = request.tickers
    return listing, dict.fromkeys(asset for asset in wanted if tickers is None or asset[1] in tickers)


def _queue(
    settings: Settings,
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
            result[kind.value] = send_tickers(client("sqs"), settings.tickers_queue_urls[kind], messages)
        except TickersNotSent as error:
            problems.append(str(error))
    if problems:
        raise TickersNotSent("; ".join(problems))
    return result
