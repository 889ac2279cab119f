"""Write the report in a separate process, measure the process, and print the measurements as JSON."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import boto3

from report.__main__ import MOST_DAYS
from report.__main__ import main as report


def main() -> int:
    """Write the report for the given workgroup with all days, and print the measurements."""
    (workgroup,) = sys.argv[1:]
    session = boto3.Session()
    calls: Counter[str] = Counter()
    received: Counter[str] = Counter()

    def count(http_response: Any, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        name = f"{model.service_model.endpoint_prefix}:{model.name}"
        calls[name] += 1
        received[name] += parsed["ContentLength"] if name == "s3:GetObject" else len(http_response.content)

    session.events.register("after-call", count)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        page = Path(directory) / "report.html"
        status = report(
            ["--workgroup", workgroup, "--days", str(MOST_DAYS), "--out", str(page)], session=session
        )
        measured = {
            "calls": dict(sorted(calls.items())),
            "received_bytes": dict(sorted(received.items())),
            "page_bytes": page.stat().st_size,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "cpu_seconds": time.process_time(),
            "seconds": time.monotonic() - started,
        }
    print(json.dumps(measured))
    return status


if __name__ == "__main__":
    sys.exit(main())
