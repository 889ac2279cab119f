"""One packaged handler in a process of its own: ``python -S -I one_handler.py REQUEST``.

``REQUEST`` is JSON: ``paths`` for ``sys.path``, ``handler`` (``package.module.function``), ``environment``
and ``event`` (null: import only). Prints JSON: seconds of the import and of the call, peak memory in MB and
the result.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from types import SimpleNamespace


def main() -> None:
    """Import the handler, call it with the event, and print what that took."""
    request = json.loads(sys.argv[1])
    sys.path += request["paths"]
    os.environ.update(request["environment"])
    answer, sys.stdout = sys.stdout, sys.stderr  # the handler's log
    started = time.perf_counter()
    module, _, function = request["handler"].rpartition(".")
    handler = getattr(importlib.import_module(module), function)
    imported = time.perf_counter()
    result = None
    if request["event"] is not None:
        result = handler(request["event"], _context())
    ended = time.perf_counter()
    # Bytes on macOS, kilobytes elsewhere.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    print(
        json.dumps(
            {
                "import_seconds": imported - started,
                "call_seconds": ended - imported,
                "peak_mb": peak,
                "result": result,
            }
        ),
        file=answer,
    )


def _context() -> SimpleNamespace:
    return SimpleNamespace(
        function_name="bench",
        memory_limit_in_mb=0,
        invoked_function_arn="arn:aws:lambda:sa-east-1:000000000000:function:bench",
        aws_request_id="bench",
        get_remaining_time_in_millis=lambda: 900_000,
    )


if __name__ == "__main__":
    main()
