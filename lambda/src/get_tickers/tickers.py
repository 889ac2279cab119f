"""Sends ticker messages to the queues, in batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pynvest_lake.aws import attempts
from pynvest_lake.messages import TickerMessage

BATCH_SIZE = 10
ATTEMPTS = 6


class TickersNotSent(RuntimeError):
    """The queue rejected some tickers."""


def send_tickers(sqs: Any, queue_url: str, messages: Sequence[TickerMessage]) -> int:
    """Send messages, ten per call; retry the messages that a call reports as failed.

    Returns
    -------
    int
        The number of sent messages.

    Raises
    ------
    TickersNotSent
        The queue refused some messages on every attempt. All other messages were sent.
    """
    refused: dict[str, str] = {}
    for start in range(0, len(messages), BATCH_SIZE):
        refused |= _send_batch(sqs, queue_url, messages[start : start + BATCH_SIZE])
    if refused:
        raise TickersNotSent(f"{queue_url} did not take {len(refused)} of {len(messages)} tickers: {refused}")
    return len(messages)


def _send_batch(sqs: Any, queue_url: str, messages: Iterable[TickerMessage]) -> dict[str, str]:
    """Send a batch; return the tickers that the queue did not take, each with the queue's error."""
    waiting = {str(position): message for position, message in enumerate(messages)}
    refused: dict[str, str] = {}
    for _ in attempts(ATTEMPTS):
        entries = [{"Id": entry, "MessageBody": message.to_json()} for entry, message in waiting.items()]
        failed = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries).get("Failed", [])
        waiting = {failure["Id"]: waiting[failure["Id"]] for failure in failed}
        refused = {
            waiting[failure["Id"]].ticker: f"{failure['Code']}: {failure.get('Message')}"
            for failure in failed
        }
        if not waiting:
            break
    return refused
