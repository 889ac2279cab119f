"""A function's process starts as fast as it would alone, as on Lambda, where each process has its own cores.

MiniStack starts one process per invocation at the same time. On two cores, eight processes take four times as
long to start, and none works meanwhile. No longer needed once MiniStack starts at most one per core at once.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from ministack.core import lambda_runtime


def apply() -> None:
    """Start at most as many processes at once as there are cores."""
    spawn = lambda_runtime.Worker._spawn
    cores = threading.Semaphore(os.cpu_count() or 1)

    def spawn_in_turn(worker: Any) -> None:
        with cores:
            spawn(worker)

    lambda_runtime.Worker._spawn = spawn_in_turn
