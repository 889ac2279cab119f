"""Run packaged handlers with AWS's runtime interface client, and serve Lambda's runtime API to the client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

API = "/2018-06-01/runtime"
REQUEST_ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
TIMEOUT_SECONDS = 120

# Lambda's bootstrap program, with the given paths at the start of `sys.path`. At its end, the program writes
# the list of imported modules.
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


@contextmanager
def runtime_api(event: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Serve Lambda's runtime API with one event.

    Yield the address for ``AWS_LAMBDA_RUNTIME_API``, and a dictionary of the posted JSON bodies. The keys are
    the paths below `API`.
    """
    events, posted = [event], {}

    @Request.application
    def answer(request: Request) -> Response:
        if request.method == "POST":
            posted[request.path.removeprefix(f"{API}/")] = request.get_json()
            return Response("{}", 202, mimetype="application/json")
        if request.path != f"{API}/invocation/next" or not events:
            return Response("{}", 410, mimetype="application/json")  # makes the runtime interface client exit
        headers = {
            "Lambda-Runtime-Aws-Request-Id": REQUEST_ID,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + TIMEOUT_SECONDS) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:sa-east-1:123456789012:function:any",
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419",
        }
        return Response(json.dumps(events.pop()), headers=headers, mimetype="application/json")

    server = make_server("127.0.0.1", 0, answer, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.port}", posted
    finally:
        server.shutdown()
        server.server_close()


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
    with runtime_api(event) as (address, posted):
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
                "AWS_LAMBDA_RUNTIME_API": address,
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
        return Invocation(posted, said["standard_library"], said["path"], said["files"], done.stdout)
