"""Reads events from S3, direct or through EventBridge, and finds the lake's objects that they name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote_plus

from aws_lambda_powertools.utilities.data_classes import S3Event

from b3.days import DayRefused, check_run_day
from pynvest_lake.storage import PART, LakeObject, LakeTable, UnexpectedObject


class UnexpectedEvent(ValueError):
    """The event is not for this function; the text says what was found and what was expected."""


def objects_of(event: dict[str, Any], sources: Iterable[LakeTable]) -> tuple[list[LakeObject], list[str]]:
    """Return the parts that an S3 event names, and a text about each record that names no part.

    Parameters
    ----------
    event
        The event from S3, directly or through EventBridge.
    sources
        The tables whose objects the function reads.

    Raises
    ------
    UnexpectedEvent
        The event is neither from S3 nor from EventBridge.
    """
    tables = list(sources)
    if event.get("Event") == "s3:TestEvent":
        return [], []
    if event.get("source") == "aws.s3":
        return _object_of_bus(event, tables)
    if not isinstance(event.get("Records"), list):
        raise UnexpectedEvent(f"event has {sorted(event)}, expected the Records of an S3 event")
    objects: dict[LakeObject, None] = {}
    problems = []
    for position, record in enumerate(S3Event(event).records):
        try:
            bucket, key = record.s3.bucket.name, unquote_plus(record.s3.get_object.key)
            objects[_object(bucket, key, tables)] = None
        except (KeyError, TypeError) as error:
            problems.append(f"record {position} is no S3 record: it lacks {error}")
        except UnexpectedObject as error:
            problems.append(f"record {position}: {error}")
    return list(objects), problems


def _object_of_bus(
    event: dict[str, Any], tables: Collection[LakeTable]
) -> tuple[list[LakeObject], list[str]]:
    """Return the one object that an EventBridge event names; the key in the event is not URL-encoded."""
    try:
        bucket, key = event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
        return [_object(bucket, key, tables)], []
    except (KeyError, TypeError) as error:
        raise UnexpectedEvent(f"event of EventBridge lacks {error}, expected bucket and object") from error
    except UnexpectedObject as error:
        return [], [str(error)]


def _object(bucket: str, key: str, tables: Collection[LakeTable]) -> LakeObject:
    table = next((one for one in tables if one.bucket == bucket and key.startswith(one.root)), None)
    if table is None:
        expected = ", ".join(f"s3://{table.bucket}/{table.root}" for table in tables)
        raise UnexpectedObject(f"s3://{bucket}/{key} is of no table of this function, expected {expected}")
    found = table.parse_key(key)
    if found.form != PART:
        raise UnexpectedObject(f"{found.uri} is a compact object, expected a part")
    try:
        check_run_day(found.day, datetime.now(timezone.utc))
    except DayRefused as error:
        raise UnexpectedObject(f"{found.uri}: {error}") from error
    return found
