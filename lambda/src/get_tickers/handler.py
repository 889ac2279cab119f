"""Stage 2, as Lambda calls it."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from fundamentus_site.kinds import Kind as SiteKind
from fundamentus_site.pages import listing
from fundamentus_site.site import FundamentusSite
from get_tickers.settings import Settings
from get_tickers.tickers import TickersNotSent, send_tickers
from pynvest_lake.aws import client
from pynvest_lake.day import parse_day
from pynvest_lake.kinds import Kind
from pynvest_lake.messages import TickerMessage, check_fields, parse_ticker, parse_tickers
from pynvest_lake.settings import read_settings

logger = Logger()


@cache
def _site(base_url: str, headers: tuple[tuple[str, str], ...]) -> FundamentusSite:
    return FundamentusSite(base_url, headers=dict(headers), max_connections=1)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Queue the day's tickers.

    Parameters
    ----------
    event
        ``anomesdia_exec``, the day; ``tickers``, to queue no others than these, may be absent.

    Raises
    ------
    ValueError
        The event has anything else, or one of these is not what it should be.
    TickersNotSent
        A queue did not take some tickers; all others were sent.
    """
    check_fields(event, ("anomesdia_exec", "tickers"))
    settings = read_settings(Settings, os.environ)
    day = parse_day(event.get("anomesdia_exec"))
    wanted = set(parse_tickers(event["tickers"])) if "tickers" in event else None
    site = _site(settings.fundamentus_base_url, tuple(sorted(settings.fetch_headers.items())))

    # Both listings before the first message: where one fails, the retry starts with empty queues.
    pages = {kind: site.fetch_listing(SiteKind(kind.value)) for kind in Kind}
    listings = {
        kind: [parse_ticker(ticker) for ticker in site.tickers(page, SiteKind(kind.value))]
        for kind, page in pages.items()
    }
    unreadable = {kind.value: list(listing(page).unreadable) for kind, page in pages.items()}
    result: dict[str, Any] = {"anomesdia_exec": day, "unreadable_rows": unreadable}
    problems = []
    for kind, tickers in listings.items():
        messages = [
            TickerMessage(ticker, kind, day) for ticker in tickers if wanted is None or ticker in wanted
        ]
        try:
            result[kind.value] = send_tickers(client("sqs"), settings.tickers_queue_urls[kind], messages)
        except TickersNotSent as error:
            problems.append(str(error))
    if wanted is not None:
        result["not_listed"] = sorted(wanted.difference(*listings.values()))
    log = logger.warning if any(unreadable.values()) else logger.info
    log("tickers queued", extra=result)
    if problems:
        raise TickersNotSent("; ".join(problems))
    return result
