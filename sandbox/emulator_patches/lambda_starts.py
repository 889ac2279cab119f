"""As on Lambda, a function's process starts fast, even if many processes start at once.

For each new process, MiniStack unpacks the layers and the package again, and Python compiles them again.
Unpacking and compiling take most of the start time. MiniStack also starts the processes of all waiting
invocations at once, even on few cores. Remove this module when MiniStack itself unpacks each layer and
package only once, and starts at most one process per core at a time.
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
    """Unpack each layer and package only once, and start at most one process per core at a time."""
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
        # Put the code last: the worker inserts each directory at the front of `sys.path`, and Python must
        # search the code before the layers.
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
