"""A function's error carries the name of its exception class, and its process goes on, as on Lambda.

The workflow catches errors by the names of their classes. MiniStack ends a process whose handler raised an
exception, and each retry starts another one. Remove this module when MiniStack's own worker names the
exception's class and stays.
"""

from __future__ import annotations

import threading
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

UNTYPED_ERROR = '"status": "error", "error": str(e), "trace"'
TYPED_ERROR = '"status": "ok", "error": str(e), "error_type": type(e).__name__, "trace"'
"""With the status ``error``, MiniStack would end the process."""


def apply() -> None:
    """Report the class of a Python handler's exception, instead of MiniStack's ``Runtime.HandlerError``."""
    lambda_runtime._PYTHON_WORKER_SCRIPT = lambda_runtime._PYTHON_WORKER_SCRIPT.replace(
        UNTYPED_ERROR, TYPED_ERROR
    )
    worker_invoke = lambda_runtime.Worker.invoke
    execute = lambda_svc._execute_function_warm
    reported = threading.local()

    def invoke_and_note_type(worker: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        response: dict[str, Any] = worker_invoke(worker, *args, **kwargs)
        reported.error_type = response.get("error_type")
        if reported.error_type:
            response["status"] = "error"
        return response

    def execute_and_name_type(func: Any, event: Any, request_id: str) -> dict[str, Any]:
        reported.error_type = None
        result: dict[str, Any] = execute(func, event, request_id)
        if result.get("error") and reported.error_type:
            result["body"]["errorType"] = reported.error_type
        return result

    lambda_runtime.Worker.invoke = invoke_and_note_type
    lambda_svc._execute_function_warm = execute_and_name_type
