"""The lake's objects in S3: where they are, how they are named, written and read.

An object is ``<table>/anomesdia_exec=<day>/<id>.part.parquet``, or ``….compact.parquet`` after a dedup.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from pynvest_lake.contract import PARTITION_KEY, table_schema
from pynvest_lake.day import parse_day

PART = "part"
COMPACT = "compact"
FOLDED_IDS = b"pynvest.folded_ids"
# How S3 refuses a request that was made on condition.
GONE_OR_CHANGED = {"PreconditionFailed", "NoSuchKey", "404", "412", "ConditionalRequestConflict"}

_NAME = re.compile(rf"(?P<id>[0-9a-f]{{32}})\.(?P<form>{PART}|{COMPACT})\.parquet")


class UnexpectedObject(ValueError):  # noqa: N818 - what it is
    """An object or a key that is not of the lake; the text says which, and what was expected."""


class ObjectChanged(Exception):  # noqa: N818 - what happened
    """The object is not the one that was read any more."""


class ObjectGone(Exception):  # noqa: N818 - what happened
    """The object is not there any more."""


@dataclass(frozen=True)
class LakeTable:
    """A table of the lake and where it lies."""

    bucket: str
    database: str
    table: str

    @classmethod
    def from_setting(cls, value: Mapping[str, str]) -> LakeTable:
        """Read a table from the form it has in a function's environment.

        Raises
        ------
        ValueError
            Not exactly the keys ``bucket``, ``database`` and ``table``.
        """
        if not isinstance(value, Mapping) or set(value) != {"bucket", "database", "table"}:
            raise ValueError(f"a table is {value!r}, expected an object with bucket, database and table")
        return cls(**value)

    def prefix(self, day: int) -> str:
        """Return the key prefix of a day's partition."""
        return f"{self.table}/{PARTITION_KEY}={day}/"

    def location(self, day: int) -> str:
        """Return the S3 address of a day's partition."""
        return f"s3://{self.bucket}/{self.prefix(day)}"

    def part(self, day: int, object_id: str) -> LakeObject:
        """Return the part object of an id."""
        return LakeObject(self, day, object_id, PART)

    def compact(self, day: int, object_id: str) -> LakeObject:
        """Return the compact object of an id."""
        return LakeObject(self, day, object_id, COMPACT)

    def parse_key(self, key: str) -> LakeObject:
        """Read an object's key.

        Raises
        ------
        UnexpectedObject
            The key is not one of this table.
        """
        table, _, rest = key.partition("/")
        partition, _, name = rest.partition("/")
        match = _NAME.fullmatch(name)
        field, _, day = partition.partition("=")
        if table == self.table and field == PARTITION_KEY and match and day.isascii() and day.isdigit():
            try:
                return LakeObject(self, parse_day(int(day)), match["id"], match["form"])
            except ValueError as error:
                raise UnexpectedObject(f"s3://{self.bucket}/{key}: {error}") from error
        raise UnexpectedObject(
            f"s3://{self.bucket}/{key} is no object of the table, "
            f"expected {self.table}/{PARTITION_KEY}=<YYYYMMDD>/<32 hex digits>.{PART}.parquet"
        )


@dataclass(frozen=True)
class LakeObject:
    """One object of a table."""

    table: LakeTable
    day: int
    id: str
    form: str

    @property
    def key(self) -> str:
        """Return the object's key."""
        return f"{self.table.prefix(self.day)}{self.id}.{self.form}.parquet"

    @property
    def uri(self) -> str:
        """Return the object's S3 address."""
        return f"s3://{self.table.bucket}/{self.key}"


def object_id(*parts: object) -> str:
    """Return the id that stands for what went into an object: the same for the same parts in this order."""
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:32]


def write(
    s3: Any,
    target: LakeObject,
    rows: pa.Table,
    folded_ids: Iterable[str] | None = None,
    *,
    replaces: str | None = None,
) -> None:
    """Write rows as one object: Parquet with dictionaries and Snappy, in the types of the contract.

    A part is written over whatever is there: it is made of the same. A compact object is not.

    Parameters
    ----------
    s3
        S3 client.
    target
        The object.
    rows
        Rows with the schema of the object's table.
    folded_ids
        For a compact object, the ids of all parts that are in it.
    replaces
        For a compact object, the ETag of the one that it takes the place of. None where there is none.

    Raises
    ------
    ObjectChanged
        There is another compact object than the one to replace.
    """
    schema = table_schema(target.table.table).arrow
    rows = rows.cast(schema)
    if folded_ids is not None:
        rows = rows.replace_schema_metadata({FOLDED_IDS: json.dumps(sorted(folded_ids)).encode()})
    buffer = BytesIO()
    pq.write_table(rows, buffer, compression="snappy", use_dictionary=True)
    condition = {}
    if target.form == COMPACT:
        condition = {"IfMatch": replaces} if replaces else {"IfNoneMatch": "*"}
    try:
        s3.put_object(Bucket=target.table.bucket, Key=target.key, Body=buffer.getvalue(), **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE_OR_CHANGED:
            raise ObjectChanged(f"{target.uri} is not what it was when it was read") from error
        raise


@dataclass(frozen=True)
class Content:
    """What an object held when it was read."""

    object: LakeObject
    rows: pa.Table
    etag: str
    written_at: datetime
    folded_ids: frozenset[str]


def read(s3: Any, source: LakeObject) -> Content:
    """Read an object.

    Raises
    ------
    ObjectGone
        There is no such object.
    UnexpectedObject
        The object is no Parquet, or its columns are not those of its table's contract.
    """
    try:
        answer = s3.get_object(Bucket=source.table.bucket, Key=source.key)
    except s3.exceptions.NoSuchKey as error:
        raise ObjectGone(f"{source.uri} is not there any more") from error
    try:
        rows = pq.read_table(BytesIO(answer["Body"].read()))
    except pa.ArrowInvalid as error:
        raise UnexpectedObject(f"{source.uri} is no Parquet object: {error}") from error
    expected = table_schema(source.table.table).arrow
    if not rows.schema.equals(expected, check_metadata=False):
        raise UnexpectedObject(
            f"{source.uri} has other columns or types than its table's contract: "
            f"{sorted(set(map(str, rows.schema)) ^ set(map(str, expected))) or 'another order'}"
        )
    folded_ids = _folded_ids(source, rows.schema.metadata)
    return Content(source, rows, answer["ETag"], answer["LastModified"], folded_ids)


def list_day(s3: Any, table: LakeTable, day: int) -> dict[LakeObject, datetime]:
    """Return the objects of a day's partition, in the order of their keys, and when each was written.

    Raises
    ------
    UnexpectedObject
        An object in the partition is not of the lake.
    """
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=table.bucket, Prefix=table.prefix(day))
    return {
        table.parse_key(item["Key"]): item["LastModified"]
        for page in pages
        for item in page.get("Contents", [])
    }


def ids_of(s3: Any, item: LakeObject) -> frozenset[str]:
    """Return the ids that an object stands for: its own, or for a compact one those of all folded parts.

    An object that went away meanwhile stands for nothing.
    """
    if item.form == PART:
        return frozenset([item.id])
    try:
        answer = s3.get_object(Bucket=item.table.bucket, Key=item.key)
    except s3.exceptions.NoSuchKey:
        return frozenset()
    return _folded_ids(item, pq.read_metadata(BytesIO(answer["Body"].read())).metadata)


def _folded_ids(source: LakeObject, metadata: Mapping[bytes, bytes] | None) -> frozenset[str]:
    if source.form == PART:
        return frozenset([source.id])
    if not metadata or FOLDED_IDS not in metadata:
        raise UnexpectedObject(f"{source.uri} lacks the ids that it folded, under {FOLDED_IDS.decode()}")
    return frozenset(json.loads(metadata[FOLDED_IDS]))
