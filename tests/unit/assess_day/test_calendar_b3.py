from __future__ import annotations

from datetime import date, timedelta

import pytest

from b3.days import is_trading_day

# Weekdays without trading, as B3 published them.
CLOSED = {
    2022: "02-28 03-01 04-15 04-21 06-16 09-07 10-12 11-02 11-15 12-30",
    2023: "02-20 02-21 04-07 04-21 05-01 06-08 09-07 10-12 11-02 11-15 12-25 12-29",
    2024: "01-01 02-12 02-13 03-29 05-01 05-30 11-15 11-20 12-24 12-25 12-31",
    2025: "01-01 03-03 03-04 04-18 04-21 05-01 06-19 11-20 12-24 12-25 12-31",
    2026: "01-01 02-16 02-17 04-03 04-21 05-01 06-04 09-07 10-12 11-02 11-20 12-24 12-25 12-31",
}


@pytest.mark.parametrize("year", CLOSED)
def test_the_weekdays_on_which_b3_does_not_trade_are_known(year: int) -> None:
    days = [date(year, 1, 1) + timedelta(days=ahead) for ahead in range(366)]

    open_or_not = [day for day in days if day.year == year and day.weekday() < 5]

    closed = [day for day in open_or_not if not is_trading_day(int(f"{day:%Y%m%d}"))]

    assert " ".join(f"{day:%m-%d}" for day in closed) == CLOSED[year]


def test_no_weekend_is_a_trading_day_and_ash_wednesday_is_one() -> None:
    assert not is_trading_day(20261121)
    assert not is_trading_day(20261122)
    assert is_trading_day(20260218)
