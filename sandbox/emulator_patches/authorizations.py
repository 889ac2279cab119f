"""Each request that a role makes is logged, with the decision to allow or deny it, as in CloudTrail.

The benchmark and the tests of least privilege read the log. Remove this module when MiniStack itself logs
requests with their decisions.
"""

from __future__ import annotations

import json
import os
import threading
from typing import Any

from ministack.core import iam_evaluator


def apply() -> None:
    """Write one line of JSON into ``AUTHORIZATION_LOG`` for each request that a role makes.

    The logged decision ignores the policies of buckets and queues.
    """
    path = os.environ.pop("AUTHORIZATION_LOG")
    evaluate, enforce = iam_evaluator.evaluate, iam_evaluator.enforce
    checking = threading.local()  # `real` is true during a real request, not a simulation

    def enforce_and_note(*args: Any, **kwargs: Any) -> Any:
        checking.real = True
        try:
            return enforce(*args, **kwargs)
        finally:
            checking.real = False

    def evaluate_and_note(request: Any, *policies: Any) -> Any:
        result = evaluate(request, *policies)
        if not getattr(checking, "real", False):
            return result
        checking.real = False  # only a request's first check uses the role's policies
        note = {
            "principal": request.principal_arn,
            "action": request.action,
            "resource": request.resource_arn,
            "prefix": request.service_context.get("s3:prefix"),
            "decision": result.decision,
        }
        with open(path, "a", encoding="utf-8") as log:  # noqa: PTH123 - one write, whole lines
            log.write(json.dumps(note) + "\n")
        return result

    iam_evaluator.evaluate = evaluate_and_note
    iam_evaluator.enforce = enforce_and_note
