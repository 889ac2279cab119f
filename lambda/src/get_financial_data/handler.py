"""Stage 3, as Lambda calls it."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from functools import cache
from typing import Any

import pyarrow as pa
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes import SQSEvent
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError

from fundamentus_site.site import FundamentusSite
from get_financial_data.collect import Breaker, Collected, Rows, collect
from get_financial_data.settings import Settings
from pynvest_lake.aws import client
from pynvest_lake.catalog import register_partition
from pynvest_lake.contract import table_schema
from pynvest_lake.kinds import Kind
from pynvest_lake.messages import MalformedMessage, TickerMessage
from pynvest_lake.settings import read_settings
from pynvest_lake.storage import LakeTable, object_id, write

logger = Logger()

# Kept of an invocation's time for the object, the partition and the answer.
RESERVE_SECONDS = 20.0
# SQS takes 12 hours, and counts them from when the batch was received.
_LONGEST_VISIBILITY_SECONDS = 11 * 3600
_LONGEST_COOL_DOWN_SECONDS = 60.0


@cache
def _breaker(cool_down_seconds: float) -> Breaker:
    return Breaker(cool_down_seconds)


@cache
def _site(base_url: str, year: int, connections: int, timeout_seconds: float) -> FundamentusSite:
    return FundamentusSite(
        base_url, day=year * 10_000 + 101, max_connections=connections, timeout_seconds=timeout_seconds
    )


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Read the papers of a batch of messages and write their rows as one object a day.

    Returns
    -------
    dict
        ``batchItemFailures`` as the queue expects it, and the counts of the batch.
    """
    settings = read_settings(Settings, os.environ)
    kind, threads = settings.ticker_kind, settings.fetch_threads
    left = context.get_remaining_time_in_millis() / 1000
    not_after = time.monotonic() + left - min(RESERVE_SECONDS, left / 3)

    messages = _messages(event, kind)
    # The same paper twice in a batch is read once.
    papers = dict.fromkeys(message for message in messages.values() if isinstance(message, TickerMessage))
    collected = collect(
        papers,
        {
            paper.day: _site(
                settings.fundamentus_base_url, paper.day // 10_000, threads, settings.fetch_timeout_seconds
            )
            for paper in papers
        },
        # Over before what is handed back comes again, or it would run out of attempts without one.
        _breaker(min(_LONGEST_COOL_DOWN_SECONDS, settings.sqs_visibility_timeout_seconds / 2)),
        threads=threads,
        not_after=not_after,
    )
    _write(collected, settings.target_table, kind)
    _hide_refused(event, messages, collected, settings)

    def outcome(record: SQSRecord) -> None:
        message = messages[record.message_id]
        error = message if isinstance(message, MalformedMessage) else collected.error_of(message)
        if error is not None:
            raise error

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    answer: dict[str, Any] = dict(
        process_partial_response(event=event, record_handler=outcome, processor=processor, context=context)
    )
    result = {
        "rows": len(collected.rows),
        "no_such_paper": sorted(message.ticker for message in collected.missing),
        "failed": {
            message.ticker: f"{type(error).__name__}: {error}" for message, error in collected.failed.items()
        },
        "refused": {message.ticker: str(error) for message, error in collected.refused.items()},
        "handed_back": len(collected.handed_back),
        "malformed": [str(message) for message in messages.values() if isinstance(message, MalformedMessage)],
    }
    trouble = result["failed"] or result["refused"] or result["malformed"]
    log = logger.warning if trouble else logger.info
    log("batch read", extra=result)
    return answer | result


def _messages(event: dict[str, Any], kind: Kind) -> dict[str, TickerMessage | MalformedMessage]:
    """Read the messages of a batch, by message id; one that cannot be read stands as its error."""
    messages: dict[str, TickerMessage | MalformedMessage] = {}
    for record in SQSEvent(event).records:
        try:
            messages[record.message_id] = TickerMessage.from_json(record.body, kind)
        except MalformedMessage as error:
            messages[record.message_id] = error
    return messages


def _write(collected: Collected, target: LakeTable, kind: Kind) -> None:
    """Write the rows, one object a day, and make its partition known."""
    rows_of_day: defaultdict[int, dict[str, Rows]] = defaultdict(dict)
    for message, row in collected.rows.items():
        rows_of_day[message.day][message.ticker] = row
    for day, rows in rows_of_day.items():
        tickers = sorted(rows)
        table = pa.Table.from_pylist(
            [rows[ticker] for ticker in tickers], schema=table_schema(target.table).arrow
        )
        write(client("s3"), target.part(day, object_id(day, kind.value, tickers)), table)
        register_partition(client("glue"), target, day)


def _hide_refused(
    event: dict[str, Any],
    messages: dict[str, TickerMessage | MalformedMessage],
    collected: Collected,
    settings: Settings,
) -> None:
    """Let a refused paper come back apart from its batch, lest it hold up the others again.

    Where the queue does not do that, the paper comes back with the others.
    """
    seconds = min(2 * settings.sqs_visibility_timeout_seconds, _LONGEST_VISIBILITY_SECONDS)
    for record in SQSEvent(event).records:
        if messages[record.message_id] in collected.refused:
            try:
                client("sqs").change_message_visibility(
                    QueueUrl=settings.tickers_queue_url,
                    ReceiptHandle=record.receipt_handle,
                    VisibilityTimeout=seconds,
                )
            except ClientError as error:
                logger.warning("refused paper not hidden", extra={"reason": str(error)})
