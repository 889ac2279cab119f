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

from fundamentus_site.kinds import Kind as SiteKind
from fundamentus_site.papers import Labels
from fundamentus_site.site import FundamentusSite
from get_financial_data.collect import Breaker, Collected, collect
from get_financial_data.settings import Settings
from pynvest_lake.aws import client
from pynvest_lake.catalog import register_partition
from pynvest_lake.contract import table_schema
from pynvest_lake.kinds import Kind
from pynvest_lake.messages import MalformedMessage, TickerMessage
from pynvest_lake.outcomes import Outcome
from pynvest_lake.settings import read_settings
from pynvest_lake.storage import LakeTable, object_id, write

logger = Logger()

# Kept of an invocation's time for the object, the partition and the answer.
RESERVE_SECONDS = 20.0
# SQS takes 12 hours, and counts them from when the batch was received.
_LONGEST_VISIBILITY_SECONDS = 11 * 3600
_LONGEST_COOL_DOWN_SECONDS = 60.0

# Outcomes of which the result names paper and reason.
_TOLD = (Outcome.LATER_SESSION, Outcome.LAYOUT, Outcome.FAILED, Outcome.REFUSED)

Row = dict[str, "str | None"]


@cache
def _breaker(cool_down_seconds: float) -> Breaker:
    return Breaker(cool_down_seconds)


@cache
def _site(
    base_url: str,
    kind: Kind,
    table: str,
    headers: tuple[tuple[str, str], ...],
    connections: int,
    timeout_seconds: float,
) -> FundamentusSite:
    schema = table_schema(table)
    return FundamentusSite(
        base_url,
        labels={SiteKind(kind.value): Labels(schema.labels, schema.core_labels)},
        headers=dict(headers),
        max_connections=connections,
        timeout_seconds=timeout_seconds,
    )


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Read the papers of a batch of messages and write their rows as one object a day.

    Returns
    -------
    dict
        ``batchItemFailures`` as the queue expects it; ``rows``, how many papers were read; for every other
        outcome the papers, and why; labels without a column and core labels that were lacking, each with the
        number of papers and one of them.
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
        _site(
            settings.fundamentus_base_url,
            kind,
            settings.target_table.table,
            tuple(sorted(settings.fetch_headers.items())),
            threads,
            settings.fetch_timeout_seconds,
        ),
        # Over before what is handed back comes again, or it would run out of attempts without one.
        _breaker(min(_LONGEST_COOL_DOWN_SECONDS, settings.sqs_visibility_timeout_seconds / 2)),
        threads=threads,
        not_after=not_after,
    )
    _write(collected, settings.target_table, kind)
    _hide_refused(event, messages, collected, settings)

    def outcome(record: SQSRecord) -> None:
        message = messages[record.message_id]
        if isinstance(message, MalformedMessage):
            raise message
        paper = collected[message]
        if paper.comes_again and paper.error is not None:
            raise paper.error

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    answer: dict[str, Any] = dict(
        process_partial_response(event=event, record_handler=outcome, processor=processor, context=context)
    )
    malformed = [str(message) for message in messages.values() if isinstance(message, MalformedMessage)]
    result = _result(collected) | {"malformed": malformed}
    quiet = {"rows", Outcome.NO_SUCH_PAPER.value}
    log = logger.warning if any(value for name, value in result.items() if name not in quiet) else logger.info
    log("batch read", extra=result)
    return answer | result


def _result(collected: dict[TickerMessage, Collected]) -> dict[str, Any]:
    """Return what became of the papers, and what of their pages has no column or was lacking."""
    result: dict[str, Any] = {
        "rows": sum(paper.outcome is Outcome.READ for paper in collected.values()),
        Outcome.NO_SUCH_PAPER.value: sorted(
            message.ticker for message, paper in collected.items() if paper.outcome is Outcome.NO_SUCH_PAPER
        ),
    }
    for outcome in _TOLD:
        result[outcome.value] = {
            message.ticker: paper.reason for message, paper in collected.items() if paper.outcome is outcome
        }
    readings = {message.ticker: paper.reading for message, paper in collected.items() if paper.reading}
    result["unknown_labels"] = _counted({ticker: read.unknown_labels for ticker, read in readings.items()})
    result["lacking_core_labels"] = _counted({ticker: read.lacking_core for ticker, read in readings.items()})
    return result


def _counted(labels_of: dict[str, tuple[str, ...]]) -> dict[str, dict[str, Any]]:
    """Return for each label how many papers it is a matter of, and one of them."""
    counted: dict[str, dict[str, Any]] = {}
    for ticker in sorted(labels_of):
        for label in labels_of[ticker]:
            counted.setdefault(label, {"papers": 0, "example": ticker})["papers"] += 1
    return counted


def _messages(event: dict[str, Any], kind: Kind) -> dict[str, TickerMessage | MalformedMessage]:
    """Read the messages of a batch, by message id; one that cannot be read stands as its error."""
    messages: dict[str, TickerMessage | MalformedMessage] = {}
    for record in SQSEvent(event).records:
        try:
            messages[record.message_id] = TickerMessage.from_json(record.body, kind)
        except MalformedMessage as error:
            messages[record.message_id] = error
    return messages


def _write(collected: dict[TickerMessage, Collected], target: LakeTable, kind: Kind) -> None:
    """Write the rows, one object a day, and make its partition known."""
    rows_of_day: defaultdict[int, dict[str, Row]] = defaultdict(dict)
    for message, paper in collected.items():
        if paper.reading:
            rows_of_day[message.day][message.ticker] = paper.reading.row
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
    collected: dict[TickerMessage, Collected],
    settings: Settings,
) -> None:
    """Let a refused paper come back apart from its batch, lest it hold up the others again.

    Where the queue does not do that, the paper comes back with the others.
    """
    seconds = min(2 * settings.sqs_visibility_timeout_seconds, _LONGEST_VISIBILITY_SECONDS)
    for record in SQSEvent(event).records:
        message = messages[record.message_id]
        if isinstance(message, MalformedMessage):
            continue
        if collected[message].outcome is Outcome.REFUSED and collected[message].asked:
            try:
                client("sqs").change_message_visibility(
                    QueueUrl=settings.tickers_queue_url,
                    ReceiptHandle=record.receipt_handle,
                    VisibilityTimeout=seconds,
                )
            except ClientError as error:
                logger.warning("refused paper not hidden", extra={"reason": str(error)})
