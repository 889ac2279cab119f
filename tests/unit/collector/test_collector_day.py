from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from collector.collected_day import last_day, named_day

UTC = ZoneInfo("UTC")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "day", "until"),
    [
        # 23 November 2026 is a Monday; São Paulo is three hours behind UTC.
        ("2026-11-23T21:44:59", 20261120, "2026-11-23T13:00:00"),
        ("2026-11-23T21:45:00", 20261123, "2026-11-24T13:00:00"),
        ("2026-11-24T03:00:00", 20261123, "2026-11-24T13:00:00"),
        ("2026-11-24T13:00:00", 20261123, "2026-11-24T13:00:00"),  # the day is over: the next session is open
        ("2026-11-27T21:45:00", 20261127, "2026-11-30T13:00:00"),  # a Friday: the weekend remains
        ("2026-11-28T22:00:00", 20261127, "2026-11-30T13:00:00"),
        ("2026-11-30T12:59:59", 20261127, "2026-11-30T13:00:00"),
        # In the summer of 2018, São Paulo was two hours behind UTC.
        ("2018-12-03T20:44:59", 20181130, "2018-12-03T12:00:00"),
        ("2018-12-03T20:45:00", 20181203, "2018-12-04T12:00:00"),
    ],
)
def test_the_day_is_the_last_weekday_whose_1845_has_passed_in_sao_paulo(
    now: str, day: int, until: str
) -> None:
    found = last_day(moment(now))

    assert (found.number, found.until) == (day, moment(until))
    assert f"{found.closed_at:%Y%m%d %H:%M}" == f"{day} 18:45"


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Asia/Tokyo", "America/Los_Angeles"])
def test_the_time_zone_of_the_machine_does_not_matter(zone: str) -> None:
    assert last_day(moment("2026-11-24T01:00:00").astimezone(ZoneInfo(zone))).number == 20261123


def test_a_named_day_has_no_time_limit() -> None:
    found = named_day(20261117, moment("2026-11-24T16:00:00"))  # a week ago

    assert (found.number, found.until) == (20261117, None)


@pytest.mark.parametrize(
    ("day", "now"),
    [
        (20261123, "2026-11-23T21:44:59"),  # before 18:45 on this day
        (20261124, "2026-11-23T21:45:00"),
        (20261121, "2026-11-24T16:00:00"),  # a Saturday
        (20261116, "2026-11-24T16:00:00"),  # more than a week ago
        (20261131, "2026-11-23T16:00:00"),  # not a valid date
    ],
)
def test_other_named_days_are_refused(day: int, now: str) -> None:
    with pytest.raises(ValueError, match=f"--day is {day}, expected"):
        named_day(day, moment(now))
