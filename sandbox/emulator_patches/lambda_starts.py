"""A function's process starts as fast as if it were alone, as on Lambda, where each has cores of its own.

MiniStack starts as many at once as there are invocations: on two cores eight all take four times as long, and
none works meanwhile. No longer needed once MiniStack starts no more at once than there are cores.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from ministack.core import lambda_runtime


def apply() -> None:
    """Start as many processes at once as there are cores."""
    spawn = lambda_runtime.Worker._spawn
    cores = threading.Semaphore(os.cpu_count() or 1)

    def spawn_in_turn(worker: Any) -> None:
        with cores:
            spawn(worker)

    lambda_runtime.Worker._spawn = spawn_in_turn
