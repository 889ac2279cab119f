"""What stage 1 was asked for, and whether it may be done: nothing is removed before that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from pynvest_lake.archive import Manifest
from pynvest_lake.day import PARTITION_KEY, check_fields, parse_day
from pynvest_lake.messages import parse_source, parse_tickers

_FIELDS = (PARTITION_KEY, "tickers", "source", "partial")


@dataclass(frozen=True)
class Order:
    """A day to run.

    Parameters
    ----------
    day
        The day, ``YYYYMMDD``.
    tickers
        The papers of a trial; None for all.
    from_pages
        Whether it is run from the kept pages, without asking the site.
    partial
        Whether pages that are lacking do not matter.
    scheduled
        Whether the schedule started it, and not a person.
    brought
        Whether a collector brought the day: then the workflow has to be started for it.
    """

    day: int
    tickers: tuple[str, ...] | None = None
    from_pages: bool = False
    partial: bool = False
    scheduled: bool = False
    brought: bool = False


def parse_order(event: Mapping[str, Any], today: int) -> Order:
    """Read an event: a person's, the schedule's (empty), or S3's of a collector's manifest.

    Raises
    ------
    ValueError
        The event has anything else, or one of its fields is not what it should be.
    """
    if "Records" in event:
        return _brought(event)
    check_fields(event, _FIELDS)
    from_pages, partial = parse_source(event.get("source")), event.get("partial", False)
    if not isinstance(partial, bool) or (partial and not from_pages):
        raise ValueError(f'partial is {partial!r}, expected true or false beside "source": "pages"')
    return Order(
        parse_day(event[PARTITION_KEY]) if PARTITION_KEY in event else today,
        tuple(parse_tickers(event["tickers"])) if "tickers" in event else None,
        from_pages=from_pages,
        partial=partial,
        scheduled=not event,
    )


def _brought(event: Mapping[str, Any]) -> Order:
    try:
        (record,) = event["Records"]
        key = unquote_plus(record["s3"]["object"]["key"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("event has Records, expected one, of S3 for a collector's manifest") from error
    return Order(Manifest.of_key(key).day, from_pages=True, brought=True)


def refusal(order: Order, today: int, fetch_from: str) -> str | None:
    """Return why an order may not be carried out, if it may not."""
    if order.day > today:
        return f"{order.day} is to come: today is {today}"
    if order.from_pages:
        return None
    run_from_pages = f'{{"{PARTITION_KEY}": {order.day}, "source": "pages"}}'
    if fetch_from == "pages":
        return (
            'this lake does not ask the site (fetch_from is "pages"): a collector brings the pages and '
            f"starts the day; a day whose pages are kept is run with {run_from_pages}"
        )
    if order.day < today:
        return (
            f"{order.day} is past, and the site shows the latest session only: what was read of it must "
            f"not be removed. Run it from its kept pages with {run_from_pages}, or ask for what it lacks: "
            f'stage 2 with {{"{PARTITION_KEY}": {order.day}, "only_missing": true}}'
        )
    return None
