from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from lake_rows import raw_s3_event
from pynvest_lake.day_request import DayRequest, parse_probe

DAY = 20261123
NOW = datetime(2026, 11, 23, 22, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"anomesdia": DAY}, "event has anomesdia, expected only anomesdia_exec, tickers"),
        ({"anomesdia_exec": "20261123"}, "expected a day as a number YYYYMMDD"),
        ({"anomesdia_exec": 2026}, "expected a day as a number YYYYMMDD"),
        ({"anomesdia_exec": 20261341}, "expected a day as a number YYYYMMDD"),
        ({"anomesdia_exec": None}, "expected a day as a number YYYYMMDD"),
        ({"tickers": []}, r"tickers is \[\], expected a list of tickers"),
        ({"tickers": "PETR4"}, "tickers is 'PETR4', expected a list of tickers"),
        ({"tickers": ["petr4"]}, "ticker is 'petr4', expected 4 to 12 capital letters and digits"),
        ({"source": "site"}, "source is 'site', expected 'pages'"),
        (
            {"source": "pages", "partial": True},
            "event has partial, expected only .*, source, remove",
        ),
        ({"source": "pages", "tickers": ["PETR4"]}, "event has source and tickers, expected one"),
        ({"remove": True}, "event has remove, expected only anomesdia_exec and remove"),
        ({"remove": 1, "anomesdia_exec": 20300101}, "remove is 1, expected true or false"),
        ({"scheduled_at": "today"}, "scheduled_at is 'today', expected a moment such as"),
        ({"scheduled_at": "2026-11-23T21:45:00"}, "scheduled_at is .*, expected a moment such as"),
        ({"scheduled_at": "2026-11-23T21:45:00Z", "source": "pages"}, "expected only scheduled_at"),
        ({"Records": []}, "event has Records, expected one S3 record of a collector's manifest"),
        (raw_s3_event(("work", "pages/x.jsonl.gz")), "'pages/x.jsonl.gz' is no manifest of a collector"),
    ],
)
def test_a_mistyped_event_of_stage_1_is_refused(event: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        DayRequest.to_start(event, NOW)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"ticker": "PETR4"},
            "event has ticker, expected only anomesdia_exec, tickers, source",
        ),
        ({"prob": "PETR4"}, "event has prob, expected only .*, old_session, probe"),
        ({"anomesdia_exec": None}, "anomesdia_exec is None"),
        ({"tickers": "PETR4"}, "tickers is 'PETR4', expected a list of tickers"),
        ({"source": "site"}, "source is 'site', expected 'pages'"),
        ({"only_missing": "yes"}, "only_missing is 'yes', expected true or false"),
        ({"old_session": {"session": 20261120, "ticker": "PETR4"}}, "with only_missing"),
        ({"only_missing": True, "old_session": 20261120}, "expected session and ticker"),
        ({"only_missing": True, "old_session": {"session": 20261131, "ticker": "PETR4"}}, "expected a day"),
    ],
)
def test_a_mistyped_event_of_stage_2_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        DayRequest.of_tickers({"anomesdia_exec": DAY, **given}, "site")


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"probe": "petr4"}, "ticker is 'petr4', expected"),
        ({"probe": "PETR4", "anomesdia_exec": DAY}, "event has anomesdia_exec, expected only probe"),
    ],
)
def test_a_mistyped_probe_is_refused(event: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_probe(event)
