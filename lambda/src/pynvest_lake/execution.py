"""An execution of the workflow, read from a function's event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from b3.days import check_run_day, day_at, parse_day
from pynvest_lake.day import PARTITION_KEY, check_fields

FROM_SOR, FROM_PAGES = "sor", "pages"


@dataclass(frozen=True)
class Execution:
    """An execution of the workflow.

    Parameters
    ----------
    day
        The run day, ``YYYYMMDD``.
    started_at
        When it was started.
    names_day
        Whether its input names the day; otherwise the day is that of the start in Sao Paulo.
    rounds
        Minutes to wait before each round that is asked for while something is missing.
    source
        ``sor`` where the tables are made anew from the day's SoR objects, ``pages`` where its archived pages
        are read again; None where the day is only completed.
    """

    day: int
    started_at: datetime
    names_day: bool = False
    rounds: tuple[float, ...] = ()
    source: str | None = None

    @property
    def is_scheduled(self) -> bool:
        """Return whether the schedule started it: only that passes rounds and leaves the day to the start."""
        return bool(self.rounds) and not self.names_day

    @property
    def repeats_past_day(self) -> bool:
        """Return whether it reads or makes a past day again, which a person has asked for."""
        return self.source is not None and self.day < day_at(self.started_at)

    @property
    def from_sor(self) -> bool:
        """Return whether the tables are made anew from the day's SoR objects."""
        return self.source == FROM_SOR

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Execution:
        """Read ``started_at`` and ``input`` of a function's event.

        Raises
        ------
        DayRefused, ValueError
            The input has anything else, a field is not what it should be, or the day is after today.
        """
        given, now = event.get("input") or {}, datetime.now(timezone.utc)
        check_fields(given, (PARTITION_KEY, "rounds", "source"))
        names_day = PARTITION_KEY in given
        # A person who invokes a function names the day.
        started_at = (
            now if names_day and "started_at" not in event else _parse_moment(event.get("started_at"))
        )
        day = parse_day(given[PARTITION_KEY]) if names_day else day_at(started_at)
        check_run_day(day, now)
        source = given.get("source")
        if source not in (None, FROM_SOR, FROM_PAGES) or (source and not names_day):
            raise ValueError(f'source is {source!r}, expected "sor" beside {PARTITION_KEY}, or no such field')
        return cls(day, started_at, names_day, parse_rounds(given.get("rounds", [])), source)


def parse_rounds(value: object) -> tuple[float, ...]:
    """Check that a value is a list of minutes and return it.

    Raises
    ------
    ValueError
        It is not.
    """
    if isinstance(value, list) and all(
        isinstance(minutes, (int, float)) and not isinstance(minutes, bool) and 0 <= minutes <= 1440
        for minutes in value
    ):
        return tuple(value)
    raise ValueError(f"rounds is {value!r}, expected a list of minutes from 0 to 1440, such as [60, 60]")


def _parse_moment(value: object) -> datetime:
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError as error:
        raise ValueError(f"started_at is {value!r}, expected an ISO 8601 moment") from error
