from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.bench.costs import POLLS_A_MONTH, DayCounts, beyond_free_tier, month, prices

VIRGINIA = prices()["us-east-1"]

EMPTY = DayCounts({}, 0, 0.0, 0, 0, 0)
ONE_DAY = replace(
    EMPTY,
    requests={"s3:PutObject": 1000, "s3:GetObject": 500, "sqs:SendMessage": 147},
    invocations=100,
    gb_seconds=200.0,
    stored_bytes=2**30,
)


@pytest.mark.parametrize(
    ("day", "item", "dollars"),
    [
        (ONE_DAY, "Lambda, time", 22 * 200 * 0.0000166667),
        (ONE_DAY, "S3, requests", 22 * (1000 * 0.000005 + 500 * 0.0000004)),
        (ONE_DAY, "S3, a year of data", 12 * 22 * 0.023),
        (
            replace(EMPTY, pages_bytes=2**30, ledger_bytes=2**29),
            "S3, pages and ledger",
            22 * (3 + 400 / 30 / 2) * 0.023,
        ),
        (ONE_DAY, "SQS, messages", 22 * 3 * 147 * 0.0000004),
        (EMPTY, "SQS, polling of the triggers", POLLS_A_MONTH * 0.0000004),
    ],
    ids=[
        "a month has 22 days",
        "each request has its price",
        "the data of twelve months is stored",
        "pages are kept for 90 days and ledgers for 400",
        "the triggers receive and delete ten messages a request",
        "the triggers poll day and night whatever the day has",
    ],
)
def test_the_cost_of_an_item_follows_its_rule(day: DayCounts, item: str, dollars: float) -> None:
    assert month(day, VIRGINIA)[item] == pytest.approx(dollars)


def test_a_request_without_a_price_is_named() -> None:
    with pytest.raises(ValueError, match="no price of s3:RestoreObject"):
        month(replace(EMPTY, requests={"s3:RestoreObject": 1}), VIRGINIA)


def test_the_free_tier_covers_a_million_queue_requests_and_no_storage_or_queries() -> None:
    paid = month(ONE_DAY, VIRGINIA)
    storage = paid["S3, requests"] + paid["S3, a year of data"] + paid["Athena, queries"]
    queue_requests = POLLS_A_MONTH + 22 * (147 + 2 * 147)

    assert beyond_free_tier(paid, VIRGINIA) == pytest.approx(
        storage + (queue_requests - 1_000_000) * VIRGINIA["requests"]["sqs:Poll"]
    )


def test_the_unused_part_of_the_free_tier_is_no_income() -> None:
    assert beyond_free_tier(dict.fromkeys(month(ONE_DAY, VIRGINIA), 0.0), VIRGINIA) == 0
