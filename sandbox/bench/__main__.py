"""The benchmark, which measures one whole day on the emulator; ``make bench`` runs the benchmark."""

from __future__ import annotations

import argparse
import io
import json
import math
import shutil
import site as python_site
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import certifi
import pandas as pd
import pyarrow.parquet as pq

from get_financial_data.handler import LONGEST_COOL_DOWN_SECONDS, WAIT_OF_COOL_DOWN
from sandbox.bench.costs import DayCounts, months
from sandbox.bench.growth import Requests, measure_growth
from sandbox.bench.on_lambda import FULL_CORE_MB, RUNTIME_MB, SIZES_MB, Work
from sandbox.console import Console
from sandbox.day import Day, DayFailed
from sandbox.lake import Partitions, Table
from sandbox.local import LocalLake
from sandbox.site import Fault, SiteServer, make_assets

ROOT = Path(__file__).resolve().parents[2]
STATE_DIR = ROOT / ".local"
LATENCY_MS = 150.0
ONE_HANDLER = Path(__file__).parent / "one_handler.py"
RUNTIME = f"python3.{sys.version_info.minor}"

BATCH = 25
"""Assets per batch: the module's default."""
PAGE_BYTES = 6_000
"""Stored size of a page of the real site (four pages of July 2026, 5.6 to 6.2 kB each). Pages of the sample
site take a tenth of this size, because they are alike."""
COMPACTED_DAY = 20200103
"""A past day that gets copies of the day's SoR objects, as input for the compaction."""
HANDLERS_DAY_AGE = timedelta(days=14)
"""Age of the day on which single handlers are measured. The site's pages have the date of this older day, so
this day and the measured day accept the pages. The measured day's workflow does not compact objects of so old
a day."""
STAGE_1 = "check-and-delete-partitions"
REFUSED_DAY = 20200110
"""A past day on which the site refuses every asset."""
ROUNDS = 4
"""Rounds of an evening."""
VISIBILITY_SECONDS, DEFAULT_VISIBILITY_SECONDS = 150, 720
STAGE_3_GB = 0.5
"""Default memory of stage 3."""
LOOKS = 3
"""Number of times that the workflow enters ``Look`` on an evening without a round."""
IMPORTS = 5
"""Number of imports of each handler; the median counts."""
WARM_CALLS = 3
"""Number of further calls of a handler; the median counts."""

Call = tuple[str, dict[str, Any], int, list[tuple[int, int]]]
"""The measurement of a handler: the function's name without prefix (text after a comma tells two measurements
apart), the event, the number of warm calls, and what runs on an ordinary evening: for each purpose, the
numbers of process starts and of invocations."""


def main() -> int:
    """Run the benchmark, print its results and write them as JSON."""
    parser = argparse.ArgumentParser(prog="sandbox.bench", description=__doc__)
    parser.add_argument("--acoes", type=int, default=300, help="stocks of the sample site")
    parser.add_argument("--fiis", type=int, default=150, help="funds of the sample site")
    parser.add_argument("--days", type=int, default=0, help="also measure a lake with this number of days")
    options = parser.parse_args()
    console = Console()
    handlers_day = datetime.now(ZoneInfo("America/Sao_Paulo")) - HANDLERS_DAY_AGE
    assets = make_assets(int(f"{handlers_day:%Y%m%d}"), options.acoes, options.fiis)
    variables: dict[str, Any] = {
        "functions_timeout": 300,
        "visibility_timeout_seconds": VISIBILITY_SECONDS,
        # Use the module's defaults, because the example's values are meant for two cores and give fewer
        # processes.
        "batch_size": BATCH,
        "batch_window": 1,
        "max_concurrency": None,
        "fetch_threads": 1,
    }
    with SiteServer(assets, latency_ms=LATENCY_MS) as site:
        variables["fundamentus_base_url"] = site.base_url
        with LocalLake(STATE_DIR / "bench", variables, shared_dir=STATE_DIR) as local:
            measured = _measure(local, site, console)
            if options.days:
                measured["growth"] = measure_growth(local, options.days, console)
            measured["refused"] = _measure_refused(local, site, console)
            measured["functions"] = list(_functions(local, site, measured, console))
    measured["on_lambda"] = list(_on_lambda(measured["functions"]))
    measured["gb_seconds"] = sum(one["gb_seconds_a_day"] for one in measured["functions"])
    measured["refused"]["gb_seconds"] = _gb_seconds_refused(measured)
    # Assume that each asset has one page, as large as a page of the real site.
    measured["month"] = months(_counts({**measured, "pages_bytes": measured["assets"] * PAGE_BYTES}))
    measured["refused_month"] = months(_counts({**measured, **measured["refused"]}))
    output = STATE_DIR / "bench.json"
    output.write_text(json.dumps(measured, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _print(measured, console)
    console.say(f"\nWritten to {output}")
    return 0


def _print(measured: dict[str, Any], console: Console) -> None:
    """Print single values in one table, then a table for each list of rows and each nested value."""
    single = {name: value for name, value in measured.items() if not isinstance(value, dict | list)}
    several = {name: value for name, value in measured.items() if name not in single}
    for title, found in {"measured": single, **several}.items():
        if isinstance(found, list):
            table = pd.DataFrame(found)
        else:
            columns = found if all(isinstance(value, dict) for value in found.values()) else {"value": found}
            values = pd.json_normalize(list(columns.values()), sep=" ").set_axis(list(columns))
            table = values.astype(object).T.drop(index="stages", errors="ignore")  # objects keep integers
        console.say(f"\n{title}\n{table.to_string(float_format='{:.4g}'.format)}")


def _measure(local: LocalLake, site: SiteServer, console: Console) -> dict[str, Any]:
    """Run one day and return its measurements."""
    requests = Requests(local)
    asked_of_site = len(site.requests)
    day = local.day(console)
    day.start()
    before = day.wait()
    day.run_workflow()
    console.settle()
    after = day.snapshot()
    stages = [vars(report) for report in day.stage_reports()]
    mappings = local.emulator.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    places = {
        mapping["FunctionArn"].rsplit("-", 1)[1]: mapping["ScalingConfig"]["MaximumConcurrency"]
        for mapping in mappings
    }
    seconds = next(one["ended_after_seconds"] for one in stages if "specialize" in one["function"])
    pages = sum(1 for request in site.requests[asked_of_site:] if request.ticker)
    counts = requests.counts()
    floor = pages * site.latency_ms / 1000 / sum(places.values())
    partitions = [_partition(day, one, before.objects[one], after.objects[one]) for one in day.lake.tables]
    return {
        "day": day.number,
        "assets": len(site.assets),
        "pages": pages,
        "latency_ms": site.latency_ms,
        "places": places,
        "requests_in_flight_most": site.most_in_flight,
        "connections": site.connections,
        "seconds_to_last_spec_object": seconds,
        "floor_seconds": floor,
        "times_the_floor": seconds / floor,
        "stages": stages,
        "requests": counts,
        "requests_an_asset": {action: count / len(site.assets) for action, count in counts.items()},
        "partitions": partitions,
        "stored_bytes": sum(one["bytes_after"] for one in partitions),
        **_of_evening(local, day.number, stages),
    }


def _measure_refused(local: LocalLake, site: SiteServer, console: Console) -> dict[str, Any]:
    """Measure an evening with all its rounds while the site refuses every page."""
    requests = Requests(local)
    states = local.emulator.client("stepfunctions")
    for ticker in site.assets:
        site.set_fault(ticker, Fault("status", status=403))
    day = local.day(console)
    day.ask(REFUSED_DAY)
    day.wait()
    try:
        day.run_workflow(rounds=[0] * ROUNDS)
    except DayFailed as failed:
        if "DayNotGood" not in str(failed):
            raise
    console.settle()
    (execution,) = states.list_executions(
        stateMachineArn=local.terraform.outputs()["workflow_arn"], statusFilter="FAILED"
    )["executions"]
    history = states.get_paginator("get_execution_history").paginate(executionArn=execution["executionArn"])
    site.clear_faults()
    stages = [vars(report) for report in day.stage_reports()]
    return {
        "requests": requests.counts(),
        "stages": stages,
        "transitions": sum(
            event["type"].endswith("StateEntered") for page in history for event in page["events"]
        ),
        "stored_bytes": 0,
        "queries": 0,  # nobody queries an empty lake
        **_of_evening(local, REFUSED_DAY, stages),
    }


def _of_evening(local: LocalLake, day: int, stages: list[dict[str, Any]]) -> dict[str, int]:
    """Return an evening's number of invocations, and the bytes of its stored pages and its ledger."""
    s3 = local.emulator.client("s3")
    sizes = {}
    for part in ("pages", "ledger"):
        prefix = f"{part}/anomesdia_exec={day}/"
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=local.lake.work_bucket, Prefix=prefix)
        sizes[f"{part}_bytes"] = sum(item["Size"] for page in pages for item in page.get("Contents", ()))
    return {"invocations": sum(stage["invocations"] for stage in stages), **sizes}


def _partition(day: Day, one: Table, before: list[Any], after: list[Any]) -> dict[str, Any]:
    """Count the objects and bytes in a day's partition, and the bytes that a query of one column reads."""
    scanned = 0
    for stored in after:
        metadata = pq.read_metadata(io.BytesIO(day.partitions.body(one.bucket, stored.key)))
        column = metadata.schema.names.index("vlr_cot")
        groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
        scanned += metadata.serialized_size
        scanned += sum(group.column(column).total_compressed_size for group in groups)
    return {
        "table": one.name,
        "layer": one.layer,
        "rows": sum(stored.rows for stored in after),
        "objects_before": len(before),
        "bytes_before": sum(stored.size for stored in before),
        "objects_after": len(after),
        "bytes_after": sum(stored.size for stored in after),
        "bytes_of_one_column": scanned,
    }


def _functions(
    local: LocalLake, site: SiteServer, measured: dict[str, Any], console: Console
) -> Iterator[dict[str, Any]]:
    """Measure each packaged handler in a separate process."""
    built = STATE_DIR / "bench" / "packages"
    shutil.rmtree(built, ignore_errors=True)  # may be built from other sources
    subprocess.run(
        [sys.executable, ROOT / "lambda" / "build.py", "--output", built, "--runtime", RUNTIME],
        check=True,
        capture_output=True,
    )
    layer = next(built.glob("layer-*.zip"))
    shutil.unpack_archive(layer, built / "layer")
    # Load the public certificates, as a client on AWS does, and the emulator's certificate.
    certificates = built / "certificates.pem"
    certificates.write_text(
        Path(certifi.where()).read_text("utf-8") + local.emulator.ca_bundle.read_text("utf-8"), "utf-8"
    )
    _copy_day(local, measured["day"], console)
    names = {name.partition("-lambda-")[2]: name for name in local.lake.functions}
    for short, event, again, runs in _calls(local, site, measured):
        console.progress(f"measuring {short}")
        configuration = local.emulator.client("lambda").get_function_configuration(
            FunctionName=names[short.partition(",")[0]]
        )
        package = configuration["Handler"].partition(".")[0]
        archive = next(built.glob(f"{package}-*.zip"))
        shutil.unpack_archive(archive, built / package)
        request = {
            "paths": [str(built / package), str(built / "layer" / "python"), *python_site.getsitepackages()],
            "handler": configuration["Handler"],
            "environment": {
                **local.emulator.env(),
                "AWS_CA_BUNDLE": str(certificates),
                **configuration["Environment"]["Variables"],
                # In place of stage 2, which would start the day, stage 1 invokes a function that refuses the
                # event.
                "GET_TICKERS_FUNCTION_NAME": names["assess-day"],
            },
        }
        imports = [_one({**request, "calls": 0})["import"]["cpu"] for _ in range(IMPORTS)]
        called = _one({**request, "event": event, "calls": 1 + again})
        if short == STAGE_1 and called["result"]["objects_deleted"]:
            raise RuntimeError(f"stage 1 must find no data of the day, but found {called['result']}")
        first, *others = called["calls"]
        later = {name: statistics.median(one[name] for one in others or [first]) for name in first}
        work = Work(statistics.median(imports), *first.values(), *later.values())
        memory = configuration["MemorySize"]
        yield {
            "function": short,
            **vars(work),
            "peak_mb": called["peak_mb"] + RUNTIME_MB,
            "memory_mb": memory,
            "package_bytes": archive.stat().st_size,
            "layer_bytes": layer.stat().st_size,
            "gb_seconds_a_day": sum(work.gb_seconds(memory, *starts) for starts in runs),
        }
    console.settle()


def _calls(local: LocalLake, site: SiteServer, measured: dict[str, Any]) -> Iterator[Call]:
    """Yield the measurements; an event may name an object that an earlier measurement made."""
    partitions = Partitions(local.emulator.client("s3"))
    day = next(iter(site.assets.values())).day
    tickers = [asset.ticker for asset in site.assets.values() if asset.kind == "acoes"][:BATCH]
    messages = [
        {
            "messageId": str(position),
            "receiptHandle": str(position),
            "body": json.dumps({"ticker": ticker, "kind": "acoes", "anomesdia_exec": day}),
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:sa-east-1:000000000000:bench",
            "awsRegion": "sa-east-1",
        }
        for position, ticker in enumerate(tickers)
    ]

    def stored(layer: str) -> dict[str, Any]:
        one = local.lake.table(layer, "acoes")
        records = [
            {"s3": {"bucket": {"name": one.bucket}, "object": {"key": stored.key.replace("=", "%3D")}}}
            for stored in partitions.objects(one, day)
        ]
        return {"Records": records}

    places = measured["places"]
    kinds = Counter(asset.kind for asset in site.assets.values())
    batches = {kind: math.ceil(count / BATCH) for kind, count in kinds.items()}
    of_kinds = [(places[kind], batches[kind]) for kind in batches]
    of_both = [(sum(places.values()), sum(batches.values()))]
    of_day = {"anomesdia_exec": measured["day"]}
    compact = {"input": {"anomesdia_exec": COMPACTED_DAY}}
    scheduled = {"scheduled_at": datetime.now(timezone.utc).isoformat()}
    yield "get-financial-data-for-acoes", {"Records": messages}, WARM_CALLS, of_kinds
    yield "prep-financial-data-for-acoes", stored("sor"), WARM_CALLS, of_kinds
    yield "specialize-financial-data", stored("sot"), WARM_CALLS, of_both
    # The functions without warm calls run once per evening; a second call would find no work.
    yield "dedup-financial-data-for-acoes", compact, 0, [(1, 1), (1, 1)]
    yield "dedup-financial-data-for-spec-ativos", compact, 0, [(1, 1)]
    yield "assess-day", {"step": "look", "input": of_day}, WARM_CALLS, [(1, LOOKS + 1)]
    # For a day that is already in the lake, stage 1 loads awswrangler, which is slow.
    yield f"{STAGE_1}, day again", scheduled, 0, []
    yield STAGE_1, scheduled, 0, [(1, 1)]
    yield "get-tickers", of_day, 0, [(1, 1)]  # the last one, because stage 2 starts the day


def _copy_day(local: LocalLake, day: int, console: Console) -> None:
    """Copy a day's SoR objects to `COMPACTED_DAY`, and wait until the functions have written SoT and Spec."""
    s3 = local.emulator.client("s3")
    target = local.day(console)
    target.number = COMPACTED_DAY
    for table in local.lake.tables:
        for stored in target.partitions.objects(table, day) if table.layer == "sor" else ():
            key = stored.key.replace(str(day), str(COMPACTED_DAY))
            source = {"Bucket": table.bucket, "Key": stored.key}
            s3.copy_object(Bucket=table.bucket, Key=key, CopySource=source)
    target.wait()


def _one(request: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-S", "-I", ONE_HANDLER, json.dumps(request)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{request['handler']} failed in its separate process:\n{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _on_lambda(functions: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each function's times and GB-seconds on Lambda, for each size of its memory."""
    for one in functions:
        work = Work(*(one[name] for name in Work.__dataclass_fields__))
        for size in SIZES_MB:
            yield {
                "function": one["function"],
                "memory_mb": size,
                "start_seconds": work.start_seconds(size),
                "gb_seconds_of_start_and_first": work.gb_seconds(size, 1, 1),
                "gb_seconds_of_later": work.gb_seconds(size, 0, 1),
            }


def _gb_seconds_refused(measured: dict[str, Any]) -> float:
    """Return an upper limit of the GB-seconds for an evening on which the site refuses every page.

    The upper limit assumes that all the time measured on the emulator was CPU time. Rounds are an hour
    apart, so the upper limit also assumes that all processes start again in each round. A second of CPU time
    costs the same with any amount of memory. A batch waits if its process was refused before; the memory that
    is billed for a wait is the function's.
    """
    imports = {one["function"].partition("-for-")[0]: one["import_cpu"] for one in measured["functions"]}
    seconds, waits = 0.0, 0
    for stage in measured["refused"]["stages"]:
        name, _, kind = stage["function"].partition("-lambda-")[2].partition("-for-")
        at_once = measured["places"][kind] if name == "get-financial-data" else 1
        starts = min(stage["invocations"], at_once * (ROUNDS + 1))
        seconds += stage["seconds"] + starts * imports[name]
        waits += stage["invocations"] - starts if name == "get-financial-data" else 0
    seconds -= waits * VISIBILITY_SECONDS * WAIT_OF_COOL_DOWN
    waited = waits * min(DEFAULT_VISIBILITY_SECONDS, LONGEST_COOL_DOWN_SECONDS) * WAIT_OF_COOL_DOWN
    return seconds * FULL_CORE_MB / 1024 + waited * STAGE_3_GB


def _counts(evening: dict[str, Any]) -> DayCounts:
    return DayCounts(**{one.name: evening[one.name] for one in fields(DayCounts) if one.name in evening})


if __name__ == "__main__":
    sys.exit(main())
