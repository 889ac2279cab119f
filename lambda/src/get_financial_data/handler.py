"""Lambda handler of stage 3."""

from __future__ import annotations

import os
from collections import defaultdict
from datetime import datetime, timezone
from functools import cache
from time import monotonic, sleep
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from b3.bounds import MOST_RECORDED, REASON_CHARACTERS, printable
from b3.days import DayRefused, check_run_day
from b3.kind import Kind
from fundamentus_site.asset_page import Labels
from fundamentus_site.breaker import Breaker
from fundamentus_site.site import FundamentusSite
from get_financial_data.read_assets import ArchiveCache, AssetResult, read_assets
from get_financial_data.save_batch import Settings, save_batch
from pynvest_lake.archive import Archive
from pynvest_lake.aws import client
from pynvest_lake.contract import table_schema
from pynvest_lake.ledger import Outcome, count_labels
from pynvest_lake.messages import MalformedMessage, TickerMessage
from pynvest_lake.settings import read_settings

logger = Logger()

# Requests stop this long before the function's timeout, to leave time to write rows, partition and ledger.
RESERVE_SECONDS = 20.0
LONGEST_COOL_DOWN_SECONDS = 600.0
# If the breaker is open, a batch first sleeps for this fraction of the cool-down, 15 s at most. Without this
# wait, a process that the site refuses would empty the queue before other processes could read pages.
WAIT_OF_COOL_DOWN = 1 / 40

# For these outcomes, the result lists each asset with its reason.
_TOLD = (Outcome.LATER_SESSION, Outcome.LAYOUT, Outcome.FAILED, Outcome.REFUSED)


@cache
def _breaker(cool_down_seconds: float) -> Breaker:
    return Breaker(cool_down_seconds)


@cache
def _site(settings: Settings) -> FundamentusSite:
    schema = table_schema(settings.target_table.table)
    return FundamentusSite(
        settings.fundamentus_base_url,
        labels={settings.ticker_kind: Labels(schema.labels, schema.core_labels)},
        headers=dict(settings.fetch_headers),
        max_connections=settings.fetch_threads,
        timeout_seconds=settings.fetch_timeout_seconds,
    )


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Read the assets of a batch of messages; write pages, rows and outcomes.

    Returns
    -------
    dict
        ``batchItemFailures``, as the queue expects it. ``rows`` is the number of assets that were read.
        ``no_such_paper`` lists the nonexistent assets. For each other outcome, a field with the outcome's
        name gives the assets and their reasons. ``unknown_labels`` (labels without a column) and
        ``lacking_core_labels`` give, for each label, the number of assets and an example.

    Raises
    ------
    botocore.exceptions.ClientError
        The rows or the ledger could not be written. The queue delivers all messages again.
    """
    settings = read_settings(Settings, os.environ)
    left = context.get_remaining_time_in_millis() / 1000
    not_after = monotonic() + left - min(RESERVE_SECONDS, left / 3)

    messages = _messages(event, settings.ticker_kind)
    # The breaker's cool-down must end before the next round starts.
    cool_down = min(LONGEST_COOL_DOWN_SECONDS, settings.sqs_visibility_timeout_seconds)
    breaker = _breaker(cool_down)
    # If a batch has the same message twice, read it once.
    assets = dict.fromkeys(message for message in messages.values() if isinstance(message, TickerMessage))
    if breaker.open and any(message.page is None for message in assets):
        sleep(min(cool_down * WAIT_OF_COOL_DOWN, left / 3))
    collected = read_assets(
        assets,
        _site(settings),
        ArchiveCache(Archive(client("s3"), settings.work_bucket)),
        breaker,
        threads=settings.fetch_threads,
        not_after=not_after,
    )
    tried_again = _tried_again(event, messages, collected, settings.sqs_max_receive_count)
    to_save = {message: asset for message, asset in collected.items() if message not in tried_again}
    save_batch(client("s3"), client("glue"), settings, to_save, logger)

    malformed = [
        printable(str(message), REASON_CHARACTERS)
        for message in messages.values()
        if isinstance(message, MalformedMessage)
    ]
    result = _result(collected, tried_again) | {"malformed": malformed}
    quiet = {"rows", Outcome.NO_SUCH_PAPER.value}
    log = logger.warning if any(value for name, value in result.items() if name not in quiet) else logger.info
    log("batch read", extra=result)
    failed = [
        {"itemIdentifier": message_id}
        for message_id, message in messages.items()
        if isinstance(message, MalformedMessage) or message in tried_again
    ]
    return {"batchItemFailures": failed, **result}


def _result(collected: dict[TickerMessage, AssetResult], tried_again: set[TickerMessage]) -> dict[str, Any]:
    """Return the assets' outcomes, the labels without a column, and the core labels that pages lack."""
    result: dict[str, Any] = {
        "rows": sum(asset.outcome is Outcome.READ for asset in collected.values()),
        Outcome.NO_SUCH_PAPER.value: sorted(
            message.ticker for message, asset in collected.items() if asset.outcome is Outcome.NO_SUCH_PAPER
        ),
    }
    for outcome in _TOLD:
        result[outcome.value] = {
            message.ticker: printable(asset.reason, REASON_CHARACTERS)
            for message, asset in collected.items()
            if asset.outcome is outcome
        }
    result["tried_again"] = sorted(message.ticker for message in tried_again)
    for name, labels_of in (
        ("unknown_labels", {message.ticker: asset.unknown_labels for message, asset in collected.items()}),
        ("lacking_core_labels", {message.ticker: asset.lacking_core for message, asset in collected.items()}),
    ):
        counted = list(count_labels(labels_of).items())[:MOST_RECORDED]
        result[name] = {label: {"papers": papers, "example": ticker} for label, (papers, ticker) in counted}
    return result


def _tried_again(
    event: dict[str, Any],
    messages: dict[str, TickerMessage | MalformedMessage],
    collected: dict[TickerMessage, AssetResult],
    max_receive_count: int,
) -> set[TickerMessage]:
    """Return the failed assets' messages that go back to the queue.

    A refused asset's message is deleted, because the next round requests the asset again. After
    `max_receive_count` receptions, the queue would move a failed asset's message to the dead-letter queue.
    Such a message is deleted too, because the next round requests the asset again.
    """
    received: defaultdict[TickerMessage, int] = defaultdict(int)
    for record in event["Records"]:
        message = messages[record["messageId"]]
        if not isinstance(message, MalformedMessage) and collected[message].outcome is Outcome.FAILED:
            count = int(record["attributes"]["ApproximateReceiveCount"])
            received[message] = max(received[message], count)
    return {message for message, count in received.items() if count < max_receive_count}


def _messages(event: dict[str, Any], kind: Kind) -> dict[str, TickerMessage | MalformedMessage]:
    """Return a batch's messages, by message id; an unreadable message is replaced by its error."""
    messages: dict[str, TickerMessage | MalformedMessage] = {}
    for record in event["Records"]:
        try:
            message = TickerMessage.from_json(record["body"], kind)
            check_run_day(message.day, datetime.now(timezone.utc))
            messages[record["messageId"]] = message
        except MalformedMessage as error:
            messages[record["messageId"]] = error
        except DayRefused as error:
            messages[record["messageId"]] = MalformedMessage(f"{error}: {record['body'][:200]!r}")
    return messages
