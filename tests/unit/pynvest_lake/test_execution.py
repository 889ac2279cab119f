from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from moto_lake import DAY
from pynvest_lake.execution import Execution

STARTED = "2026-11-24T02:59:59.999Z"
"""Before midnight of `DAY` in São Paulo."""


@pytest.fixture(autouse=True)
def day_after() -> Iterator[None]:
    with time_machine.travel("2026-11-24T22:00:00Z", tick=False):
        yield


@pytest.mark.parametrize(
    ("event", "day"),
    [({"input": {}, "started_at": STARTED}, DAY), ({"input": {"anomesdia_exec": 20261001}}, 20261001)],
    ids=["day of the start in São Paulo", "day that an operator names"],
)
def test_the_day_is_that_of_the_input_or_of_the_start(event: dict[str, Any], day: int) -> None:
    assert Execution.from_event(event).day == day


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"anomesdia": DAY}, "event has anomesdia, expected only anomesdia_exec"),
        ({"anomesdia_exec": 20300101}, "20300101 is after today"),
        *(({"anomesdia_exec": DAY, "source": one}, "source is .*, expected") for one in ("site", 1, True)),
        ({"source": "sor"}, "source is 'sor', expected .* with anomesdia_exec"),
        ({"anomesdia_exec": DAY, "source": "sor", "rounds": [60]}, "a rebuild from SoR has no rounds"),
        *(
            ({"rounds": one}, "expected a list of minutes from 0 to 1440")
            for one in ("60", [-1], [1441], ["60"], [True], {"a": 1})
        ),
    ],
)
def test_a_mistyped_input_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Execution.from_event({"input": given, "started_at": STARTED})


def test_an_event_without_day_and_start_says_what_was_expected() -> None:
    with pytest.raises(ValueError, match="started_at is None, expected a moment such as"):
        Execution.from_event({})


@pytest.mark.parametrize(
    ("given", "is_scheduled"),
    [
        ({"rounds": [60]}, True),
        ({"rounds": []}, True),
        ({}, False),
        ({"anomesdia_exec": DAY, "rounds": []}, False),
    ],
)
def test_the_schedule_gives_rounds_and_no_day(given: dict[str, Any], is_scheduled: bool) -> None:
    assert Execution.from_event({"input": given, "started_at": STARTED}).is_scheduled is is_scheduled


@pytest.mark.parametrize(
    ("started_at", "fetch_from", "repeats"),
    [
        ("2026-11-24T02:59:00Z", "site", False),
        ("2026-11-24T03:00:00Z", "site", True),
        # The collector may upload Monday's pages until 18:45 on Tuesday (21:45 UTC).
        ("2026-11-24T21:44:00Z", "pages", False),
        ("2026-11-24T21:45:00Z", "pages", True),
    ],
)
def test_a_day_is_past_at_midnight_but_with_a_collector_when_the_next_session_closes(
    started_at: str, fetch_from: str, repeats: bool
) -> None:
    event = {"input": {"anomesdia_exec": DAY, "source": "pages"}, "started_at": started_at}

    assert Execution.from_event(event).repeats_past_day(fetch_from) is repeats
