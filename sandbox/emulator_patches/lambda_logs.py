"""As on Lambda, every line of a function's log reaches CloudWatch, even on a busy machine.

MiniStack waits only 50 ms for the first log line of an invocation. Remove this module once
a new version of MiniStack waits for all log lines of an invocation.
"""

from __future__ import annotations

from typing import Any

from ministack.core import lambda_runtime

FIRST_LINE_SECONDS = 1.0
"""How long to wait for the first log line of an invocation; each function of the lake writes a log."""


def apply() -> None:
    """Wait longer than 50 ms for a function's log lines, so that no line is lost on a busy machine."""
    drain = lambda_runtime.Worker._drain_stderr_bounded

    def drain_patiently(worker: Any) -> str:
        lines: str = drain(
            worker, first_line_wait=FIRST_LINE_SECONDS, idle_confirm=0.02, hard_cap=2 * FIRST_LINE_SECONDS
        )
        return lines

    lambda_runtime.Worker._drain_stderr_bounded = drain_patiently
