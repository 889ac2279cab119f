"""What runs in the emulator's own process: MiniStack, with two things set right first.

Run as ``python -m sandbox.emulator_process``; :class:`sandbox.emulator.Emulator` does. Its settings are
environment variables. Where its standard input is a pipe, the end of that pipe means that the process that
started it has gone, and it ends with all function processes.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
from typing import Any

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

UNTYPED_ERROR = '"error": str(e), "trace"'
TYPED_ERROR = '"error": str(e), "error_type": type(e).__name__, "trace"'


def report_error_types() -> None:
    """Make a function's error carry the name of its exception class, as Lambda's does.

    MiniStack calls every exception of a Python handler ``Runtime.HandlerError``, so a workflow that retries
    one error by its name could never be tried on it.

    Raises
    ------
    RuntimeError
        When MiniStack's worker is not the one that this was written for.
    """
    if lambda_runtime._PYTHON_WORKER_SCRIPT.count(UNTYPED_ERROR) != 1:
        raise RuntimeError(
            f"the worker of this MiniStack reports errors in another way than expected ({UNTYPED_ERROR!r}): "
            "see whether it names the exception's class by now, and adapt or remove report_error_types"
        )
    lambda_runtime._PYTHON_WORKER_SCRIPT = lambda_runtime._PYTHON_WORKER_SCRIPT.replace(
        UNTYPED_ERROR, TYPED_ERROR
    )
    worker_invoke = lambda_runtime.Worker.invoke
    execute = lambda_svc._execute_function_warm
    reported = threading.local()

    def invoke_and_note_type(worker: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        response: dict[str, Any] = worker_invoke(worker, *args, **kwargs)
        reported.error_type = response.get("error_type")
        return response

    def execute_and_name_type(func: Any, event: Any, request_id: str) -> dict[str, Any]:
        reported.error_type = None
        result: dict[str, Any] = execute(func, event, request_id)
        if result.get("error") and reported.error_type:
            result["body"]["errorType"] = reported.error_type
        return result

    lambda_runtime.Worker.invoke = invoke_and_note_type
    lambda_svc._execute_function_warm = execute_and_name_type


def count_loopback_as_tls() -> None:
    """Let policies that deny requests without TLS pass: the emulator speaks plain HTTP, on loopback."""
    pin_request_origin = app.pin_request_origin

    def pin_as_tls(source_ip: str, secure_transport: bool) -> None:  # noqa: ARG001
        pin_request_origin(source_ip, True)

    app.pin_request_origin = pin_as_tls


def end_with_parent() -> None:
    """End this process and its whole group when the pipe that is its standard input is closed."""
    leads_its_group = os.getpgrp() == os.getpid()
    if not leads_its_group or not stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        return

    def wait_for_end() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait_for_end, name="end-with-parent", daemon=True).start()


if __name__ == "__main__":
    end_with_parent()
    report_error_types()
    count_loopback_as_tls()
    # Function processes inherit this environment, and must find their own package only.
    os.environ.pop("PYTHONPATH", None)
    app.main()
