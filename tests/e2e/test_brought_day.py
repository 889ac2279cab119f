"""The site refuses the functions, but answers a collector. The functions then read the collector's pages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from faulty_lake import FaultyLake, until
from role import Role, not_refused

from collector.collected_day import last_day
from sandbox.site import GHOSTS, Fault

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def latest(faulty: FaultyLake) -> Iterator[int]:
    """Find the day whose pages a collector would upload now, delete the day's data, and yield the day.

    After the test, the fixture deletes the pages of the day.
    """
    day = last_day(datetime.now(timezone.utc)).number

    pages = f"pages/anomesdia_exec={day}/"
    faulty.delete(faulty.lake.work_bucket, pages)
    faulty.remove(day)
    yield day
    faulty.delete(faulty.lake.work_bucket, pages)


@pytest.fixture
def from_pages(faulty: FaultyLake) -> Iterator[None]:
    """Configure the lake to get its pages from a collector."""
    with (
        faulty.setting("check-and-delete-partitions", FETCH_FROM="pages"),
        faulty.setting("get-tickers", FETCH_FROM="pages"),
        faulty.setting("assess-day", FETCH_FROM="pages"),
    ):
        yield


@pytest.fixture(scope="module")
def collectors(applied_faulty_lake: FaultyLake) -> Role:
    lake = applied_faulty_lake
    return Role(lake.emulator, "collector", lake.outputs["collector_policy_json"])


class Collector:
    """The collector program, as a person would start it on a private machine."""

    def __init__(self, faulty: FaultyLake, role: Role, day: int) -> None:
        # The command names the day, because the default day changes at 10:00 and tests run at any hour.
        options = ("--site", faulty.site.base_url, "--day", str(day), "--patience", "0.05")
        bucket = faulty.lake.work_bucket
        self.command = [sys.executable, "-m", "collector", *options, "--bucket", bucket]
        path = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        self.env = {**faulty.emulator.env(), **role.env(), **path}

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self) -> tuple[int, str]:
        """Run the program and return its status and its output."""
        with self.start() as process:
            said, _ = process.communicate(timeout=120)
        return process.returncode, said


@pytest.mark.usefixtures("from_pages")
def test_a_collector_brings_a_day_that_the_site_refuses_and_later_the_missing_page(
    faulty: FaultyLake, latest: int, collectors: Role
) -> None:
    lost = min(asset.ticker for asset in faulty.assets)
    faulty.site.set_fault("*", Fault("status", status=403, spared="collector"))
    faulty.site.set_fault(lost, Fault("status", status=404))
    day = faulty.day()
    day.number = latest
    faulty.site.latency_ms = 50
    collector = Collector(faulty, collectors, latest)
    executions = faulty.executions()

    with collector.start() as first:
        until(
            lambda: sum(request.ticker is not None for request in faulty.site.requests) >= 5,
            "the first pages",
        )
        first.send_signal(signal.SIGTERM)
        said, _ = first.communicate(timeout=60)
    assert (first.returncode, "all received pages are archived" in said) == (130, True), said
    assert "Traceback" not in said
    assert faulty.executions() == executions
    status, said = collector.run()

    assert (status, f"Missing: {lost}" in said) == (4, True), said
    asked = Counter(request.path for request in faulty.site.requests if request.status == 200)
    listed = len(faulty.assets) + sum(map(len, GHOSTS.values()))
    # No archived page has the day's session, so the second start requests one archived stock again.
    assert (len(asked), sum(asked.values())) == (listed - 1 + 2, listed - 1 + 2 + 1)
    # The manifest's event starts stage 1, and stage 1 starts the workflow.
    (brought,) = until(lambda: faulty.executions() - executions, "the workflow of the day")
    given = {"anomesdia_exec": latest, "source": "pages"}
    assert json.loads(faulty.end_of(brought)["input"]) == given
    faulty.check(day, without=(lost,))

    faulty.site.set_fault(lost, None)
    status, said = collector.run()
    assert (status, f"{latest} is complete" in said) == (0, True), said
    (mended,) = until(lambda: faulty.executions() - executions - {brought}, "the day's second workflow")
    assert faulty.end_of(mended)["status"] == "SUCCEEDED"
    faulty.check(day)
    assert all("collector" in request.headers["User-Agent"] for request in faulty.site.requests)


def test_a_collectors_key_gives_access_to_its_pages_only(
    faulty: FaultyLake, latest: int, collectors: Role
) -> None:
    s3, functions, states, sqs = map(collectors.client, ("s3", "lambda", "stepfunctions", "sqs"))
    work, sor = {"Bucket": faulty.lake.work_bucket}, {"Bucket": faulty.tables["sor_acoes"].bucket}
    page = {**work, "Key": f"pages/anomesdia_exec={latest}/x.jsonl.gz"}
    ledger = {**work, "Key": f"ledger/anomesdia_exec={latest}/listing.json"}
    s3.put_object(**page, Body=b"", IfNoneMatch="*")
    s3.get_object(**page)
    s3.list_objects_v2(**work, Prefix=f"pages/anomesdia_exec={latest}/")

    forbidden = [
        partial(s3.put_object, **page, Body=b"forged"),
        partial(s3.create_multipart_upload, **page),
        partial(s3.copy_object, **page, CopySource=page),
        partial(s3.delete_object, **page),
        partial(s3.put_object, **ledger, Body=b"{}"),
        partial(s3.get_object, **ledger),
        partial(s3.list_objects_v2, **work),
        partial(s3.list_objects_v2, **work, Prefix="ledger/"),
        partial(s3.list_objects_v2, **sor),
        partial(s3.put_object, **sor, Key="x.part.parquet", Body=b""),
        partial(functions.invoke, FunctionName=faulty.lake.functions[0]),
        partial(functions.list_functions),
        partial(states.start_execution, stateMachineArn=faulty.outputs["workflow_arn"]),
        partial(sqs.receive_message, QueueUrl=faulty.lake.ticker_queues["acoes"]),
    ]
    assert not_refused(forbidden) == []
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(**page, Body=b"forged", IfNoneMatch="*")
