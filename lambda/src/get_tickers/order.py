"""What stage 2 was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynvest_lake.day import PARTITION_KEY, check_fields, parse_day
from pynvest_lake.messages import parse_source, parse_ticker, parse_tickers


@dataclass(frozen=True)
class LateSite:
    """A site that still showed the session before.

    Parameters
    ----------
    session
        The session that it showed, ``YYYYMMDD``.
    ticker
        The paper whose page tells whether it has moved on.
    """

    session: int
    ticker: str


@dataclass(frozen=True)
class Order:
    """A day whose papers are to be queued.

    Parameters
    ----------
    day
        The day, ``YYYYMMDD``.
    tickers
        The papers of a trial; None for all.
    from_pages
        Whether they are read from the kept pages, without asking the site.
    only_missing
        Whether only what is not known for good is asked for again.
    late
        What is known of a site that was late, if it was.
    """

    day: int
    tickers: frozenset[str] | None = None
    from_pages: bool = False
    only_missing: bool = False
    late: LateSite | None = None


def parse_probe(event: Mapping[str, Any]) -> str | None:
    """Return the paper that the site is to be tried with, if the event asks for that.

    Raises
    ------
    ValueError
        The event has more than that, or it is no ticker.
    """
    if "probe" not in event:
        return None
    check_fields(event, ("probe",))
    return parse_ticker(event["probe"])


def parse_order(event: Mapping[str, Any], fetch_from: str) -> Order:
    """Read an event.

    Raises
    ------
    ValueError
        The event has anything else, or one of its fields is not what it should be.
    """
    check_fields(event, (PARTITION_KEY, "tickers", "source", "only_missing", "old_session"))
    from_pages, only_missing = parse_source(event.get("source")), event.get("only_missing", False)
    if only_missing not in (True, False):
        raise ValueError(f"only_missing is {only_missing!r}, expected true or false")
    return Order(
        parse_day(event.get(PARTITION_KEY)),
        frozenset(parse_tickers(event["tickers"])) if "tickers" in event else None,
        from_pages=from_pages or fetch_from == "pages",
        only_missing=bool(only_missing),
        late=_late(event.get("old_session"), only_missing=bool(only_missing)),
    )


def _late(value: Any, *, only_missing: bool) -> LateSite | None:
    if value is None:
        return None
    if not only_missing or not isinstance(value, Mapping) or set(value) != {"session", "ticker"}:
        raise ValueError(f"old_session is {value!r}, expected session and ticker beside only_missing")
    return LateSite(parse_day(value["session"], "session of old_session"), parse_ticker(value["ticker"]))
