"""Lambda handler of stage 2."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import cache
from time import monotonic
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from b3.days import check_run_day
from b3.kind import Kind
from fundamentus_site.asset_page import Labels
from fundamentus_site.site import FundamentusSite
from get_tickers.listings import PATIENCE_SECONDS, NoListing
from get_tickers.probe import probe, session_of
from get_tickers.rounds import current_listings, old_sessions, send_round, still_asked, to_queue
from pynvest_lake.archive import Archive
from pynvest_lake.aws import client
from pynvest_lake.contract import SOR, table_schema
from pynvest_lake.day_request import DayRequest, parse_probe
from pynvest_lake.ledger import Ledger
from pynvest_lake.messages import PageRef
from pynvest_lake.settings import read_settings
from pynvest_lake.storage import LakeTable

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
    again. If the run is for all tickers, the ledger records why the listing is missing.

    Parameters
    ----------
    event
        ``anomesdia_exec`` is the day. ``tickers`` limits the queued tickers. If ``source`` is ``pages``, the
        day's archived pages are queued. ``only_missing`` queues tickers without a final outcome, and tickers
        that the newest round that queued them did not read. ``old_session`` needs ``only_missing``; it is a
        list with a session and a ticker for each late kind. If a ticker's page now shows a later session,
        stage 2 also queues the tickers that were read with the old session, or with a session at most seven
        days before it. ``probe`` (a ticker or true) allows no other field. A probe checks whether the site
        answers, and writes nothing.

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
    if request.only_missing and (waiting := still_asked(before, now, settings.queue_patience_seconds)):
        result["still_asked"] = len(waiting)
        logger.info("nothing queued: the previous round is not settled", extra=result)
        return result

    left = context.get_remaining_time_in_millis() / 1000
    left = min(left - min(RESERVE_SECONDS, left / 3), PATIENCE_SECONDS + RESERVE_SECONDS)
    not_after = monotonic() + left
    try:
        listed = current_listings(site, archive, request, before, now, not_after)
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

    old: set[int] = set()
    if request.old_sessions and not request.from_pages:
        shown = {one: session_of(site, one.ticker, not_after) for one in request.old_sessions}
        result["sessions"] = list(shown.values())
        old.update(*(old_sessions(one.session, session) for one, session in shown.items()))
    listing, wanted = to_queue(settings.lake_tables, request, listed, before, old)
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
        result |= send_round(settings.tickers_queue_urls, ledger, request, places, before.next_round, now)
    log = logger.warning if any(listed.unreadable.values()) or listed.problems else logger.info
    log("tickers queued", extra=result)
    return result
