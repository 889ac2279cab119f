"""The lake on moto: buckets, databases, tables and queues as Terraform makes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from types import SimpleNamespace

import boto3
import pytest
import time_machine
from moto import mock_aws

from moto_lake import LAYERS, REGION, WORK_BUCKET, Lake
from pynvest_lake import contract
from pynvest_lake.day import PARTITION_KEY
from pynvest_lake.storage import LakeTable

EVENING = datetime(2026, 11, 23, 22, 0, tzinfo=timezone.utc)  # 19:00 in São Paulo


@pytest.fixture
def lake() -> Iterator[Lake]:
    """Return an empty lake on the evening of its day: S3 says when it received what."""
    with time_machine.travel(EVENING, tick=True), mock_aws():
        s3, glue, sqs = (boto3.client(name, region_name=REGION) for name in ("s3", "glue", "sqs"))
        for layer in ("sor", "sot", "spec"):
            s3.create_bucket(Bucket=f"lake-{layer}", CreateBucketConfiguration={"LocationConstraint": REGION})
            glue.create_database(DatabaseInput={"Name": f"db_{layer}"})
        s3.create_bucket(Bucket=WORK_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
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
                    "PartitionKeys": [{"Name": PARTITION_KEY, "Type": "int"}],
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
