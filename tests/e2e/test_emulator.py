"""The local run's emulator enforces IAM, needs no network, and leaves nothing behind."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import awswrangler
import boto3
import pytest
from botocore.exceptions import ClientError
from faulty_lake import until

from sandbox.emulator import ACCOUNT_ID, REGION, Emulator
from sandbox.process import group_is_alive

pytestmark = pytest.mark.e2e

HANDLER = """
import os
import sys

class DayNotComplete(Exception):
    pass

def handler(event, context):
    if "raise" in event:
        raise DayNotComplete(event["raise"])
    if "Records" in event:
        print("received", len(event["Records"]))
    return {"pid": os.getpid(), "env": dict(os.environ), "path": sys.path}
"""

STARTS = """
import time

begun = time.monotonic()
import pandas

started = begun, time.monotonic()

def handler(event, context):
    return started
"""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def function(emulator: Emulator) -> str:
    return create_function(emulator)


def create_function(
    emulator: Emulator, name: str = "probe", *, source: str = HANDLER, **settings: Any
) -> str:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    role = emulator.client("iam").create_role(
        RoleName=f"powerless-{name}",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(zipfile.ZipInfo("module.py"), source)  # equal sources give equal packages
    functions = emulator.client("lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="module.handler",
        Code={"ZipFile": package.getvalue()},
        Timeout=30,
        **settings,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    return name


def invoke(emulator: Emulator, function: str, event: dict[str, Any]) -> Any:
    response = emulator.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    return json.loads(response["Payload"].read())


def test_an_error_has_the_name_of_its_class_and_its_process_continues(
    emulator: Emulator, function: str
) -> None:
    process = invoke(emulator, function, {})["pid"]

    answer = invoke(emulator, function, {"raise": "3 messages wait"})

    assert answer["errorType"] == "DayNotComplete"
    assert answer["errorMessage"] == "3 messages wait"
    assert invoke(emulator, function, {})["pid"] == process


def test_functions_share_one_copy_of_a_layer_and_a_package(emulator: Emulator) -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("python/shared.py", "")
    layer = emulator.client("lambda").publish_layer_version(
        LayerName="shared", Content={"ZipFile": package.getvalue()}
    )["LayerVersionArn"]
    names = [create_function(emulator, name, Layers=[layer]) for name in ("one", "other")]

    paths = [invoke(emulator, name, {})["path"] for name in names]

    for file in ("shared.py", "module.py"):
        one, other = ({place for place in path if Path(place, file).exists()} for path in paths)
        assert one == other
        assert len(one) == 1


def test_no_more_processes_than_cores_start_at_the_same_time(emulator: Emulator) -> None:
    cores = os.cpu_count() or 1
    name, functions = create_function(emulator, "starts", source=STARTS), emulator.client("lambda")

    def start(_: int) -> tuple[float, float]:
        begun, ended = json.loads(functions.invoke(FunctionName=name)["Payload"].read())
        return begun, ended

    with ThreadPoolExecutor(cores + 4) as callers:
        starts = set(callers.map(start, range(cores + 4)))

    at_once = [sum(begun <= moment < ended for begun, ended in starts) for moment, _ in starts]
    assert max(at_once) <= cores


def test_a_batch_has_the_size_of_its_mapping(emulator: Emulator) -> None:
    queue = emulator.client("sqs").create_queue(QueueName="many")["QueueUrl"]
    for first in (0, 10, 20):
        emulator.client("sqs").send_message_batch(
            QueueUrl=queue,
            Entries=[{"Id": str(number), "MessageBody": str(number)} for number in range(first, first + 10)],
        )
    functions, logs = emulator.client("lambda"), emulator.client("logs")
    name = create_function(emulator, "batches")
    logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
    functions.create_event_source_mapping(
        FunctionName=name,
        EventSourceArn=f"arn:aws:sqs:{functions.meta.region_name}:{ACCOUNT_ID}:many",
        BatchSize=25,
        MaximumBatchingWindowInSeconds=1,
    )

    def received() -> list[int]:
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="received")[
            "events"
        ]
        return [int(event["message"].split()[-1]) for event in events]

    until(lambda: sum(received()) == 30, "all messages to be received")
    assert sorted(received()) == [5, 25]


def test_functions_do_not_get_the_users_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "USE_SSL", "PERSIST_STATE"):
        monkeypatch.setenv(name, "/nowhere")
    with Emulator(tmp_path) as emulator:
        env = invoke(emulator, create_function(emulator), {})["env"]

    assert "/nowhere" not in env.values()
    assert "PYTHONPATH" not in env
    assert env["AWS_ENDPOINT_URL"] == emulator.endpoint_url


@pytest.mark.skipif(shutil.which("ss") is None, reason="ss lists the listening sockets")
def test_it_listens_on_loopback_only(emulator: Emulator) -> None:
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    own = [line.split()[3] for line in listening.splitlines() if f"pid={emulator.pid}," in line]

    assert own == [emulator.endpoint_url.removeprefix("https://")]


def test_stopping_it_ends_its_function_processes_and_removes_its_files(tmp_path: Path) -> None:
    with Emulator(tmp_path / "state") as emulator:
        group = emulator.pid
        worker = invoke(emulator, create_function(emulator), {})["pid"]
        assert os.getpgid(worker) == group

    assert not group_is_alive(group)
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["emulator.log"]


def test_it_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    starter = textwrap.dedent(
        f"""
        import pathlib, time
        from sandbox.emulator import Emulator
        emulator = Emulator(pathlib.Path({str(tmp_path)!r}))
        emulator.start()
        print(emulator.pid, flush=True)
        time.sleep(60)
        """
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", starter], env=env, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        group = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)

    deadline = time.monotonic() + 10
    while group_is_alive(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not group_is_alive(group)


def test_an_unknown_access_key_is_refused(emulator: Emulator) -> None:
    stranger = boto3.session.Session().client(
        "s3",
        endpoint_url=emulator.endpoint_url,
        verify=str(emulator.ca_bundle),
        region_name="sa-east-1",
        aws_access_key_id="AKIA0000000000000000",
        aws_secret_access_key="unknown",  # noqa: S106
    )

    with pytest.raises(ClientError):
        stranger.list_buckets()


def test_awswrangler_can_use_parameters_and_functions_of_athena(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in emulator.env().items():
        monkeypatch.setenv(name, value)
    emulator.client("s3").create_bucket(
        Bucket="athena-results", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    settings = {"ResultConfiguration": {"OutputLocation": "s3://athena-results/"}}
    emulator.client("athena").create_work_group(
        Name="asked", Configuration={**settings, "EnforceWorkGroupConfiguration": True}
    )
    rows = awswrangler.athena.read_sql_query(
        "SELECT ? AS a, ? + 1 AS b, date_format(DATE '2026-11-27', '%d/%m') AS c",
        database="default",
        workgroup="asked",
        ctas_approach=False,
        params=["PETR4", "1"],
        paramstyle="qmark",
        boto3_session=boto3.Session(),
    )
    assert rows.to_dict("records") == [{"a": "PETR4", "b": 2, "c": "27/11"}]
