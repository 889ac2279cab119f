"""The benchmark: ``make bench`` measures one whole day on the emulator. It needs Linux."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from b3.days import day_at
from pynvest_lake.aws import list_objects
from sandbox.bench.costs import DayCounts, months
from sandbox.console import Console
from sandbox.local import LocalLake
from sandbox.site import SiteServer, make_assets

STATE_DIR = Path(__file__).resolve().parents[2] / ".local"
LATENCY_MS = 150.0
PAGE_BYTES = 6_000
"""Stored size of a page of the real site (four pages of July 2026, 5.6 to 6.2 kB each). Pages of the sample
site take a tenth of this size, because they are alike."""
FULL_CORE_MB = 1769
"""Memory with which a function gets a whole core (Lambda's developer guide, "Configure Lambda function
memory"). With less memory, it gets a share of a core, so a second of CPU time costs the same."""
STAGE_3_GB = 0.5
"""Default memory of stage 3, which waits for the pages."""


def main() -> int:
    """Run the benchmark, print its results and write them as JSON."""
    parser = argparse.ArgumentParser(prog="sandbox.bench", description=__doc__)
    parser.add_argument("--acoes", type=int, default=300, help="stocks of the sample site")
    parser.add_argument("--fiis", type=int, default=150, help="funds of the sample site")
    options = parser.parse_args()
    today = day_at(datetime.now(timezone.utc))
    variables: dict[str, Any] = {
        "functions_timeout": 300,
        "visibility_timeout_seconds": 150,
        # Use the module's defaults: the example's values allow fewer processes. The batch window differs from
        # the default, but the emulator ignores the batch window.
        "batch_size": 25,
        "batch_window": 1,
        "max_concurrency": None,
        "fetch_threads": 1,
    }
    assets = make_assets(today, options.acoes, options.fiis)
    with SiteServer(assets, latency_ms=LATENCY_MS) as site:
        variables["fundamentus_base_url"] = site.base_url
        with LocalLake(STATE_DIR / "bench", variables, shared_dir=STATE_DIR) as local:
            measured = _measure(local, site)
    result = json.dumps(measured, indent=2, ensure_ascii=False)
    output = STATE_DIR / "bench.json"
    output.write_text(f"{result}\n", encoding="utf-8")
    print(f"{result}\nWritten to {output}")
    return 0


def _measure(local: LocalLake, site: SiteServer) -> dict[str, Any]:
    console = Console()
    day = local.day(console)
    day.start()
    day.wait()
    before = [_sizes(local, table.bucket, table.prefix(day.number)) for table in day.lake.tables]
    day.run_workflow()
    console.settle()
    after = [_sizes(local, table.bucket, table.prefix(day.number)) for table in day.lake.tables]
    processes = list(_processes(local))
    stages = [
        {
            **vars(report),
            "processes": len(found := [one for one in processes if one["function"] == report.function]),
            "cpu_seconds": sum(one["cpu_seconds"] for one in found),
            "peak_mb": max(one["peak_mb"] for one in found),
        }
        for report in day.stage_reports()
    ]
    mappings = local.emulator.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    places = sum(mapping["ScalingConfig"]["MaximumConcurrency"] for mapping in mappings)
    waits = sum(1 for request in site.requests if request.ticker) * LATENCY_MS / 1000
    seconds = next(one["ended_after_seconds"] for one in stages if "specialize" in one["function"])
    partitions = [
        {
            "table": table.name,
            "objects_before": len(sizes),
            "bytes_before": sum(sizes),
            "objects_after": len(later),
            "bytes_after": sum(later),
        }
        for table, sizes, later in zip(day.lake.tables, before, after, strict=True)
    ]
    counts = DayCounts(
        requests=_requests(local),
        invocations=sum(one["invocations"] for one in stages),
        gb_seconds=sum(one["cpu_seconds"] for one in stages) * FULL_CORE_MB / 1024 + waits * STAGE_3_GB,
        stored_bytes=sum(map(sum, after)),
        pages_bytes=len(site.assets) * PAGE_BYTES,
        ledger_bytes=sum(_sizes(local, local.lake.work_bucket, f"ledger/anomesdia_exec={day.number}/")),
    )
    return {
        "assets": len(site.assets),
        "seconds_to_last_spec_object": seconds,
        "floor_seconds": waits / places,
        "stages": stages,
        "partitions": partitions,
        **vars(counts),
        "month": months(counts),
    }


def _processes(local: LocalLake) -> Iterator[dict[str, Any]]:
    """Yield the function's name, the CPU seconds and the peak memory (MB) of each Lambda process."""
    for status in Path("/proc").glob("[0-9]*/status"):
        process = status.parent
        if int(process.name) == local.emulator.pid or os.getpgid(int(process.name)) != local.emulator.pid:
            continue
        environment = dict(line.split("=", 1) for line in (process / "environ").read_text().split("\0")[:-1])
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        ticks = (process / "stat").read_text().rpartition(")")[2].split()[11:13]  # in user and kernel mode
        yield {
            "function": environment["AWS_LAMBDA_FUNCTION_NAME"],
            "cpu_seconds": sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"),
            "peak_mb": int(peak.split()[1]) / 1024,
        }


def _requests(local: LocalLake) -> dict[str, int]:
    """Count the functions' requests by ``service:action``; omit requests to CloudWatch Logs and Lambda."""
    notes = map(json.loads, local.emulator.authorization_log.read_text(encoding="utf-8").splitlines())
    actions = Counter(note["action"] for note in notes if "-lambda-" in note["principal"])
    return {name: actions[name] for name in sorted(actions) if not name.startswith(("logs:", "lambda:"))}


def _sizes(local: LocalLake, bucket: str, prefix: str) -> list[int]:
    return [item["Size"] for item in list_objects(local.emulator.client("s3"), bucket, prefix)]


if __name__ == "__main__":
    sys.exit(main())
