"""Converts days to numbers ``YYYYMMDD``, and decides for which days a run is allowed."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

PARTITION_KEY = "anomesdia_exec"
"""The name of the run day in events, messages and keys."""
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
"""The zone of B3, of the site and of run days."""
CLOSED_AT = time(18, 45)
"""From this time on, the site shows the day's session."""
COLLECTED_DAYS = 7
"""A collector is allowed to start the first run of a day that is at most this many days ago."""


class DayRefused(ValueError):
    """The event is not allowed for its day. The message says why, and often what to do instead."""


def number_of(day: date) -> int:
    """Return a date as a number ``YYYYMMDD``."""
    return 10_000 * day.year + 100 * day.month + day.day


def date_of(day: int) -> date:
    """Return the date that a number ``YYYYMMDD`` stands for."""
    return date(day // 10_000, day // 100 % 100, day % 100)


def day_at(moment: datetime) -> int:
    """Return the day in Sao Paulo, ``YYYYMMDD``, of a moment that has a time zone."""
    return number_of(moment.astimezone(SAO_PAULO))


def parse_day(value: Any, name: str = PARTITION_KEY) -> int:
    """Check that a value is a day and return it.

    Raises
    ------
    ValueError
        The value is not a number ``YYYYMMDD``, or the day does not exist.
    """
    if isinstance(value, int) and 10_000_101 <= value <= 99_991_231:
        try:
            return number_of(date_of(value))
        except ValueError:
            pass
    raise ValueError(f"{name} is {value!r}, expected a day as a number YYYYMMDD, such as 20261123")


def is_trading_day(day: int) -> bool:
    """Return whether a day (``YYYYMMDD``, 2022 or later) is a trading day of B3."""
    # Import `holidays` only when it is needed: this import is slower than all other imports together.
    from holidays.financial.brasil_bolsa_balcao import BrasilBolsaBalcao

    on = date_of(day)
    return on.weekday() < 5 and on not in BrasilBolsaBalcao(years=on.year)


def days_before(day: int, count: int) -> list[int]:
    """Return the `count` days before a day, the latest first."""
    start = date_of(day)
    return [number_of(start - timedelta(days=back)) for back in range(1, count + 1)]


def check_run_day(day: int, now: datetime, *, today_only: bool = False) -> None:
    """Check that a run of a day is allowed.

    Days later than today are refused. Only today's run is allowed to fetch all tickers from the site, because
    the site shows only the latest session.

    Parameters
    ----------
    today_only
        Whether the run fetches the pages of all tickers from the site.

    Raises
    ------
    DayRefused
        A run of this day is not allowed.
    """
    today = day_at(now)
    if day > today:
        raise DayRefused(f"{day} is after today, {today}: expected today or a past day")
    if today_only and day < today:
        raise DayRefused(
            f"{day} is past, and the site shows only the latest session. Read its archived pages with "
            f'{{"anomesdia_exec": {day}, "source": "pages"}}, or invoke stage 2 for its missing assets with '
            f'{{"anomesdia_exec": {day}, "only_missing": true}}'
        )


def last_closed_day(now: datetime) -> int:
    """Return the latest weekday whose session has closed; a collector uploads this day's pages."""
    local = now.astimezone(SAO_PAULO)
    day = local.date() if local.time() >= CLOSED_AT else local.date() - timedelta(days=1)
    while day.weekday() > 4:
        day -= timedelta(days=1)
    return number_of(day)


def next_opening(day: int) -> datetime:
    """Return the earliest moment at which the site shows a later session: 10:00 of the next weekday."""
    following = date_of(day) + timedelta(days=1)
    while following.weekday() > 4:
        following += timedelta(days=1)
    return datetime.combine(following, time(10), SAO_PAULO)


def may_be_collected(day: int, now: datetime, *, has_ledger: bool) -> bool:
    """Return whether a collector's manifest is allowed to start a run of a day.

    A manifest is allowed to start a run of the latest weekday whose session has closed. For an earlier
    weekday in the last seven days, a manifest is allowed to start only the first run.
    """
    last = last_closed_day(now)
    recent = day < last and day in days_before(day_at(now), COLLECTED_DAYS) and date_of(day).weekday() <= 4
    return day == last or (recent and not has_ledger)
