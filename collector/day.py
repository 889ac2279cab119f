"""The day whose pages the site shows, and until when it shows them."""

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
"""From when on the site shows the next session."""


@dataclass(frozen=True)
class Day:
    """A day to bring.

    Parameters
    ----------
    number
        The day, ``YYYYMMDD``.
    closed_at
        18:45 of the day: pages from then on are of its session.
    until
        When the next session opens, from which on the site shows that one; None where the day was named, and
        its pages alone tell.
    """

    number: int
    closed_at: datetime
    until: datetime | None


def last_day(now: datetime) -> Day:
    """Return the last weekday whose 18:45 has passed in Sao Paulo, with the hours in which it can be brought.

    Parameters
    ----------
    now
        The moment, with its zone.
    """
    day = date_of(last_closed_day(now))
    opening = day + timedelta(days=1)
    while opening.weekday() > 4:
        opening += timedelta(days=1)
    return Day(number_of(day), _closing(day), datetime.combine(opening, OPENS_AT, SAO_PAULO))


def named_day(number: int, now: datetime) -> Day:
    """Return a day that was named: one whose session the site may still show, such as before a holiday.

    Raises
    ------
    ValueError
        It is no weekday of the last week whose 18:45 has passed.
    """
    day = parse_day(number, "--day")
    if not may_be_collected(day, now, has_ledger=False):
        raise ValueError(
            f"--day is {number}, expected a weekday of the last {COLLECTED_DAYS} days whose 18:45 has passed "
            "in Sao Paulo: the site shows the latest session only"
        )
    return Day(day, _closing(date_of(day)), None)


def _closing(day: date) -> datetime:
    return datetime.combine(day, CLOSED_AT, SAO_PAULO)
