from __future__ import annotations

import pytest

from sandbox.bench.costs import (
    DAYS_A_MONTH,
    PAPERS_A_DAY,
    POLLS_A_MONTH,
    DayCounts,
    UnknownRequest,
    month,
    prices,
)

ONE_DAY = DayCounts(
    papers=PAPERS_A_DAY,
    requests={"s3:PutObject": 1000, "s3:GetObject": 500, "sqs:SendMessage": 145},
    invocations=100,
    gb_seconds=200.0,
    stored_bytes=2**30,
)


def test_a_month_is_22_days_at_the_prices_of_the_table() -> None:
    paid = month(ONE_DAY, prices())

    assert DAYS_A_MONTH == 22
    assert paid["Lambda, time"] == pytest.approx(22 * 200 * 0.0000166667)
    assert paid["S3, requests"] == pytest.approx(22 * (1000 * 0.000005 + 500 * 0.0000004))
    assert paid["S3, a year of data"] == pytest.approx(12 * 22 * 0.023)


def test_a_smaller_day_is_scaled_to_the_whole_market() -> None:
    tenth = DayCounts(PAPERS_A_DAY // 10, {"s3:PutObject": 100}, 10, 20.0, 2**30 // 10)

    assert month(tenth, prices())["Lambda, time"] == pytest.approx(month(ONE_DAY, prices())["Lambda, time"])
    assert month(tenth, prices())["S3, requests"] == pytest.approx(22 * 1000 * 0.000005)


def test_requests_that_every_day_takes_are_not_scaled() -> None:
    tenth = DayCounts(PAPERS_A_DAY // 10, {"s3:ListBucket": 40}, 10, 20.0, 0)

    assert month(tenth, prices())["S3, requests"] == pytest.approx(22 * 40 * 0.000005)


def test_the_triggers_receive_and_delete_ten_messages_a_request() -> None:
    day = DayCounts(PAPERS_A_DAY, {}, 0, 0.0, 0)

    assert month(day, prices())["SQS, messages"] == pytest.approx(22 * 2 * 145 * 0.0000004)


def test_what_the_triggers_poll_day_and_night_does_not_depend_on_the_day() -> None:
    nothing = DayCounts(1, {}, 0, 0.0, 0)

    assert month(nothing, prices())["SQS, polling of the triggers"] == POLLS_A_MONTH * 0.0000004


def test_a_request_without_a_price_is_named() -> None:
    with pytest.raises(UnknownRequest, match="no price of s3:RestoreObject"):
        month(DayCounts(1, {"s3:RestoreObject": 1}, 0, 0.0, 0), prices())
