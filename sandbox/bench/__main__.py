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
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import certifi
import pyarrow.parquet as pq

from sandbox.bench.costs import (
    ASSETS_A_DAY,
    DAYS_A_MONTH,
    QUERIES_A_DAY,
    STANDING,
    TRANSITIONS_A_DAY,
    DayCounts,
    beyond_free_tier,
    month,
    prices,
)
from sandbox.bench.growth import functions_requests, measure_growth
from sandbox.bench.on_lambda import FULL_CORE_MB, RUNTIME_MB, Work
from sandbox.bench.results import ROUNDS, report
from sandbox.console import Console
from sandbox.day import Day
from sandbox.lake import Partitions, Table
from sandbox.local import LocalLake
from sandbox.site import Fault, SiteServer, make_assets

ROOT = Path(__file__).resolve().parents[2]
STATE_DIR = ROOT / ".local"
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
AGAIN = f"{STAGE_1}, day again"
"""Stage 1 for a day that is already in the lake; stage 1 then loads awswrangler, which is slow."""
REFUSED_DAY = 20200110
"""A past day on which the site refuses every asset."""
ONCE = (
    AGAIN,
    STAGE_1,
    "get-tickers",
    "dedup-financial-data-for-acoes",
    "dedup-financial-data-for-spec-ativos",
)
"""Functions that run once per evening; a second call would find no work."""
LOOKS = 3
"""Number of times that the workflow enters ``Look`` on an evening without a round."""
PATIENCE_SECONDS = 300
IMPORTS = 5
"""Number of imports of each handler; the median counts."""
WARM_CALLS = 3
"""Number of further calls of a handler; the median counts."""


def main() -> int:
    """Run the benchmark, print its results and write them as JSON."""
    options = _parser().parse_args()
    console = Console()
    handlers_day = datetime.now(ZoneInfo("America/Sao_Paulo")) - HANDLERS_DAY_AGE
    assets = make_assets(int(f"{handlers_day:%Y%m%d}"), options.acoes, options.fiis)
    variables: dict[str, Any] = {
        "functions_timeout": 300,
        "visibility_timeout_seconds": 150,
        # Use the module's defaults, because the example's values are for two cores and start fewer processes.
        "batch_size": BATCH,
        "batch_window": 1,
        "max_concurrency": None,
        "fetch_threads": 1,
    }
    with SiteServer(assets, latency_ms=options.latency_ms) as site:
        variables["fundamentus_base_url"] = site.base_url
        with LocalLake(STATE_DIR / "bench", variables, shared_dir=STATE_DIR) as local:
            measured = _measure(local, site, console)
            if options.days:
                measured["growth"] = measure_growth(local, options.days, console)
            measured["refused"] = _measure_refused(local, site, console)
            measured["functions"] = list(_functions(local, site, measured["day"], console))
    measured["gb_seconds"] = _gb_seconds(measured, site)
    measured["refused"]["gb_seconds"] = _gb_seconds_refused(measured)
    measured["month"] = {region: _month(measured, table) for region, table in prices().items()}
    measured["refused_month"] = {
        region: _month({**measured, **measured["refused"]}, table) for region, table in prices().items()
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(measured, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    report(measured, console)
    console.say(f"\nWritten to {options.output}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox.bench", description=__doc__)
    parser.add_argument("--acoes", type=int, default=300, help="stocks of the sample site")
    parser.add_argument("--fiis", type=int, default=150, help="funds of the sample site")
    parser.add_argument("--latency-ms", type=float, default=150.0, help="milliseconds per page")
    parser.add_argument("--days", type=int, default=0, help="also measure a lake with this number of days")
    parser.add_argument("--output", type=Path, default=STATE_DIR / "bench.json", help="default: %(default)s")
    return parser


def _measure(local: LocalLake, site: SiteServer, console: Console) -> dict[str, Any]:
    """Run one day and return its measurements."""
    log = local.emulator.authorization_log
    asked_before = len(log.read_text().splitlines()) if log.exists() else 0
    asked_of_site = len(site.requests)
    day = local.day(console)
    started = time.monotonic()
    day.start()
    before = day.wait()
    complete_seconds = time.monotonic() - started
    reports = {report.function: report for report in day.stage_reports()}
    requests = Counter(functions_requests(log, asked_before))
    day.run_workflow()
    console.settle()
    with_dedup = Counter(functions_requests(log, asked_before))
    after = day.snapshot()
    reports = {report.function: report for report in day.stage_reports()}
    in_flight = _requests_allowed(local)
    specialized = next(report for name, report in reports.items() if "specialize" in name)
    pages = sum(1 for request in site.requests[asked_of_site:] if request.ticker)
    floor = pages * site.latency_ms / 1000 / in_flight
    return {
        "day": day.number,
        "papers": len(site.assets),
        "pages": pages,
        "latency_ms": site.latency_ms,
        "places": _places_of(local),
        "requests_in_flight_allowed": in_flight,
        "requests_in_flight_most": site.most_in_flight,
        "connections": site.connections,
        "seconds_to_last_spec_object": specialized.ended_after_seconds,
        "seconds_to_complete_as_seen": complete_seconds,
        "floor_seconds": floor,
        "times_the_floor": specialized.ended_after_seconds / floor if floor else None,
        "stages": [
            {**vars(report), "memory_mb": _memory(local, report.function)} for report in reports.values()
        ],
        "requests": dict(sorted(with_dedup.items())),
        "requests_before_dedup": dict(sorted(requests.items())),
        "partitions": [
            _partition(day, one, before.objects[one], after.objects[one]) for one in day.lake.tables
        ],
        **_kept(local, day.number),
    }


def _measure_refused(local: LocalLake, site: SiteServer, console: Console) -> dict[str, Any]:
    """Measure an evening with all its rounds while the site refuses every page."""
    log = local.emulator.authorization_log
    asked_before = len(log.read_text().splitlines())
    states = local.emulator.client("stepfunctions")
    for ticker in site.assets:
        site.set_fault(ticker, Fault("status", status=403))
    day = local.day(console)
    day.ask(REFUSED_DAY)
    day.wait()
    execution = states.start_execution(
        stateMachineArn=local.terraform.outputs()["workflow_arn"],
        input=json.dumps({"anomesdia_exec": REFUSED_DAY, "rounds": [0] * ROUNDS}),
    )["executionArn"]
    while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        console.progress(f"a refused evening, {len(site.requests)} requests of the site")
        time.sleep(0.5)
    console.settle()
    if found.get("error") != "DayNotGood":
        raise RuntimeError(f"the refused evening ended as {found['status']}: {found.get('cause')}")
    history = states.get_paginator("get_execution_history").paginate(executionArn=execution)
    steps = sum(event["type"].endswith("StateEntered") for page in history for event in page["events"])
    reports = day.stage_reports()
    site.clear_faults()
    return {
        "requests": dict(sorted(Counter(functions_requests(log, asked_before)).items())),
        "stages": [{**vars(report), "memory_mb": _memory(local, report.function)} for report in reports],
        "partitions": [],
        "transitions": steps,
        **_kept(local, REFUSED_DAY),
    }


def _memory(local: LocalLake, function: str) -> int:
    configuration = local.emulator.client("lambda").get_function_configuration(FunctionName=function)
    memory: int = configuration["MemorySize"]
    return memory


def _kept(local: LocalLake, day: int) -> dict[str, int]:
    """Return the sizes in bytes of a day's stored pages and of the day's ledger."""
    listing = local.emulator.client("s3").get_paginator("list_objects_v2")
    return {
        f"{part}_bytes": sum(
            item["Size"]
            for page in listing.paginate(
                Bucket=local.lake.work_bucket, Prefix=f"{part}/anomesdia_exec={day}/"
            )
            for item in page.get("Contents", ())
        )
        for part in ("pages", "ledger")
    }


def _places_of(local: LocalLake) -> dict[str, int]:
    """Return the maximum number of concurrent invocations for each kind's queue."""
    mappings = local.emulator.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return {
        mapping["FunctionArn"].rsplit("-", 1)[1]: mapping["ScalingConfig"]["MaximumConcurrency"]
        for mapping in mappings
    }


def _requests_allowed(local: LocalLake) -> int:
    """Return how many requests the functions of both queues may send to the site at the same time."""
    client = local.emulator.client("lambda")
    allowed = 0
    for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
        function = client.get_function_configuration(FunctionName=mapping["FunctionArn"])
        threads = int(function["Environment"]["Variables"]["FETCH_THREADS"])
        allowed += mapping["ScalingConfig"]["MaximumConcurrency"] * threads
    return allowed


def _partition(day: Day, one: Table, before: list[Any], after: list[Any]) -> dict[str, Any]:
    """Count the objects and bytes in a day's partition, and the bytes that a query of one column reads."""
    scanned = 0
    for stored in after:
        body = day.partitions.body(one.bucket, stored.key)
        metadata = pq.read_metadata(io.BytesIO(body))
        scanned += metadata.serialized_size
        for group in range(metadata.num_row_groups):
            columns = metadata.row_group(group)
            scanned += sum(
                columns.column(index).total_compressed_size
                for index in range(columns.num_columns)
                if columns.column(index).path_in_schema == "vlr_cot"
            )
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
    local: LocalLake, site: SiteServer, measured_day: int, console: Console
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
    with zipfile.ZipFile(layer) as archive:
        archive.extractall(built / "layer")
    # Load the public certificates, as a client on AWS does, and the emulator's certificate.
    certificates = built / "certificates.pem"
    own = Path(local.emulator.env()["AWS_CA_BUNDLE"])
    certificates.write_text(Path(certifi.where()).read_text("utf-8") + own.read_text("utf-8"), "utf-8")
    latency_ms = site.latency_ms
    site.latency_ms = 0
    _copy_day(local, measured_day, COMPACTED_DAY)
    partitions = Partitions(local.emulator.client("s3"))
    names = {name.partition("-lambda-")[2]: name for name in local.lake.functions}
    names[AGAIN] = names[STAGE_1]
    day = next(iter(site.assets.values())).day
    stocks = [asset.ticker for asset in site.assets.values() if asset.kind == "acoes"][:BATCH]

    compact = {"input": {"anomesdia_exec": COMPACTED_DAY}}
    scheduled = {"scheduled_at": datetime.now(timezone.utc).isoformat()}
    # In place of stage 2, which would start the day, stage 1 invokes a function that refuses the event.
    replaced = {"GET_TICKERS_FUNCTION_NAME": names["assess-day"]}

    def newest(layer_name: str, kind: str | None) -> dict[str, Any]:
        one = local.lake.table(layer_name, kind)
        records = [
            {"s3": {"bucket": {"name": one.bucket}, "object": {"key": stored.key.replace("=", "%3D")}}}
            for stored in partitions.objects(one, day)
        ]
        return {"Records": records}

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
        for position, ticker in enumerate(stocks)
    ]
    events: dict[str, Callable[[], dict[str, Any]]] = {
        "get-financial-data-for-acoes": lambda: {"Records": messages},
        "prep-financial-data-for-acoes": lambda: newest("sor", "acoes"),
        "specialize-financial-data": lambda: newest("sot", "acoes"),
        "dedup-financial-data-for-acoes": lambda: compact,
        "dedup-financial-data-for-spec-ativos": lambda: compact,
        "assess-day": lambda: {"step": "look", "input": {"anomesdia_exec": measured_day}},
        AGAIN: lambda: scheduled,
        STAGE_1: lambda: scheduled,
        # Stage 2 must come last in this dict, because stage 2 starts the day.
        "get-tickers": lambda: {"anomesdia_exec": measured_day},
    }
    site.latency_ms = latency_ms
    for short, event in events.items():
        console.progress(f"measuring {short}")
        configuration = local.emulator.client("lambda").get_function_configuration(FunctionName=names[short])
        package = configuration["Handler"].partition(".")[0]
        archive_path = next(built.glob(f"{package}-*.zip"))
        with zipfile.ZipFile(archive_path) as archive:
            archive.extractall(built / package)
        request = {
            "paths": [str(built / package), str(built / "layer" / "python"), *python_site.getsitepackages()],
            "byte_code": True,
            "handler": configuration["Handler"],
            "environment": {
                **local.emulator.env(),
                "AWS_CA_BUNDLE": str(certificates),
                **configuration["Environment"]["Variables"],
                **(replaced if short in (AGAIN, STAGE_1) else {}),
            },
            "event": None,
            "again": 0 if short in ONCE else WARM_CALLS,
        }
        imports = [_one(request)["import"]["cpu"] for _ in range(IMPORTS)]
        compiling = [_one({**request, "byte_code": False})["import"]["cpu"] for _ in range(IMPORTS)]
        called = _one({**request, "byte_code": False, "event": event()})
        if short == STAGE_1 and called["result"]["objects_deleted"]:
            raise RuntimeError(f"stage 1 must find no data of the day, but found {called['result']}")
        first = called["first"]
        later = _median([spent for name, spent in called.items() if name.startswith("later")] or [first])
        yield {
            "function": names[short].replace(STAGE_1, short),
            "import_cpu_seconds": statistics.median(imports),
            "work": vars(
                Work(
                    statistics.median(compiling),
                    first["cpu"],
                    first["waits"],
                    later["cpu"],
                    later["waits"],
                )
            ),
            "peak_mb": called["peak_mb"] + RUNTIME_MB,
            "memory_mb": configuration["MemorySize"],
            "package_bytes": archive_path.stat().st_size,
            "layer_bytes": layer.stat().st_size,
            "result": called["result"],
        }
    console.settle()


def _median(several: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each measured value."""
    return {name: statistics.median(one[name] for one in several) for name in several[0]}


def _copy_day(local: LocalLake, day: int, target: int) -> None:
    """Copy a day's SoR objects to another day, and wait until the functions have written the rows to Spec."""
    s3 = local.emulator.client("s3")
    partitions = Partitions(s3)
    copied = 0
    for one in local.lake.tables:
        for stored in partitions.objects(one, day) if one.layer == "sor" else ():
            source = {"Bucket": one.bucket, "Key": stored.key}
            key = stored.key.replace(str(day), str(target))
            s3.copy_object(Bucket=one.bucket, Key=key, CopySource=source)
            copied += 1
    spec = local.lake.table("spec")

    def lacking() -> str:
        arrived = len(partitions.objects(spec, target))
        return "" if arrived >= copied else f"{arrived} of {copied} objects reached {spec.name}"

    _wait(lacking)


def _wait(lacking: Callable[[], str]) -> None:
    """Wait until `lacking` returns an empty text.

    Parameters
    ----------
    lacking
        Function that returns a text about the missing parts; the text is empty if nothing is missing.

    Raises
    ------
    TimeoutError
        Some parts are still missing after `PATIENCE_SECONDS`.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while said := lacking():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{said} within {PATIENCE_SECONDS} s")
        time.sleep(0.5)


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


def _gb_seconds(measured: dict[str, Any], site: SiteServer) -> float:
    """Return the GB-seconds that Lambda bills for a day with batches of the module's default size."""
    assets = Counter(asset.kind for asset in site.assets.values())
    batches = {kind: math.ceil(count / BATCH) for kind, count in assets.items()}
    places = measured["places"]
    every = sum(batches.values())
    # For each purpose, a function has a pair: number of process starts, number of invocations.
    runs = {
        STAGE_1: [(1, 1)],
        AGAIN: [],  # does not run on an ordinary evening
        "get-tickers": [(1, 1)],
        "get-financial-data-for-acoes": [(places[kind], batches[kind]) for kind in batches],
        "prep-financial-data-for-acoes": [(places[kind], batches[kind]) for kind in batches],
        "specialize-financial-data": [(sum(places.values()), every)],
        "dedup-financial-data-for-acoes": [(1, 1), (1, 1)],
        "dedup-financial-data-for-spec-ativos": [(1, 1)],
        "assess-day": [(1, LOOKS + 1)],
    }
    return sum(
        Work(**one["work"]).gb_seconds(one["memory_mb"], starts, invocations)
        for one in measured["functions"]
        for starts, invocations in runs[one["function"].partition("-lambda-")[2]]
    )


def _gb_seconds_refused(measured: dict[str, Any]) -> float:
    """Return an upper limit of the GB-seconds for an evening on which the site refuses every page.

    The upper limit assumes that all the time measured on the emulator was CPU time. Rounds are an hour
    apart, so the upper limit also assumes that all processes start again in each round. A second of CPU time
    costs the same with any amount of memory.
    """
    imports = {_stage(one["function"]): one["work"]["import_cpu"] for one in measured["functions"]}
    seconds = 0.0
    for stage in measured["refused"]["stages"]:
        kind = stage["function"].rpartition("-")[2]
        at_once = measured["places"][kind] if "get-financial-data" in stage["function"] else 1
        starts = min(stage["invocations"], at_once * (ROUNDS + 1))
        seconds += stage["seconds"] + starts * imports[_stage(stage["function"])]
    return seconds * FULL_CORE_MB / 1024


def _stage(function: str) -> str:
    """Return the stage of a function."""
    return function.partition("-lambda-")[2].partition("-for-")[0]


def _month(measured: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    """Return the cost of a month at one region's prices."""
    counts = DayCounts(
        assets=measured["papers"],
        requests=measured["requests"],
        invocations=sum(stage["invocations"] for stage in measured["stages"]),
        gb_seconds=measured["gb_seconds"],
        stored_bytes=sum(one["bytes_after"] for one in measured["partitions"]),
        # Assume that each asset has one page, as large as a page of the real site.
        pages_bytes=measured["papers"] * PAGE_BYTES if measured["partitions"] else measured["pages_bytes"],
        ledger_bytes=measured["ledger_bytes"],
        # Nobody queries an empty lake.
        queries=QUERIES_A_DAY if measured["partitions"] else 0,
        transitions=measured.get("transitions", TRANSITIONS_A_DAY),
    )
    paid = month(counts, table)
    return {
        "days": DAYS_A_MONTH,
        "papers_a_day": ASSETS_A_DAY,
        "prices_as_of": table["as_of"],
        "gb_seconds_a_day": counts.gb_seconds,
        "dollars": paid,
        "dollars_in_all": sum(paid.values()),
        "dollars_beyond_free_tier": beyond_free_tier(paid, table),
        "dollars_a_ticker": sum(paid.values()) / ASSETS_A_DAY / DAYS_A_MONTH,
        "dollars_a_ticker_that_grow": sum(value for name, value in paid.items() if name not in STANDING)
        / ASSETS_A_DAY
        / DAYS_A_MONTH,
    }


if __name__ == "__main__":
    sys.exit(main())
