"""An invocation can get more than ten messages, up to the batch size of its mapping.

MiniStack gives an invocation the messages of one `ReceiveMessage` call, but Lambda's poller collects the
messages of several calls.
Remove this module when a mapping with a batch size of 25 on a queue of 25 messages starts one invocation.
(Neither MiniStack nor this module supports a batch window: messages are sent at once.)
"""

from __future__ import annotations

from typing import Any

from ministack.services import sqs

MESSAGES_A_CALL = 10


def apply() -> None:
    """Receive messages until the batch is full or the queue is empty."""
    receive = sqs._receive_messages_for_esm

    def gather(queue_url: str, max_number: int) -> list[dict[str, Any]]:
        batch: list[dict[str, Any]] = []
        while len(batch) < max_number:
            received = receive(queue_url, min(MESSAGES_A_CALL, max_number - len(batch)))
            batch += received
            if len(received) < MESSAGES_A_CALL:
                break
        return batch

    sqs._receive_messages_for_esm = gather
