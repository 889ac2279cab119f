"""Each request needs the permission that IAM defines for it.

MiniStack checks ``sqs:SendMessageBatch``, an action that IAM does not have. MiniStack knows only some paths
of Lambda's API. For any other path, MiniStack checks a wrong action or no action. This module finds the
action of a Lambda request in botocore's model of Lambda. Remove this module when stage 2's batches and the
test of Lambda's actions succeed without it.
"""

from __future__ import annotations

import functools
import re
from typing import Any

import botocore.session
from ministack.core import iam_actions

OTHER_NAMES = {"Invoke": "InvokeFunction"}
"""Actions whose name differs from the name of their operation."""


def apply() -> None:
    """Correct the IAM action that MiniStack checks for an SQS batch and for a request to Lambda."""
    extract = iam_actions.extract_iam_action

    def extract_known(service: str, method: str, path: str, *request: Any, **named: Any) -> str | None:
        if service == "lambda" and (action := of_lambda(method, path)):
            return f"lambda:{action}"
        found: str | None = extract(service, method, path, *request, **named)
        return found.removesuffix("Batch") if found and found.startswith("sqs:") else found

    iam_actions.extract_iam_action = extract_known


def of_lambda(method: str, path: str) -> str | None:
    """Return the action of a request to Lambda; None if no operation of Lambda has this method and path."""
    for of_method, pattern, operation in _operations():
        if method == of_method and pattern.fullmatch(path.rstrip("/")):
            return OTHER_NAMES.get(operation, operation)
    return None


@functools.cache
def _operations() -> list[tuple[str, re.Pattern[str], str]]:
    model = botocore.session.get_session().get_service_model("lambda")
    described = ((name, model.operation_model(name).http) for name in model.operation_names)
    return [
        (
            http["method"],
            re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(http["requestUri"].rstrip("/")))),
            name,
        )
        for name, http in described
        if "?" not in http["requestUri"]
    ]
