"""A request needs the permission that IAM has for it.

MiniStack asks for ``sqs:SendMessageBatch``, an action that IAM does not have, for nothing where an event
source mapping or a version of a layer is changed or deleted, and for the action of a list where one is read.
No longer needed once stage 2 may send its batches, and the test of the deployers' policies passes, without
this module.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions

VERBS = {"GET": "Get", "PUT": "Update", "DELETE": "Delete"}


def apply() -> None:
    """Ask a batch call to a queue for the permission of the single call, and Lambda's calls for theirs."""
    extract = iam_actions.extract_iam_action

    def extract_known(service: str, method: str, path: str, *request: Any, **named: Any) -> str | None:
        if service == "lambda" and (action := of_lambda(method, path)):
            return f"lambda:{action}"
        found: str | None = extract(service, method, path, *request, **named)
        return found.removesuffix("Batch") if found and found.startswith("sqs:") else found

    iam_actions.extract_iam_action = extract_known


def of_lambda(method: str, path: str) -> str | None:
    """Return the action of a request that is about one mapping or one version of a layer."""
    parts = path.strip("/").split("/")
    if method in VERBS and parts[1:2] == ["event-source-mappings"] and len(parts) == 3:
        return f"{VERBS[method]}EventSourceMapping"
    if method in VERBS and parts[1:2] == ["layers"] and len(parts) == 5:
        return f"{VERBS[method]}LayerVersion"
    return None
