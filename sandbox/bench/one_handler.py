"""Measure one packaged handler in a separate process: ``python -S -I one_handler.py REQUEST``.

``REQUEST`` is JSON: ``paths`` for ``sys.path`` (byte code there is not used, because Lambda layers and
packages contain sources only), ``handler`` (``package.module.function``), ``environment``, ``event`` and
``calls`` (number of calls; 0: import only). The program prints JSON: CPU seconds and wait seconds of the
import and of each call, the first call's result, and peak memory in MB.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any


def _compile(paths: tuple[str, ...]) -> None:
    """Import modules under `paths` from their sources, even if byte code exists."""
    get_code = SourceFileLoader.get_code

    def compiled(loader: Any, name: str) -> CodeType | None:
        path = loader.get_filename(name)
        if not path.startswith(paths):
            return get_code(loader, name)
        code: CodeType = loader.source_to_code(loader.get_data(path), path)
        return code

    SourceFileLoader.get_code = compiled  # type: ignore[assignment]


def main() -> None:
    """Import the handler, call it with the event, and print the measurements."""
    request = json.loads(sys.argv[1])
    sys.path += request["paths"]
    _compile(tuple(request["paths"]))
    os.environ.update(request["environment"])
    answer, sys.stdout = sys.stdout, sys.stderr  # the handler's log goes to stderr
    package, _, function = request["handler"].rpartition(".")
    module, imported = _timed(lambda: importlib.import_module(package))
    handler = getattr(module, function)
    called = [_timed(lambda: handler(request["event"], _context())) for _ in range(request["calls"])]
    measured = {
        "import": imported,
        "calls": [spent for _, spent in called],
        "result": called[0][0] if called else None,
        "peak_mb": _peak_bytes() / 2**20,
    }
    print(json.dumps(measured), file=answer)


def _peak_bytes() -> int:
    """Return the peak memory of this process."""
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # On Linux, a process's ru_maxrss is at least its parent's value, so read the process's own peak.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 2**10


def _timed(act: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """Return the result of `act`, its CPU seconds and its waiting seconds."""
    clock, cpu = time.perf_counter(), time.process_time()
    result = act()
    used = time.process_time() - cpu
    return result, {"cpu": used, "waits": max(0.0, time.perf_counter() - clock - used)}


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
