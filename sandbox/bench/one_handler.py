"""Measure one packaged handler in a separate process: ``python -S -I one_handler.py REQUEST``.

``REQUEST`` is JSON: ``paths`` for ``sys.path``, ``byte_code`` (whether to use existing byte code: Lambda
layers and packages contain sources only), ``handler`` (``package.module.function``), ``environment``,
``event`` (null: import only) and ``again`` (number of further, warm calls). The program prints JSON: CPU
seconds and wait seconds of the import and of each call, peak memory in MB, and the result.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.abc import PathEntryFinder
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any


class _SourceOnly(SourceFileLoader):
    """Loader that compiles a module on each import."""

    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _source_only(paths: list[str]) -> Callable[[str], PathEntryFinder]:
    """Return a path hook that imports modules under `paths` from source and ignores existing byte code."""
    hook = FileFinder.path_hook((ExtensionFileLoader, EXTENSION_SUFFIXES), (_SourceOnly, SOURCE_SUFFIXES))

    def of_entry(entry: str) -> PathEntryFinder:
        if not entry.startswith(tuple(paths)):
            raise ImportError
        return hook(entry)

    return of_entry


def main() -> None:
    """Import the handler, call it with the event, and print the measurements."""
    request = json.loads(sys.argv[1])
    sys.path += request["paths"]
    if not request["byte_code"]:
        sys.path_hooks.insert(0, _source_only(request["paths"]))
    os.environ.update(request["environment"])
    answer, sys.stdout = sys.stdout, sys.stderr  # the handler's log goes to stderr
    answered: dict[str, Any] = {}
    with _timed(answered, "import"):
        module, _, function = request["handler"].rpartition(".")
        handler = getattr(importlib.import_module(module), function)
    if request["event"] is not None:
        with _timed(answered, "first"):
            answered["result"] = handler(request["event"], _context())
        for number in range(request["again"]):
            with _timed(answered, f"later {number}"):
                handler(request["event"], _context())
    print(json.dumps({**answered, "peak_mb": _peak_bytes() / 2**20}), file=answer)


def _peak_bytes() -> int:
    """Return the peak memory of this process."""
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # On Linux, a process's ru_maxrss is at least its parent's value, so read the process's own peak.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 2**10


@contextmanager
def _timed(answered: dict[str, Any], name: str) -> Iterator[None]:
    """Record under `name` the block's seconds of CPU time and of waiting."""
    clock, cpu = time.perf_counter(), time.process_time()
    yield
    used = time.process_time() - cpu
    answered[name] = {"cpu": used, "waits": max(0.0, time.perf_counter() - clock - used)}


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
