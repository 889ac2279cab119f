"""A function's asynchronous invocations do not overlap, as on Lambda with a reserved concurrency of one.

MiniStack starts a new process for an invocation when all processes of the function are busy. On a machine
with few cores, a burst of S3 events would spend most CPU time on starting processes. Remove this module when
MiniStack limits the processes of a function and keeps further invocations in a queue.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar, copy_context
from typing import Any

from ministack.services import lambda_svc


def apply() -> None:
    """Run the asynchronous invocations of each function one after another."""
    execute, invoke = lambda_svc._execute_function, lambda_svc.invoke_async_with_retry
    asynchronous: ContextVar[bool] = ContextVar("asynchronous", default=False)
    turns: dict[str, threading.RLock] = {}

    def invoke_in_turn(func: Any, event: Any) -> None:
        context = copy_context()  # the thread that MiniStack starts inherits it
        context.run(asynchronous.set, True)
        context.run(invoke, func, event)

    def execute_in_turn(func: Any, event: Any) -> Any:
        if not asynchronous.get():
            return execute(func, event)
        # Use a reentrant lock: MiniStack may call this function again inside the first call.
        with turns.setdefault((func.get("config") or func)["FunctionArn"], threading.RLock()):
            return execute(func, event)

    lambda_svc.invoke_async_with_retry = invoke_in_turn
    lambda_svc._execute_function = execute_in_turn
