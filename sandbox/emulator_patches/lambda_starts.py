"""As on Lambda, a starting process does not slow down other processes; Lambda's processes share no cores.

MiniStack starts the processes of all waiting invocations at once. If eight processes start at once on two
cores, each start takes four times as long, and no process handles an invocation in this time. Remove this
module when MiniStack starts at most one process per core at a time.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from ministack.core import lambda_runtime


def apply() -> None:
    """Start at most one function process per core at a time."""
    spawn = lambda_runtime.Worker._spawn
    cores = threading.Semaphore(os.cpu_count() or 1)

    def spawn_in_turn(worker: Any) -> None:
        with cores:
            spawn(worker)

    lambda_runtime.Worker._spawn = spawn_in_turn
