"""As on Lambda, a function's process starts fast, even if many processes start at once.

MiniStack unpacks layers and package again for each process, and each process compiles them again; this takes
most of a process's start time. MiniStack also starts the processes of all waiting invocations at once; if
eight processes start on two cores, each start takes four times as long. Remove this module when MiniStack
itself starts at most one process per core at a time, and no longer unpacks ``code`` and ``layer_0`` into a
``ministack-lambda-*`` directory for each process.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import threading
import zipfile
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

EMPTY_ZIP = b"PK\5\6" + bytes(18)


def apply() -> None:
    """Start at most one process per core at a time, with layers and packages that are already unpacked."""
    spawn = lambda_runtime.Worker._spawn
    directories: dict[str, str] = {}
    unpacking, cores = threading.Lock(), threading.Semaphore(os.cpu_count() or 1)

    def unpacked(content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        with unpacking:
            if digest not in directories:
                directory = tempfile.mkdtemp(prefix="ministack-layer-")
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    archive.extractall(directory)
                directories[digest] = directory
        return directories[digest]

    def spawn_with_layers(worker: Any) -> None:
        config, code = worker.config, worker.code_zip
        # The worker inserts each directory at the front of `sys.path`, so Python searches the last one first.
        contents = [*map(lambda_svc._resolve_layer_zip, config.get("Layers", ())), code]
        variables = {
            **config.get("Environment", {}).get("Variables", {}),
            "_LAMBDA_LAYERS_DIRS": os.pathsep.join(unpacked(content) for content in contents if content),
        }
        worker.config = {**config, "Layers": [], "Environment": {"Variables": variables}}
        worker.code_zip = EMPTY_ZIP
        try:
            with cores:
                spawn(worker)
        finally:
            worker.config, worker.code_zip = config, code

    lambda_runtime.Worker._spawn = spawn_with_layers
