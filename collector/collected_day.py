"""The day whose pages the site shows, and the time at which the site stops showing them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from b3.days import (
    CLOSED_AT,
    COLLECTED_DAYS,
    SAO_PAULO,
    date_of,
    last_closed_day,
    may_be_collected,
    next_opening,
    parse_day,
)


@dataclass(frozen=True)
class CollectedDay:
    """A day to collect.

    Parameters
    ----------
    number
        The day, ``YYYYMMDD``.
    closed_at
        18:45 of the day. Pages that are fetched after this time show the day's session.
    until
        The moment when the next session opens and the site begins to show that session. None (no limit) if
        the user named the day, because the next weekday can be a holiday of the exchange.
    """

    number: int
    closed_at: datetime
    until: datetime | None


def last_day(now: datetime) -> CollectedDay:
    """Return the latest weekday whose session has closed (18:45 in Sao Paulo).

    Parameters
    ----------
    now
        The current time, with its time zone.
    """
    day = last_closed_day(now)
    return CollectedDay(day, _closing(day), next_opening(day))


def named_day(number: int, now: datetime) -> CollectedDay:
    """Return the day that the user named.

    Raises
    ------
    ValueError
        The day is not a weekday of the last seven days, or the day is today and it is not yet 18:45.
    """
    day = parse_day(number, "--day")
    if not may_be_collected(day, now, has_ledger=False):
        raise ValueError(
            f"--day is {number}, expected a weekday of the last {COLLECTED_DAYS} days whose 18:45 has passed "
            "in Sao Paulo: the site shows the latest session only"
        )
    return CollectedDay(day, _closing(day), None)


def _closing(day: int) -> datetime:
    return datetime.combine(date_of(day), CLOSED_AT, SAO_PAULO)
