from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.bench.costs import (
    ASSETS_A_DAY,
    DAYS_A_MONTH,
    POLLS_A_MONTH,
    DayCounts,
    beyond_free_tier,
    month,
    prices,
)
from sandbox.bench.on_lambda import FULL_CORE_MB, Work

VIRGINIA = prices()["us-east-1"]

ONE_DAY = DayCounts(
    assets=ASSETS_A_DAY,
    requests={"s3:PutObject": 1000, "s3:GetObject": 500, "sqs:SendMessage": 145},
    invocations=100,
    gb_seconds=200.0,
    stored_bytes=2**30,
)


def test_a_month_is_22_days_at_the_prices_of_the_table() -> None:
    paid = month(ONE_DAY, VIRGINIA)

    assert DAYS_A_MONTH == 22
    assert paid["Lambda, time"] == pytest.approx(22 * 200 * 0.0000166667)
    assert paid["S3, requests"] == pytest.approx(22 * (1000 * 0.000005 + 500 * 0.0000004))
    assert paid["S3, a year of data"] == pytest.approx(12 * 22 * 0.023)


EMPTY = DayCounts(ASSETS_A_DAY, {}, 0, 0.0, 0)
TENTH = replace(EMPTY, assets=ASSETS_A_DAY // 10)
KEPT = replace(EMPTY, pages_bytes=2**30, ledger_bytes=2**29)


@pytest.mark.parametrize(
    ("day", "item", "dollars"),
    [
        (KEPT, "S3, pages and ledger", 22 * (3 + 400 / 30 / 2) * 0.023),
        (replace(TENTH, gb_seconds=20.0), "Lambda, time", 22 * 200 * 0.0000166667),
        (replace(TENTH, requests={"s3:PutObject": 100}), "S3, requests", 22 * 1000 * 0.000005),
        (replace(TENTH, requests={"glue:GetPartitions": 40}), "Glue", 22 * 40 * 0.000001),
        (replace(EMPTY, requests={"sqs:SendMessage": 147}), "SQS, messages", 22 * 3 * 147 * 0.0000004),
        (replace(EMPTY, assets=1), "SQS, polling of the triggers", POLLS_A_MONTH * 0.0000004),
    ],
    ids=[
        "pages are kept for 90 days and ledgers for 400",
        "the time of a smaller day is scaled to the whole market",
        "the requests of a smaller day are scaled to the whole market",
        "requests that every day takes are not scaled",
        "the triggers receive and delete ten messages a request",
        "the triggers poll day and night whatever the day has",
    ],
)
def test_an_item_is_paid_by_its_rule(day: DayCounts, item: str, dollars: float) -> None:
    assert month(day, VIRGINIA)[item] == pytest.approx(dollars)


def test_a_request_without_a_price_is_named() -> None:
    with pytest.raises(ValueError, match="no price of s3:RestoreObject"):
        month(replace(EMPTY, requests={"s3:RestoreObject": 1}), VIRGINIA)


def test_the_free_tier_takes_a_million_queue_requests_and_nothing_of_storage_and_queries() -> None:
    paid = month(ONE_DAY, VIRGINIA)
    storage = paid["S3, requests"] + paid["S3, a year of data"] + paid["Athena, queries"]
    queue_requests = POLLS_A_MONTH + 22 * (145 + 2 * 145)

    assert beyond_free_tier(paid, VIRGINIA) == pytest.approx(
        storage + (queue_requests - 1_000_000) * VIRGINIA["requests"]["sqs:Poll"]
    )


def test_nobody_is_paid_for_what_is_left_of_the_free_tier() -> None:
    assert beyond_free_tier(dict.fromkeys(month(ONE_DAY, VIRGINIA), 0.0), VIRGINIA) == 0


WAITING = Work(import_cpu=1.0, first_cpu=0.5, first_waits=3.0, later_cpu=0.2, later_waits=3.0)


def test_what_computes_takes_the_longer_the_less_memory_it_has_and_costs_the_same() -> None:
    computing = Work(1.0, 0.5, 0.0, 0.2, 0.0)

    assert computing.start_seconds(FULL_CORE_MB) == 1.0
    assert computing.start_seconds(FULL_CORE_MB / 4) == 4.0
    assert computing.gb_seconds(256, 1, 3) == pytest.approx(1.9 * FULL_CORE_MB / 1024)
    assert computing.gb_seconds(1024, 1, 3) == pytest.approx(1.9 * FULL_CORE_MB / 1024)


def test_a_wait_costs_less_with_less_memory() -> None:
    assert WAITING.gb_seconds(256, 0, 1) == pytest.approx(0.2 * FULL_CORE_MB / 1024 + 3.0 / 4)


def test_more_memory_than_a_core_has_makes_nothing_faster() -> None:
    assert WAITING.start_seconds(2 * FULL_CORE_MB) == 1.0


def test_a_function_starts_no_oftener_than_it_is_invoked() -> None:
    once = 1.5 * FULL_CORE_MB / 1024 + 3.0

    assert WAITING.gb_seconds(1024, 5, 1) == pytest.approx(once)
