"""The lake's resources on moto, with helpers for the tests."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import time_machine

from b3.days import PARTITION_KEY
from pynvest_lake import aws, contract
from pynvest_lake.archive import Archive
from pynvest_lake.ledger import Ledger
from pynvest_lake.storage import LakeTable, list_day, read

REGION = "sa-east-1"
DAY = 20261123
WORK_BUCKET = "lake-work"
WORKFLOW = "arn:aws:states:sa-east-1:123456789012:stateMachine:dedup"

LAYERS = {
    contract.SOR_ACOES: "sor",
    contract.SOR_FIIS: "sor",
    contract.SOT_ACOES: "sot",
    contract.SOT_FIIS: "sot",
    contract.SPEC_ATIVOS: "spec",
    contract.QUALITY: "spec",
}


def later() -> time_machine.travel:
    """Return a context whose clock is two seconds ahead. S3 and the catalog store whole seconds."""
    return time_machine.travel(datetime.now(timezone.utc) + timedelta(seconds=2))


def deny_putting(part: str) -> None:
    """Let S3 refuse to write objects below a folder of a bucket, as if the grant were missing."""

    def refuse(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]] | None:
        if f"/{part}/" not in params["url"]:
            return None
        denied = {"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}
        return SimpleNamespace(status_code=403), denied

    aws.client("s3").meta.events.register("before-call.s3.PutObject", refuse)


@dataclass
class Lake:
    """The lake's resources, and clients to read them."""

    s3: Any
    glue: Any
    sqs: Any
    queue_urls: dict[str, str]
    tables: dict[str, LakeTable] = field(default_factory=dict)

    def table_setting(self, name: str) -> str:
        """Return a table as JSON, for a function's environment variable."""
        return json.dumps(vars(self.tables[name]))

    def setting(self, *names: str) -> str:
        """Return tables as JSON, for a function's environment variable."""
        return json.dumps([vars(self.tables[name]) for name in names])

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.s3, WORK_BUCKET)

    @property
    def archive(self) -> Archive:
        return Archive(self.s3, WORK_BUCKET)

    def rows(self, table: str, day: int = DAY) -> list[dict[str, Any]]:
        """Return the rows of all objects of a partition."""
        objects = list_day(self.s3, self.tables[table], day)
        return [row for item in objects for row in read(self.s3, item).rows.to_pylist()]

    def keys(self, table: str, day: int = DAY) -> list[str]:
        """Return the keys of a partition."""
        lake_table = self.tables[table]
        answer = self.s3.list_objects_v2(Bucket=lake_table.bucket, Prefix=lake_table.prefix(day))
        return [item["Key"] for item in answer.get("Contents", [])]

    def partitions(self, table: str) -> list[str]:
        """Return the partition values of a table in the catalog."""
        lake_table = self.tables[table]
        answer = self.glue.get_partitions(DatabaseName=lake_table.database, TableName=table)
        return [partition["Values"][0] for partition in answer["Partitions"]]

    def messages(self, kind: str) -> list[dict[str, Any]]:
        """Receive all messages of a queue."""
        bodies = []
        while True:
            answer = self.sqs.receive_message(QueueUrl=self.queue_urls[kind], MaxNumberOfMessages=10)
            if not answer.get("Messages"):
                return bodies
            for message in answer["Messages"]:
                handle = message["ReceiptHandle"]
                self.sqs.delete_message(QueueUrl=self.queue_urls[kind], ReceiptHandle=handle)
                bodies.append(json.loads(message["Body"]))


def usual_environment(lake: Lake) -> dict[str, str]:
    """Return the usual environment variables of the functions."""
    return {
        "LAKE_TABLES": lake.setting(*reversed(LAYERS)),
        "WORK_BUCKET": WORK_BUCKET,
        "GET_TICKERS_FUNCTION_NAME": "get-tickers",
        "WORKFLOW_ARN": WORKFLOW,
        "FETCH_FROM": "site",
        "FETCH_HEADERS": '{"Accept-Language": "pt-BR"}',
        "FETCH_THREADS": "1",
        "FETCH_TIMEOUT_SECONDS": "5",
        "KEEP_PAGES": "true",
        "SQS_VISIBILITY_TIMEOUT_SECONDS": "60",
        "SQS_MAX_RECEIVE_COUNT": "3",
        "TICKERS_QUEUE_URLS": json.dumps(lake.queue_urls),
        "QUEUE_PATIENCE_SECONDS": "2160",
        "LOOK_INTERVAL_SECONDS": "30",
        "DEAD_LETTER_QUEUE_URLS": "[]",
        "QUALITY_GATE": "fail",
        "QUALITY_REFERENCE_FROM": "10000101",
        "DAILY_DIGEST": "true",
        "NAME_PREFIX": "pynvest",
    }


def set_environment(monkeypatch: pytest.MonkeyPatch, lake: Lake, **changed: str) -> None:
    """Set the functions' environment variables: the usual values, replaced and extended by `changed`."""
    for name, value in (usual_environment(lake) | changed).items():
        monkeypatch.setenv(name, value)


def list_keys(lake: Lake, at_once: int) -> None:
    """Limit each answer of ListObjectsV2 to `at_once` keys."""
    lake.s3.meta.events.register(
        "provide-client-params.s3.ListObjectsV2", lambda params, **_: {"MaxKeys": at_once, **params}
    )


def make_lake() -> Lake:
    """Make the lake's buckets, databases, tables and queues, as Terraform does."""
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
    return lake
