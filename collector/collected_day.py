"""The day whose pages the site shows, and the time at which the site stops showing them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from b3.days import (
    CLOSED_AT,
    COLLECTED_DAYS,
    SAO_PAULO,
    date_of,
    last_closed_day,
    may_be_collected,
    number_of,
    parse_day,
)

OPENS_AT = time(10)
"""From this time on, the site shows the next session."""


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
        The moment when the next session opens and the site begins to show that session. None if the user
        named the day: if the next weekday is a holiday, the site still shows the named day.
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
    day = date_of(last_closed_day(now))
    opening = day + timedelta(days=1)
    while opening.weekday() > 4:
        opening += timedelta(days=1)
    return CollectedDay(number_of(day), _closing(day), datetime.combine(opening, OPENS_AT, SAO_PAULO))


def named_day(number: int, now: datetime) -> CollectedDay:
    """Return the day that the user named.

    Raises
    ------
    ValueError
        The day is not a weekday of the last seven days, or it is today and before 18:45.
    """
    day = parse_day(number, "--day")
    if not may_be_collected(day, now, has_ledger=False):
        raise ValueError(
            f"--day is {number}, expected a weekday of the last {COLLECTED_DAYS} days whose 18:45 has passed "
            "in Sao Paulo: the site shows the latest session only"
        )
    return CollectedDay(day, _closing(date_of(day)), None)


def _closing(day: date) -> datetime:
    return datetime.combine(day, CLOSED_AT, SAO_PAULO)
