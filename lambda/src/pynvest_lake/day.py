"""The day of a run: ``anomesdia_exec``, a number of the form ``YYYYMMDD``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

PARTITION_KEY = "anomesdia_exec"
BRASILIA = timezone(timedelta(hours=-3))
"""The zone of the moments in the tables: Brasilia's, which has had no summer time since 2019."""


def number_of(day: date) -> int:
    """Return a day of the calendar as a number ``YYYYMMDD``."""
    return int(day.strftime("%Y%m%d"))


def date_of(day: int) -> date:
    """Return the day of the calendar that a number ``YYYYMMDD`` is."""
    return datetime.strptime(str(day), "%Y%m%d").date()


def day_of(moment: datetime, zone: str) -> int:
    """Return the day that a moment falls on in a time zone.

    Parameters
    ----------
    moment
        A moment with its own zone.
    zone
        IANA name, such as ``America/Sao_Paulo``.
    """
    return number_of(moment.astimezone(ZoneInfo(zone)))


def parse_day(value: Any, name: str = "anomesdia_exec") -> int:
    """Check that a value is a day and return it.

    Raises
    ------
    ValueError
        The value is no number ``YYYYMMDD`` of a day in the calendar.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 10_000_101 <= value <= 99_991_231:
        try:
            return number_of(date_of(value))
        except ValueError:
            pass
    raise ValueError(f"{name} is {value!r}, expected a day as a number YYYYMMDD, such as 20261123")


def day_of_execution(event: Mapping[str, Any], zone: str, fields: Collection[str] = ()) -> int:
    """Return the day of a workflow's execution.

    Parameters
    ----------
    event
        ``started_at``, when it was started; ``input``, what it was started with, where ``anomesdia_exec`` may
        name another day.
    zone
        IANA name of the zone that the day of the start is of.
    fields
        What else the input may have.

    Raises
    ------
    ValueError
        The input has anything else, or its day is none.
    """
    given = event.get("input") or {}
    check_fields(given, (PARTITION_KEY, *fields))
    if PARTITION_KEY in given:
        return parse_day(given[PARTITION_KEY])
    started_at = event.get("started_at")
    try:
        return day_of(datetime.fromisoformat(str(started_at).replace("Z", "+00:00")), zone)
    except ValueError as error:
        raise ValueError(f"started_at is {started_at!r}, expected an ISO 8601 moment") from error


def check_fields(event: Mapping[str, object], known: Collection[str]) -> None:
    """Check that an event has no field but the known ones.

    Raises
    ------
    ValueError
        It has others.
    """
    if unknown := sorted(set(event) - set(known)):
        raise ValueError(f"event has {', '.join(unknown)}, expected no fields but {', '.join(known)}")


def days_before(day: int, count: int) -> list[int]:
    """Return the days before a day, the latest first."""
    start = date_of(day)
    return [number_of(start - timedelta(days=back)) for back in range(1, count + 1)]
