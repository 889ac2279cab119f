"""The lake on moto: buckets, databases, tables and queues as Terraform makes them."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

from moto_lake import LAYERS, REGION, Lake
from pynvest_lake import aws, contract
from pynvest_lake.storage import LakeTable


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test reaches a real account."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    aws.client.cache_clear()
    yield
    aws.client.cache_clear()


@pytest.fixture
def lake() -> Iterator[Lake]:
    """Return an empty lake."""
    with mock_aws():
        s3, glue, sqs = (boto3.client(name, region_name=REGION) for name in ("s3", "glue", "sqs"))
        for layer in ("sor", "sot", "spec"):
            s3.create_bucket(Bucket=f"lake-{layer}", CreateBucketConfiguration={"LocationConstraint": REGION})
            glue.create_database(DatabaseInput={"Name": f"db_{layer}"})
        urls = {
            kind: sqs.create_queue(QueueName=f"tickers-{kind}", Attributes={"VisibilityTimeout": "60"})[
                "QueueUrl"
            ]
            for kind in ("acoes", "fiis")
        }
        lake = Lake(s3, glue, sqs, urls)
        for name, layer in LAYERS.items():
            schema = contract.table_schema(name)
            lake.tables[name] = LakeTable(f"lake-{layer}", f"db_{layer}", name)
            glue.create_table(
                DatabaseName=f"db_{layer}",
                TableInput={
                    "Name": name,
                    "PartitionKeys": [{"Name": contract.PARTITION_KEY, "Type": "int"}],
                    "StorageDescriptor": {
                        "Columns": [{"Name": column.name, "Type": column.type} for column in schema.columns],
                        "Location": f"s3://lake-{layer}/{name}/",
                    },
                },
            )
        yield lake


@pytest.fixture
def context() -> SimpleNamespace:
    """Return what Lambda hands a handler beside the event."""
    return SimpleNamespace(
        function_name="function",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:sa-east-1:123456789012:function:function",
        aws_request_id="request",
        get_remaining_time_in_millis=lambda: 60_000,
    )


SLOWEST = {"deploy": 0, "faults": 1, "test_day.py": 2}


def group_of(item: pytest.Item) -> str:
    """Name the tests that an item shares an expensive fixture with."""
    if item.path.parent.name == "deploy":
        return "deploy"
    if "faulty" in getattr(item, "fixturenames", ()):
        return "faults"
    return item.path.name


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what shares an expensive fixture in one process, where `make test` runs the tests in two.

    What takes longest comes first, so that neither process is left alone with it in the end.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))
    items.sort(key=lambda item: SLOWEST.get(group_of(item), len(SLOWEST)))
