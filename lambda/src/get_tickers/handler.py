"""Stage 2, as Lambda calls it."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from fundamentus_site.site import FundamentusSite
from get_tickers.listings import PATIENCE_SECONDS, Listed, NoListing, asked_for, from_archive, from_site
from get_tickers.order import Order, parse_order, parse_probe
from get_tickers.probe import probe, session_of
from get_tickers.settings import Settings
from get_tickers.tickers import TickersNotSent, send_tickers
from pynvest_lake.archive import Archive
from pynvest_lake.aws import client
from pynvest_lake.contract import SOR_ACOES, SOR_FIIS
from pynvest_lake.day import days_before
from pynvest_lake.kinds import Kind
from pynvest_lake.ledger import DayLedger, Ledger, Listing, Paper, moment_of
from pynvest_lake.messages import KeptAt, TickerMessage
from pynvest_lake.settings import read_settings
from pynvest_lake.storage import list_day

logger = Logger()

# Kept of an invocation's time for the ledger and the messages.
RESERVE_SECONDS = 30.0
# A paper that has not traded for longer before an old session stands still anyway.
OLD_DAYS = 7


@cache
def _site(base_url: str, headers: tuple[tuple[str, str], ...]) -> FundamentusSite:
    return FundamentusSite(base_url, headers=dict(headers), max_connections=1)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Queue the day's tickers.

    Where the site gives no listing, that is written into the ledger, and the invocation ends well: a round of
    the workflow asks again.

    Parameters
    ----------
    event
        ``anomesdia_exec``, the day; ``tickers``, to queue no others than these; ``source``: ``pages``, to
        have them read from the kept pages; ``only_missing``, to queue what nothing final is known of;
        ``old_session`` besides, to queue what is of that session too, once the site shows a later one. Or
        ``probe`` alone, a ticker, to see whether the site answers: nothing is written then.

    Raises
    ------
    ValueError
        The event has anything else, or one of these is not what it should be.
    TickersNotSent
        A queue did not take some tickers; all others were sent.
    """
    settings = read_settings(Settings, os.environ)
    site = _site(settings.fundamentus_base_url, tuple(sorted(settings.fetch_headers.items())))
    if (ticker := parse_probe(event)) is not None:
        answer = probe(site, ticker, settings.fetch_from)
        logger.info("site probed", extra=answer)
        return answer
    order = parse_order(event, settings.fetch_from)
    ledger, archive = Ledger(client("s3"), settings.work_bucket), Archive(client("s3"), settings.work_bucket)
    result: dict[str, Any] = {"anomesdia_exec": order.day}
    before = ledger.read(order.day) if order.only_missing else None
    if before is not None and (waiting := _still_asked(before, settings.queue_patience_seconds)):
        result["still_asked"] = len(waiting)
        logger.info("nothing queued: the round before is not settled", extra=result)
        return result

    left = context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS
    patience = 0.0 if order.only_missing else min(PATIENCE_SECONDS, left)
    try:
        listed = from_archive(archive, order.day) if order.from_pages else from_site(site, patience)
    except NoListing as error:
        result["no_listing"] = str(error)
        if before is None:
            ledger.start_round(order.day, {}, datetime.now(timezone.utc), number=0, reason=str(error))
        logger.warning("no listing", extra=result)
        return result
    if listed.pages and settings.keep_pages:
        result["pages_kept"] = kept = _keep(archive, order.day, listed)
        listed = replace(listed, listing=replace(listed.listing, archived=kept))
    result["unreadable_rows"], result["problems"] = dict(listed.unreadable), list(listed.problems)

    old: frozenset[int] = frozenset()
    if order.late is not None and before is not None and not order.from_pages:
        session = session_of(site, order.late.ticker)
        result["session"] = session
        if session is not None and session > order.late.session:
            old = frozenset((order.late.session, *days_before(order.late.session, OLD_DAYS)))
    listing, papers = _to_queue(settings, ledger, order, listed, before, old)
    ledger.write_listing(order.day, listing)
    if order.tickers is not None:
        names = {ticker for _, ticker in listed.listing}
        result["not_listed"] = sorted(order.tickers - names)
    if papers or before is None:
        result |= _queue(settings, ledger, order, papers, listed, before)
    log = logger.warning if any(listed.unreadable.values()) or listed.problems else logger.info
    log("tickers queued", extra=result)
    return result


def _still_asked(before: DayLedger, patience_seconds: float) -> list[Paper]:
    """Return what the newest round asked for and may still be answered."""
    if not before.rounds:
        return []
    given_up_at = moment_of(before.rounds[-1].started_at) + timedelta(seconds=patience_seconds)
    return before.unanswered() if datetime.now(timezone.utc) < given_up_at else []


def _keep(archive: Archive, day: int, listed: Listed) -> bool:
    try:
        archive.put(day, listed.pages)
    except (ClientError, BotoCoreError) as error:
        # A day without its pages is a day all the same.
        logger.warning("listings not kept", extra={"reason": str(error)})
        return False
    return True


def _to_queue(
    settings: Settings,
    ledger: Ledger,
    order: Order,
    listed: Listed,
    before: DayLedger | None,
    old: frozenset[int],
) -> tuple[Listing, list[Paper]]:
    """Return what the day is to hold, and what of it is to be queued: of old sessions, what was read too."""
    if before is None:
        listing = asked_for(listed.listing, order.tickers)
        known = ledger.listing(order.day)
        if known is not None:  # of a run that started at the same time
            listing = known.united(listing)
        return listing, list(asked_for(listed.listing, order.tickers))
    listing = listed.listing
    if before.listing is not None:
        listing = before.listing if before.listing.trial else before.listing.united(listing)
    sor_ids = {
        item.id
        for table in settings.lake_tables
        if table.table in (SOR_ACOES, SOR_FIIS)
        for item in list_day(client("s3"), table, order.day)
    }
    known_now = replace(before, listing=listing)
    to_ask = known_now.to_ask(sor_ids)
    to_ask += [paper for paper, said in known_now.papers(sor_ids).items() if said.session in old]
    return listing, [paper for paper in to_ask if order.tickers is None or paper[1] in order.tickers]


def _queue(
    settings: Settings,
    ledger: Ledger,
    order: Order,
    papers: Iterable[Paper],
    listed: Listed,
    before: DayLedger | None,
) -> dict[str, Any]:
    """Write the round down and send its messages.

    Raises
    ------
    TickersNotSent
        A queue did not take some tickers; all others were sent.
    """
    places: list[tuple[Kind, str, KeptAt | None]] = [(kind, ticker, None) for kind, ticker in papers]
    if order.from_pages:  # in the order of the archive's objects, so that each is opened once
        wanted = set(papers)
        places = [place for place in listed.kept if (place[0], place[1]) in wanted]
    tickers: defaultdict[Kind, set[str]] = defaultdict(set)
    for kind, ticker, _ in places:
        tickers[kind].add(ticker)
    number = 0 if before is None or not before.rounds else before.rounds[-1].number + 1
    begun = ledger.start_round(order.day, tickers, datetime.now(timezone.utc), number=number)
    result: dict[str, Any] = {"round": begun.number}
    problems = []
    for kind in Kind:
        messages = [
            TickerMessage(ticker, kind, order.day, begun.number, place)
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
