"""An execution of the workflow, read from a function's event."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from b3.days import PARTITION_KEY, check_run_day, day_at, last_closed_day, parse_day
from pynvest_lake.ledger import moment_of

FROM_SOR, FROM_PAGES = "sor", "pages"


@dataclass(frozen=True)
class Execution:
    """An execution of the workflow.

    Parameters
    ----------
    day
        The run day, ``YYYYMMDD``.
    started_at
        Start of the execution.
    names_day
        Whether the input names the day. If not, the day is the date of `started_at` in Sao Paulo.
    rounds
        Minutes to wait before each round; a round starts only if there is a reason for it. The value is None
        if the input has no ``rounds``.
    source
        ``sor``: rebuild the tables from the day's SoR objects. ``pages``: read the day's archived pages.
        None: only complete the day.
    """

    day: int
    started_at: datetime
    names_day: bool = False
    rounds: tuple[float, ...] | None = None
    source: str | None = None

    @property
    def is_scheduled(self) -> bool:
        """Return whether the schedule started the execution: its input has rounds and does not name a day."""
        return self.rounds is not None and not self.names_day

    def repeats_past_day(self, fetch_from: str) -> bool:
        """Return whether the execution reads the pages of a past day, or rebuilds the tables of a past day.

        If a collector uploads the pages, a day counts as past only after the next session has closed.
        """
        today = last_closed_day(self.started_at) if fetch_from == FROM_PAGES else day_at(self.started_at)
        return self.source is not None and self.day < today

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Execution:
        """Read ``started_at`` and ``input`` from a function's event.

        Raises
        ------
        DayRefused, ValueError
            The input has an unknown field, an invalid value, or a day after today.
        """
        given, now = event.get("input") or {}, datetime.now(timezone.utc)
        check_fields(given, (PARTITION_KEY, "rounds", "source"))
        names_day = PARTITION_KEY in given
        # A person who invokes the function names the day in the input, and can leave out started_at.
        without = names_day and "started_at" not in event
        started_at = now if without else moment_of(event.get("started_at"), "started_at")
        day = parse_day(given[PARTITION_KEY]) if names_day else day_at(started_at)
        check_run_day(day, now)
        source = given.get("source")
        if source not in (None, FROM_SOR, FROM_PAGES) or (source and not names_day):
            raise ValueError(f'source is {source!r}, expected "sor" or "pages", with {PARTITION_KEY}')
        rounds = _rounds(given["rounds"]) if "rounds" in given else None
        if rounds and source == FROM_SOR:  # a rebuild does not wait for a round's messages
            raise ValueError(f"rounds is {rounds}, expected none: a rebuild from SoR has no rounds")
        return cls(day, started_at, names_day, rounds, source)


def check_fields(event: Mapping[str, object], known: Collection[str]) -> None:
    """Check that an event has only known fields.

    Raises
    ------
    ValueError
        The event has an unknown field.
    """
    if unknown := sorted(set(event) - set(known)):
        raise ValueError(f"event has {', '.join(unknown)}, expected only {', '.join(known)}")


def _rounds(value: object) -> tuple[float, ...]:
    if isinstance(value, list) and all(
        isinstance(minutes, (int, float)) and not isinstance(minutes, bool) and 0 <= minutes <= 1440
        for minutes in value
    ):
        return tuple(value)
    raise ValueError(f"rounds is {value!r}, expected a list of minutes from 0 to 1440, such as [60, 60]")
