"""The cost of one month of the lake, computed from one day's counts and a table of prices."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DAYS_A_MONTH = 22

POLLS_A_MONTH = 2 * 5 * 3 * 60 * 24 * 30
"""Number of times per month that the triggers read the two queues. Each trigger has five pollers, and each
poller makes one long poll per 20 s, day and night."""

TRANSITIONS_A_DAY = 15
"""Number of states that the workflow enters if the day is good and already settled at the first check; two of
these states notify."""

PAGES_KEPT_DAYS = 90
"""Default number of days to keep pages."""

LEDGER_KEPT_DAYS = 400

ALARMS = 2
"""Number of alarms if there is a recipient for notices."""

QUERIES_A_DAY = 20
"""Athena queries of users; each is charged as at least ten megabytes."""

TRIGGER_REQUESTS_A_SEND = 2
"""Each request that sends ten messages is followed by a request that receives them and a request that deletes
them."""

LOG_BYTES_AN_INVOCATION = 4096
_GIB = 2**30


@dataclass(frozen=True)
class DayCounts:
    """The counts of a day.

    Parameters
    ----------
    requests
        Number of the functions' requests for each ``service:action``.
    invocations
        Invocations of functions.
    gb_seconds
        Estimate of the GB-seconds that Lambda charges for the functions.
    stored_bytes
        Bytes that the day adds to the lake.
    pages_bytes, ledger_bytes
        Bytes of the day's pages and of the day's ledger; both expire.
    """

    requests: Mapping[str, int]
    invocations: int
    gb_seconds: float
    stored_bytes: int
    pages_bytes: int
    ledger_bytes: int


def prices() -> dict[str, dict[str, Any]]:
    """Return each region's prices; if a region does not list a price, the price of us-east-1 is used."""
    tables: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("prices.json").read_text("utf-8"))
    base = tables["us-east-1"]
    return {
        region: {**base, **own, "requests": {**base["requests"], **own["requests"]}}
        for region, own in tables.items()
    }


def month(day: DayCounts, table: Mapping[str, Any]) -> dict[str, float]:
    """Return each paid item's cost in dollars for a month in which `DAYS_A_MONTH` days have the counts `day`.

    Storage is priced for a lake that holds one year of data.

    Raises
    ------
    ValueError
        `table` has no price for a ``service:action`` in `day.requests`.
    """
    price = table["requests"]
    if unknown := sorted(set(day.requests) - set(price)):
        raise ValueError(f"prices.json has no price of {', '.join(unknown)}: write one under requests")
    by_service: Counter[str] = Counter()
    for action, count in day.requests.items():
        by_service[action.partition(":")[0]] += count * price[action]
    triggers = TRIGGER_REQUESTS_A_SEND * day.requests.get("sqs:SendMessage", 0) * price["sqs:Poll"]
    # Bytes of all pages and ledgers that have not expired.
    kept = (day.pages_bytes * PAGES_KEPT_DAYS + day.ledger_bytes * LEDGER_KEPT_DAYS) / 30
    logs = day.invocations * LOG_BYTES_AN_INVOCATION
    of_a_day = {
        "Lambda, time": day.gb_seconds * table["lambda_gb_second"],
        "Lambda, invocations": day.invocations * price["lambda:Invocation"],
        "S3, requests": by_service["s3"],
        "S3, a year of data": 12 * day.stored_bytes / _GIB * table["s3_gb_month"],
        "S3, pages and ledger": kept / _GIB * table["s3_gb_month"],
        "SQS, messages": by_service["sqs"] + triggers,
        "Glue": by_service["glue"],
        "Step Functions": TRANSITIONS_A_DAY * price["states:Transition"],
        "EventBridge Scheduler": 2 * price["scheduler:Invocation"],
        "SNS, notices": price["sns:Email"],
        "Athena, queries": QUERIES_A_DAY * price["athena:Query"],
        "CloudWatch Logs": logs / _GIB * table["logs_gb"],
    }
    return {
        **{item: DAYS_A_MONTH * cost for item, cost in of_a_day.items()},
        "SQS, polling of the triggers": POLLS_A_MONTH * price["sqs:Poll"],
        "CloudWatch, alarms": ALARMS * table["alarm_month"],
    }


def months(day: DayCounts) -> dict[str, dict[str, float]]:
    """Return, for each region, the dollars that each paid item costs in a month, and the totals."""
    return {
        region: {
            **(paid := month(day, table)),
            "total": sum(paid.values()),
            "after the free tier": beyond_free_tier(paid, table),
        }
        for region, table in prices().items()
    }


def beyond_free_tier(paid: Mapping[str, float], table: Mapping[str, Any]) -> float:
    """Return the part of a month's cost, in dollars, that the free tier does not cover.

    The lake is assumed to be the only user of the account's free tier. Only permanent allowances are
    subtracted, as the services' pricing pages listed them in November 2026. S3 has no permanent allowance.
    """
    price = table["requests"]
    allowances: dict[tuple[str, ...], float] = {
        ("Lambda, time",): 400_000 * table["lambda_gb_second"],
        ("Lambda, invocations",): 1_000_000 * price["lambda:Invocation"],
        ("SQS, messages", "SQS, polling of the triggers"): 1_000_000 * price["sqs:Poll"],
        ("Glue",): 1_000_000 * price["glue:CreatePartition"],
        ("Step Functions",): 4_000 * price["states:Transition"],
        ("EventBridge Scheduler",): 14_000_000 * price["scheduler:Invocation"],
        ("CloudWatch Logs",): 5 * table["logs_gb"],
        ("CloudWatch, alarms",): 10 * table["alarm_month"],
        ("SNS, notices",): 1_000 * price["sns:Email"],
    }
    free = sum(min(sum(paid[name] for name in names), worth) for names, worth in allowances.items())
    return sum(paid.values()) - free
