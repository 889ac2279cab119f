"""The day whose pages the site shows, and until when it shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pynvest_lake.day import date_of, number_of, parse_day

TIMEZONE = "America/Sao_Paulo"
CLOSING = time(18, 45)
OPENING = time(10)
DAYS_BACK = 7


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


def last_collected_day(moment: datetime) -> date:
    """Return the last weekday whose 18:45 has passed in Sao Paulo.

    Parameters
    ----------
    moment
        The moment, with its zone.
    """
    day = moment.astimezone(ZoneInfo(TIMEZONE)).date()
    while day.weekday() > 4 or _closing(day) > moment:
        day -= timedelta(days=1)
    return day


def last_day(now: datetime) -> Day:
    """Return the last weekday whose 18:45 has passed in Sao Paulo, with the hours in which it can be brought.

    Parameters
    ----------
    now
        The moment, with its zone.
    """
    day = last_collected_day(now)
    opening = day + timedelta(days=1)
    while opening.weekday() > 4:
        opening += timedelta(days=1)
    return Day(number_of(day), _closing(day), datetime.combine(opening, OPENING, ZoneInfo(TIMEZONE)))


def named_day(number: int, now: datetime) -> Day:
    """Return a day that was named: one whose session the site may still show, such as before a holiday.

    Raises
    ------
    ValueError
        It is no weekday of the last week whose 18:45 has passed.
    """
    day = date_of(parse_day(number, "--day"))
    oldest = now.astimezone(ZoneInfo(TIMEZONE)).date() - timedelta(days=DAYS_BACK)
    if day.weekday() > 4 or _closing(day) > now or day < oldest:
        raise ValueError(
            f"--day is {number}, expected a weekday from {number_of(oldest)} on whose 18:45 has passed in "
            "Sao Paulo: the site shows the latest session only"
        )
    return Day(number, _closing(day), None)


def _closing(day: date) -> datetime:
    return datetime.combine(day, CLOSING, ZoneInfo(TIMEZONE))
