"""Rows and objects for tests of the lake."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from fundamentus_site.asset_page import Labels
from moto_lake import DAY, Lake
from pynvest_lake.contract import SOR, table_schema
from pynvest_lake.storage import LakeObject, object_id, write

SCHEMAS = {kind: table_schema(table) for kind, table in SOR.items()}
LABELS = {kind: Labels(schema.labels, schema.core_labels) for kind, schema in SCHEMAS.items()}
"""The labels of each kind's pages."""


def rows(table: str, *values: Mapping[str, Any]) -> pa.Table:
    """Return rows of a table with the given values; the other columns are null."""
    schema = table_schema(table).arrow
    blank = dict.fromkeys(schema.names)
    return pa.Table.from_pylist([blank | dict(row) for row in values], schema=schema)


def put_part(lake: Lake, table: str, name: object, *values: Mapping[str, Any], day: int = DAY) -> LakeObject:
    """Write the rows into a table as one part. `name` determines the part's id."""
    item = lake.tables[table].part(day, object_id(name))
    write(lake.s3, item, rows(table, *values))
    return item


def s3_event(*items: LakeObject) -> dict[str, Any]:
    """Return the event that S3 sends for new objects."""
    return raw_s3_event(*((item.table.bucket, item.key) for item in items))


def raw_s3_event(*objects: tuple[str, str]) -> dict[str, Any]:
    """Return the event that S3 sends for new objects; each object is a pair of bucket and key."""
    return {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": bucket}, "object": {"key": key.replace("=", "%3D")}},
            }
            for bucket, key in objects
        ]
    }


def bus_event(bucket: str, key: str) -> dict[str, Any]:
    """Return the event that EventBridge sends for a new object."""
    return {
        "version": "0",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "account": "123456789012",
        "detail": {"bucket": {"name": bucket}, "object": {"key": key}, "reason": "PutObject"},
    }


def sqs_event(*bodies: object, receive_count: int = 1) -> dict[str, Any]:
    """Return the event that a queue's trigger sends for messages."""
    return {
        "Records": [
            {
                "messageId": f"message-{position}",
                "receiptHandle": f"handle-{position}",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": str(receive_count)},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:sa-east-1:123456789012:tickers",
                "awsRegion": "sa-east-1",
            }
            for position, body in enumerate(bodies)
        ]
    }
