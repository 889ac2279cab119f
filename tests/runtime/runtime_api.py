"""Lambda's runtime API, with which AWS's runtime interface client runs a packaged handler."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

API = "/2018-06-01/runtime"
REQUEST_ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
TIMEOUT_SECONDS = 120

# This program works like Lambda's bootstrap, but puts the given paths before the standard library in
# `sys.path`. At the end, the program writes the list of imported modules.
BOOTSTRAP = """
import sys
standard_library = list(sys.path)
sys.path[:0] = {paths!r}
from awslambdaric.__main__ import main
try:
    main(["bootstrap", {handler!r}])
finally:
    import json
    files = {{name: getattr(module, "__file__", None) for name, module in sys.modules.items()}}
    with open({found!r}, "w") as found:
        json.dump({{"standard_library": standard_library, "path": sys.path, "files": files}}, found)
"""


class RuntimeApi(ThreadingHTTPServer):
    """Lambda's runtime API for one function: it serves one event and receives the handler's answer.

    ``posted`` has the parsed JSON data of each POST; the keys are the paths below the API's path.
    """

    daemon_threads = True

    def __init__(self, event: Mapping[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.event = event
        self.was_handed_out = False
        self.posted: dict[str, Any] = {}

    def __enter__(self) -> RuntimeApi:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def address(self) -> str:
        """Host and port, in the form of ``AWS_LAMBDA_RUNTIME_API``."""
        return f"127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: RuntimeApi

    def do_GET(self) -> None:
        # There is only one event; if the runtime interface client asks again, status 410 makes it exit.
        if self.path != f"{API}/invocation/next" or self.server.was_handed_out:
            self._answer(410, {"errorMessage": "no event is left", "errorType": "Gone"})
            return
        self.server.was_handed_out = True
        self._answer(
            200,
            self.server.event,
            {
                "Lambda-Runtime-Aws-Request-Id": REQUEST_ID,
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + TIMEOUT_SECONDS) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:sa-east-1:123456789012:function:any",
                "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419",
            },
        )

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted[self.path.removeprefix(f"{API}/")] = json.loads(body)
        self._answer(202, {"status": "OK"})

    def _answer(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
        pass


@dataclass(frozen=True)
class Invocation:
    """The result of an event."""

    posted: Mapping[str, Any]
    standard_library: Sequence[str]
    path: Sequence[str]
    """The value of `sys.path` after the event."""
    files: Mapping[str, str | None]
    """File of each imported module, by module name; None for a built-in module."""
    output: str

    @property
    def result(self) -> Any:
        """Return the handler's return value, or raise an error if the handler failed or was not called."""
        assert list(self.posted) == [f"invocation/{REQUEST_ID}/response"], f"{self.posted}\n{self.output}"
        return self.posted[f"invocation/{REQUEST_ID}/response"]


def invoke(
    handler: str, paths: Sequence[Path], environment: Mapping[str, str], event: Mapping[str, Any], found: Path
) -> Invocation:
    """Let the runtime interface client pass an event to a handler.

    The handler can import only from `paths` and the standard library. The process writes the list of imported
    modules into the file `found`.
    """
    with RuntimeApi(event) as api:
        bootstrap = BOOTSTRAP.format(paths=[str(path) for path in paths], handler=handler, found=str(found))
        # -S makes Python ignore site-packages; -I makes it ignore PYTHON* variables and the current folder.
        done = subprocess.run(
            [sys.executable, "-S", "-I", "-c", bootstrap],
            cwd=paths[0],
            env={
                "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                "AWS_LAMBDA_FUNCTION_NAME": "any",
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
                "AWS_LAMBDA_RUNTIME_API": api.address,
                "LAMBDA_TASK_ROOT": str(paths[0]),
                "PATH": os.defpath,
                "TZ": ":UTC",
                "_HANDLER": handler,
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        said: dict[str, Any] = json.loads(found.read_text())
        return Invocation(api.posted, said["standard_library"], said["path"], said["files"], done.stdout)
