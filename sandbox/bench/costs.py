"""The cost of one month of the lake, from the counts of one day and a table of prices."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DAYS_A_MONTH = 22
ASSETS_A_DAY = 1450
"""About 1,000 stocks and 450 funds."""

POLLS_A_MONTH = 2 * 5 * 3 * 60 * 24 * 30
"""Reads of the two queues by their triggers, day and night: each trigger has five pollers, and each poller
makes one long poll per 20 s."""

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

NOTICES_A_DAY = 1

TRIGGER_REQUESTS_A_SEND = 2
"""One request sends ten messages, one receives them, and one deletes them."""

STANDING = {
    "SQS, polling of the triggers",
    "Step Functions",
    "EventBridge Scheduler",
    "CloudWatch, alarms",
    "SNS, notices",
    "Athena, queries",
}
"""Paid items that do not depend on the number of assets."""

OF_A_DAY = {
    "s3:ListBucket",
    "glue:BatchGetPartition",
    "glue:GetPartition",
    "glue:GetPartitions",
    "sqs:GetQueueAttributes",
}
"""Daily requests that do not depend on the number of assets; all others grow with the assets."""

LOG_BYTES_AN_INVOCATION = 4096
_GIB = 2**30


class UnknownRequest(ValueError):
    """A request is missing in the table of prices; the message names it."""


@dataclass(frozen=True)
class DayCounts:
    """The counts of a day.

    Parameters
    ----------
    assets
        Number of assets that were read.
    requests
        Requests of the functions, by service and action.
    invocations
        Invocations of functions.
    gb_seconds
        Memory of the functions times their run time.
    stored_bytes
        Bytes that the day adds to the lake.
    pages_bytes, ledger_bytes
        Bytes of the day's pages and of its ledger, which expire.
    transitions
        State transitions of the workflow.
    queries
        Number of Athena queries.
    """

    assets: int
    requests: Mapping[str, int]
    invocations: int
    gb_seconds: float
    stored_bytes: int
    pages_bytes: int = 0
    ledger_bytes: int = 0
    transitions: int = TRANSITIONS_A_DAY
    queries: int = QUERIES_A_DAY


def prices() -> dict[str, dict[str, Any]]:
    """Return the table of prices of each region."""
    table: dict[str, dict[str, Any]] = json.loads(
        (Path(__file__).parent / "prices.json").read_text(encoding="utf-8")
    )
    return table


def month(day: DayCounts, table: Mapping[str, Any]) -> dict[str, float]:
    """Return the cost of a month with `DAYS_A_MONTH` days of `ASSETS_A_DAY` assets, by paid item.

    All counts of a day, except those in `OF_A_DAY`, are assumed to be proportional to its assets. The storage
    cost is that of the twelfth month.

    Raises
    ------
    UnknownRequest
        The day has requests without a price.
    """
    unknown = sorted(set(day.requests) - set(table["requests"]))
    if unknown:
        raise UnknownRequest(f"prices.json has no price of {', '.join(unknown)}: write one under requests")
    days = DAYS_A_MONTH * ASSETS_A_DAY / day.assets
    price = table["requests"]
    by_service: dict[str, float] = {}
    for action, count in day.requests.items():
        service = action.partition(":")[0]
        times = DAYS_A_MONTH if action in OF_A_DAY else days
        by_service[service] = by_service.get(service, 0.0) + count * times * price[action]
    invocations = day.invocations * days
    # Number of days of which pages and ledger are stored.
    kept = (day.pages_bytes * PAGES_KEPT_DAYS + day.ledger_bytes * LEDGER_KEPT_DAYS) * days / 30
    sent = day.requests.get("sqs:SendMessage", 0)
    triggers = TRIGGER_REQUESTS_A_SEND * sent * days * price["sqs:Poll"]
    return {
        "Lambda, time": day.gb_seconds * days * table["lambda_gb_second"],
        "Lambda, invocations": invocations * price["lambda:Invocation"],
        "S3, requests": by_service.get("s3", 0.0),
        "S3, a year of data": day.stored_bytes * days * 12 / _GIB * table["s3_gb_month"],
        "S3, pages and ledger": kept / _GIB * table["s3_gb_month"],
        "SQS, messages": by_service.get("sqs", 0.0) + triggers,
        "SQS, polling of the triggers": POLLS_A_MONTH * price["sqs:Poll"],
        "Glue": by_service.get("glue", 0.0),
        "Step Functions": day.transitions * DAYS_A_MONTH * price["states:Transition"],
        "EventBridge Scheduler": 2 * DAYS_A_MONTH * price["scheduler:Invocation"],
        "CloudWatch, alarms": ALARMS * table["alarm_month"],
        "SNS, notices": NOTICES_A_DAY * DAYS_A_MONTH * price["sns:Email"],
        "Athena, queries": day.queries * DAYS_A_MONTH * price["athena:Query"],
        "CloudWatch Logs": invocations * LOG_BYTES_AN_INVOCATION / _GIB * table["logs_gb"],
    }


def beyond_free_tier(paid: Mapping[str, float], table: Mapping[str, Any]) -> float:
    """Return a month's cost in dollars after the free tier, if the account has no other usage.

    Only free allowances without an end date count (each service's pricing page, 2026-11). S3 has no such
    allowance: new accounts get credits, and accounts opened before July 2025 had twelve free months.
    """
    price = table["requests"]
    allowances: dict[tuple[str, ...], float] = {
        ("Lambda, time",): 400_000 * table["lambda_gb_second"],
        ("Lambda, invocations",): 1_000_000 * price["lambda:Invocation"],
        ("SQS, messages", "SQS, polling of the triggers"): 1_000_000 * price["sqs:Poll"],
        ("Glue",): 1_000_000 * price["glue:BatchCreatePartition"],
        ("Step Functions",): 4_000 * price["states:Transition"],
        ("EventBridge Scheduler",): 14_000_000 * price["scheduler:Invocation"],
        ("CloudWatch Logs",): 5 * table["logs_gb"],
        ("CloudWatch, alarms",): 10 * table["alarm_month"],
        ("SNS, notices",): 1_000 * price["sns:Email"],
    }
    free = sum(min(sum(paid[name] for name in names), worth) for names, worth in allowances.items())
    return sum(paid.values()) - free
