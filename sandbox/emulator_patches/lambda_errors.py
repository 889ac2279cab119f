"""As on Lambda, a function's error names the class of the exception, and the process keeps running.

The workflow catches errors by the names of their classes. If a handler raises an exception, MiniStack ends
the process, so each retry starts a new process. Remove this module when MiniStack's own worker names the
exception's class and keeps running.
"""

from __future__ import annotations

from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

UNTYPED_ERROR = '"status": "error", "error": str(e), "trace": traceback.format_exc()'
TYPED_ERROR = (
    '"status": "ok", "result": '
    '{"errorType": type(e).__name__, "errorMessage": str(e), "stackTrace": traceback.format_exc()}'
)
"""With the status ``error``, MiniStack would end the process."""


def apply() -> None:
    """Report the class of a Python handler's exception, instead of MiniStack's ``Runtime.HandlerError``."""
    lambda_runtime._PYTHON_WORKER_SCRIPT = lambda_runtime._PYTHON_WORKER_SCRIPT.replace(
        UNTYPED_ERROR, TYPED_ERROR
    )
    execute = lambda_svc._execute_function_warm

    def execute_and_fail(func: Any, event: Any, request_id: str) -> dict[str, Any]:
        result: dict[str, Any] = execute(func, event, request_id)
        if isinstance(result["body"], dict) and (trace := result["body"].pop("stackTrace", None)):
            result.update(error=True, log=f"{result['log']}\n{trace}")
        return result

    lambda_svc._execute_function_warm = execute_and_fail
