"""The day of a run: ``anomesdia_exec``, a number of the form ``YYYYMMDD``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

PARTITION_KEY = "anomesdia_exec"


def day_of(moment: datetime, timezone: str) -> int:
    """Return the day that a moment falls on in a time zone.

    Parameters
    ----------
    moment
        A moment with its own zone.
    timezone
        IANA name, such as ``America/Sao_Paulo``.
    """
    return _number(moment.astimezone(ZoneInfo(timezone)))


def parse_day(value: Any, name: str = "anomesdia_exec") -> int:
    """Check that a value is a day and return it.

    Raises
    ------
    ValueError
        The value is no number ``YYYYMMDD`` of a day in the calendar.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 10_000_101 <= value <= 99_991_231:
        try:
            return _number(datetime.strptime(str(value), "%Y%m%d"))
        except ValueError:
            pass
    raise ValueError(f"{name} is {value!r}, expected a day as a number YYYYMMDD, such as 20261123")


def days_before(day: int, count: int) -> list[int]:
    """Return the days before a day, the latest first."""
    start = datetime.strptime(str(day), "%Y%m%d")
    return [_number(start - timedelta(days=back)) for back in range(1, count + 1)]


def _number(date: datetime) -> int:
    return int(date.strftime("%Y%m%d"))
