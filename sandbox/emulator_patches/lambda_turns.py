"""Asynchronous invocations wait for each other, as they do on Lambda where concurrency is used up.

MiniStack starts a process for each one that finds the others at work: on a machine of a few cores a burst of
S3 events would then start processes and do little else. No longer needed once MiniStack lets invocations wait
where a function has as many processes as it may have.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Any

from ministack.services import lambda_svc

AT_ONCE = 2
"""Asynchronous invocations of one function that run at once; further ones wait for their turn."""


def apply() -> None:
    """Let asynchronous invocations of a function take turns."""
    execute, invoke = lambda_svc._execute_function, lambda_svc.invoke_async_with_retry
    asynchronous: ContextVar[bool] = ContextVar("asynchronous", default=False)
    turns: dict[str, threading.Semaphore] = {}

    def invoke_in_turn(func: Any, event: Any) -> None:
        token = asynchronous.set(True)  # the thread that MiniStack starts inherits it
        try:
            invoke(func, event)
        finally:
            asynchronous.reset(token)

    def execute_in_turn(func: Any, event: Any) -> Any:
        if not asynchronous.get():
            return execute(func, event)
        name = (func.get("config") or func)["FunctionArn"]
        with turns.setdefault(name, threading.Semaphore(AT_ONCE)):
            token = asynchronous.set(False)  # MiniStack may call this function once more on the way
            try:
                return execute(func, event)
            finally:
                asynchronous.reset(token)

    lambda_svc.invoke_async_with_retry = invoke_in_turn
    lambda_svc._execute_function = execute_in_turn
