"""``sqs:StartMessageMoveTask`` moves dead letters back to the queue that they came from.

No longer needed once MiniStack knows the call: `apply` then refuses to start.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.services import sqs


def apply() -> None:
    """Answer ``sqs:StartMessageMoveTask``.

    Raises
    ------
    RuntimeError
        When MiniStack answers it itself.
    """
    if "StartMessageMoveTask" in sqs._HANDLERS:
        raise RuntimeError("this MiniStack moves dead letters itself: remove sandbox.mends.sqs_redrive")

    def move(request: dict[str, Any], _: str) -> dict[str, str]:
        source = request["SourceArn"]
        urls = [
            url
            for url, queue in sqs._queues.items()
            if json.loads(queue["attributes"].get("RedrivePolicy", "{}")).get("deadLetterTargetArn") == source
        ]
        if len(urls) != 1:
            raise sqs._Err("ResourceNotFoundException", f"{source} is the dead-letter queue of {urls}")
        dead = sqs._get_q(source.rsplit(":", 1)[1])
        while dead["messages"]:
            sqs._act_send_message({"QueueUrl": urls[0], "MessageBody": dead["messages"][0]["body"]}, urls[0])
            dead["messages"].pop(0)
        return {"TaskHandle": source}

    sqs._HANDLERS["StartMessageMoveTask"] = move
