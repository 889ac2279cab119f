"""The site refuses the functions but not a collector; the collector uploads the day, then the day runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from faulty_lake import FaultyLake, until

from collector.collected_day import last_day
from sandbox.emulator import REGION
from sandbox.site import GHOSTS, Fault

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
USER = "collector"


@pytest.fixture
def latest(faulty: FaultyLake) -> Iterator[int]:
    """Return the day that a collector would upload now; the lake no longer has data of this day.

    After the test, the fixture deletes the pages of the day.
    """
    day = last_day(datetime.now(timezone.utc)).number

    def remove_pages() -> None:
        listed = faulty.s3.list_objects_v2(
            Bucket=faulty.lake.work_bucket, Prefix=f"pages/anomesdia_exec={day}/"
        )
        for item in listed.get("Contents", []):
            faulty.s3.delete_object(Bucket=faulty.lake.work_bucket, Key=item["Key"])

    remove_pages()
    faulty.remove(day)
    yield day
    remove_pages()


@pytest.fixture
def from_pages(faulty: FaultyLake) -> Iterator[None]:
    """Configure the lake to get its pages from a collector."""
    with (
        faulty.setting("check-and-delete-partitions", FETCH_FROM="pages"),
        faulty.setting("get-tickers", FETCH_FROM="pages"),
        faulty.setting("assess-day", FETCH_FROM="pages"),
    ):
        yield


@pytest.fixture
def key(faulty: FaultyLake) -> Iterator[dict[str, str]]:
    """Return the access key of a user that has only the collectors' policy."""
    iam = faulty.client("iam")
    iam.create_user(UserName=USER)
    iam.put_user_policy(
        UserName=USER, PolicyName="bring-pages", PolicyDocument=faulty.outputs["collector_policy_json"]
    )
    made = iam.create_access_key(UserName=USER)["AccessKey"]
    yield {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}
    iam.delete_access_key(UserName=USER, AccessKeyId=made["AccessKeyId"])
    iam.delete_user_policy(UserName=USER, PolicyName="bring-pages")
    iam.delete_user(UserName=USER)


class Collector:
    """The collector program, as a person would start it on a private machine."""

    def __init__(self, faulty: FaultyLake, key: dict[str, str], day: int) -> None:
        # The command names the day, because the default day changes at 10:00 and tests run at any hour.
        options = ("--site", faulty.site.base_url, "--day", str(day), "--patience", "0.05")
        bucket = faulty.lake.work_bucket
        self.command = [sys.executable, "-m", "collector", *options, "--bucket", bucket]
        path = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        self.env = {**faulty.emulator.env(), **key, **path}

    def start(self) -> subprocess.Popen[str]:
        """Start the program."""
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
def test_where_the_functions_are_refused_a_collector_brings_the_day_and_later_what_was_missing(
    faulty: FaultyLake, latest: int, key: dict[str, str]
) -> None:
    lost = min(asset.ticker for asset in faulty.assets)
    faulty.site.set_fault("*", Fault("status", status=403, spared="collector"))
    faulty.site.set_fault(lost, Fault("status", status=404))
    day = faulty.day()
    day.number = latest
    faulty.site.latency_ms = 50
    collector = Collector(faulty, key, latest)
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
    assert (len(asked), set(asked.values())) == (listed - 1 + 2, {1})
    # The manifest's event starts stage 1, stage 1 starts the workflow, and the workflow starts the reading of
    # the pages.
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
    status, said = collector.run()
    assert (status, f"{latest}: no new pages" in said) == (0, True), said


def test_a_collectors_key_reaches_its_pages_and_nothing_else(
    faulty: FaultyLake, latest: int, key: dict[str, str]
) -> None:
    client = as_user(faulty, key)
    work, sor = faulty.lake.work_bucket, faulty.table("sor", "acoes").bucket
    page = {"Bucket": work, "Key": f"pages/anomesdia_exec={latest}/x.jsonl.gz"}
    client("s3").put_object(**page, Body=b"", IfNoneMatch="*")
    client("s3").get_object(**page)
    client("s3").list_objects_v2(Bucket=work, Prefix=f"pages/anomesdia_exec={latest}/")

    s3, ledger = client("s3"), f"ledger/anomesdia_exec={latest}/listing.json"
    refused = {
        "write over a page": lambda: s3.put_object(**page, Body=b"forged"),
        "write a page in parts": lambda: s3.create_multipart_upload(**page),
        "copy a page": lambda: s3.copy_object(**page, CopySource=page),
        "delete a page": lambda: s3.delete_object(**page),
        "write the ledger": lambda: s3.put_object(Bucket=work, Key=ledger, Body=b"{}"),
        "read the ledger": lambda: s3.get_object(Bucket=work, Key=ledger),
        "list the whole bucket": lambda: s3.list_objects_v2(Bucket=work),
        "list the ledger": lambda: s3.list_objects_v2(Bucket=work, Prefix="ledger/"),
        "list SoR": lambda: s3.list_objects_v2(Bucket=sor),
        "write SoR": lambda: s3.put_object(Bucket=sor, Key="x.part.parquet", Body=b""),
        "run a function": lambda: client("lambda").invoke(FunctionName=faulty.lake.functions[0]),
        "see the functions": lambda: client("lambda").list_functions(),
        "start the workflow": lambda: client("stepfunctions").start_execution(
            stateMachineArn=faulty.outputs["workflow_arn"]
        ),
        "read a queue": lambda: client("sqs").receive_message(QueueUrl=faulty.lake.ticker_queues["acoes"]),
    }
    for what, act in refused.items():
        with pytest.raises(ClientError) as error:
            act()
        assert "AccessDenied" in error.value.response["Error"]["Code"], (what, error.value)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(**page, Body=b"forged", IfNoneMatch="*")


def as_user(faulty: FaultyLake, key: dict[str, str]) -> Any:
    """Return a session with the access key."""
    session = boto3.Session(
        aws_access_key_id=key["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=key["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    endpoint, trusted = faulty.emulator.endpoint_url, str(faulty.emulator.ca_bundle)
    return lambda service: session.client(service, endpoint_url=endpoint, verify=trusted)
