"""All function processes share one unpacked copy of a layer, as on Lambda under ``/opt``.

MiniStack unpacks a layer again for each process; this takes most of the time that a process needs to start.
Remove this module when MiniStack itself no longer unpacks a ``layer_0`` into each process's
``ministack-lambda-*`` directory.
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


def apply() -> None:
    """Start function processes with layers that are already unpacked."""
    spawn = lambda_runtime.Worker._spawn
    directories: dict[str, str] = {}
    unpacking = threading.Lock()

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
        config = worker.config
        contents = (lambda_svc._resolve_layer_zip(layer) for layer in config.get("Layers", ()))
        variables = {
            **config.get("Environment", {}).get("Variables", {}),
            "_LAMBDA_LAYERS_DIRS": os.pathsep.join(unpacked(content) for content in contents if content),
        }
        worker.config = {**config, "Layers": [], "Environment": {"Variables": variables}}
        try:
            spawn(worker)
        finally:
            worker.config = config

    lambda_runtime.Worker._spawn = spawn_with_layers
