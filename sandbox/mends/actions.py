"""A batch call to a queue needs the permission of the single call, as IAM has it.

MiniStack asks for ``sqs:SendMessageBatch``, an action that IAM does not have. No longer needed once stage 2
may send its batches on the emulator without this module.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions


def apply() -> None:
    """Ask a batch call to a queue for the permission of the single call."""
    extract = iam_actions.extract_iam_action

    def extract_single(*args: Any, **kwargs: Any) -> str | None:
        action: str | None = extract(*args, **kwargs)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    iam_actions.extract_iam_action = extract_single
