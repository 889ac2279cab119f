"""The lake's objects in S3: where they are, how they are named, written and read.

An object is ``<table>/anomesdia_exec=<day>/<id>.part.parquet``, or ``….compact.parquet`` after a compaction.
Objects are immutable. The id of a SoR part is a hash of its rows, a part of SoT or Spec has the id of the SoR
object that it comes from, and a compact object lists the ids of the SoR objects that went into it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from b3.days import parse_day
from pynvest_lake.aws import put_new
from pynvest_lake.contract import table_schema
from pynvest_lake.day import PARTITION_KEY

PART = "part"
COMPACT = "compact"
COMPACTED_IDS = b"pynvest.folded_ids"
# S3's refusals of a request that was made on condition.
GONE_OR_CHANGED = {"PreconditionFailed", "NoSuchKey", "404", "412", "ConditionalRequestConflict"}

_NAME = re.compile(rf"(?P<id>[0-9a-f]{{32}})\.(?P<form>{PART}|{COMPACT})\.parquet")


class UnexpectedObject(ValueError):
    """An object or a key that is not of the lake; the text says which, and what was expected."""


class ObjectChanged(Exception):
    """The object is no longer the one that was read."""


class ObjectGone(Exception):
    """The object is no longer there."""


@dataclass(frozen=True)
class LakeTable:
    """A table of the lake and where it lies.

    Parameters
    ----------
    bucket, database, table
        The names of bucket, database and table.
    key_prefix
        What the keys of its objects have before the table's name: empty, or ``<name>/`` of a lake that shares
        a bucket with others.
    """

    bucket: str
    database: str
    table: str
    key_prefix: str = ""

    @classmethod
    def from_setting(cls, value: Mapping[str, str]) -> LakeTable:
        """Read a table from the form it has in a function's environment.

        Raises
        ------
        ValueError
            Not the keys ``bucket``, ``database`` and ``table``, with or without ``key_prefix``.
        """
        if not isinstance(value, Mapping) or set(value) - {"key_prefix"} != {"bucket", "database", "table"}:
            raise ValueError(f"a table is {value!r}, expected an object with bucket, database and table")
        return cls(**value)

    @property
    def root(self) -> str:
        """Return what all keys of the table start with."""
        return f"{self.key_prefix}{self.table}/"

    def prefix(self, day: int) -> str:
        """Return the key prefix of a day's partition."""
        return f"{self.root}{PARTITION_KEY}={day}/"

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
        partition, _, name = key.removeprefix(self.root).partition("/")
        match = _NAME.fullmatch(name)
        field, _, day = partition.partition("=")
        if key.startswith(self.root) and field == PARTITION_KEY and match and day.isascii() and day.isdigit():
            try:
                return LakeObject(self, parse_day(int(day)), match["id"], match["form"])
            except ValueError as error:
                raise UnexpectedObject(f"s3://{self.bucket}/{key}: {error}") from error
        raise UnexpectedObject(
            f"s3://{self.bucket}/{key} is no object of the table, "
            f"expected {self.root}{PARTITION_KEY}=<YYYYMMDD>/<32 hex digits>.{PART}.parquet"
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


@dataclass(frozen=True)
class Content:
    """An object as it was read: its rows, its ETag and the ids of the SoR objects that it comes from."""

    object: LakeObject
    rows: pa.Table
    etag: str
    ids: frozenset[str]


@dataclass(frozen=True)
class Partition:
    """What a day's partition holds.

    Parameters
    ----------
    objects
        When each object was written, in the order of their keys.
    foreign
        The keys that are not of the lake, such as ``_SUCCESS``: nothing reads or removes them.
    """

    objects: Mapping[LakeObject, datetime]
    foreign: tuple[str, ...]

    def __iter__(self) -> Iterator[LakeObject]:
        """Go through the objects."""
        return iter(self.objects)

    def __len__(self) -> int:
        """Return how many objects there are."""
        return len(self.objects)

    def ids(self, form: str) -> frozenset[str]:
        """Return the ids in the names of the objects of a form."""
        return frozenset(item.id for item in self if item.form == form)


def object_id(*parts: object) -> str:
    """Return the id that stands for what went into an object: the same for the same parts in this order."""
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:32]


def write(s3: Any, target: LakeObject, rows: pa.Table, ids: Collection[str] | None = None) -> bool:
    """Write rows as one object, unless there is one of its name: Parquet with dictionaries and Snappy.

    Parameters
    ----------
    s3
        S3 client.
    target
        The object.
    rows
        Rows with the schema of the object's table.
    ids
        For a compact object, the ids of the SoR objects that went into it.

    Returns
    -------
    bool
        Whether it was written: where an object has the name, it has the content too.
    """
    rows = rows.cast(table_schema(target.table.table).arrow).replace_schema_metadata(None)
    if ids is not None:
        rows = rows.replace_schema_metadata({COMPACTED_IDS: json.dumps(sorted(ids))})
    buffer = BytesIO()
    pq.write_table(rows, buffer, compression="snappy", use_dictionary=True)
    return put_new(s3, target.table.bucket, target.key, buffer.getvalue(), "application/vnd.apache.parquet")


def read(s3: Any, source: LakeObject) -> Content:
    """Read an object; it has nulls in columns that were added to the contract after it was written.

    Raises
    ------
    ObjectGone
        There is no such object.
    UnexpectedObject
        The object is no Parquet, or its columns are not the first ones of its table's contract.
    """
    body, etag = _get(s3, source)
    try:
        rows = pq.read_table(BytesIO(body))
    except pa.ArrowInvalid as error:
        raise UnexpectedObject(f"{source.uri} is no Parquet object: {error}") from error
    schema = table_schema(source.table.table)
    expected = schema.arrow
    first = pa.schema(list(expected)[: len(rows.schema)])
    if not rows.schema.names or not rows.schema.equals(first, check_metadata=False):
        raise UnexpectedObject(
            f"{source.uri} has other columns or types than its table's contract: "
            f"{sorted(set(map(str, rows.schema)) ^ set(map(str, expected))) or 'another order'}"
        )
    ids = _ids(source, rows.schema.metadata)
    return Content(source, schema.completed(rows).replace_schema_metadata(None), etag, ids)


def list_day(s3: Any, table: LakeTable, day: int) -> Partition:
    """Look at what a day's partition holds."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=table.bucket, Prefix=table.prefix(day))
    objects: dict[LakeObject, datetime] = {}
    foreign = []
    for page in pages:
        for item in page.get("Contents", []):
            try:
                objects[table.parse_key(item["Key"])] = item["LastModified"]
            except UnexpectedObject:
                foreign.append(item["Key"])
    return Partition(objects, tuple(foreign))


def arrived_ids(s3: Any, partition: Partition) -> frozenset[str]:
    """Return the ids of the SoR objects that have come to a partition, as parts or compacted."""
    return partition.ids(PART).union(*(compacted_ids(s3, item) for item in partition))


def compacted_ids(s3: Any, item: LakeObject) -> frozenset[str]:
    """Return the ids that a compact object lists; none of a part, and of an object that has gone."""
    if item.form == PART:
        return frozenset()
    try:
        return _compacted_ids(s3, item)
    except ObjectGone:  # never remembered
        return frozenset()


@lru_cache(maxsize=10_000)
def _compacted_ids(s3: Any, item: LakeObject) -> frozenset[str]:
    body, _ = _get(s3, item)
    return _ids(item, pq.read_metadata(BytesIO(body)).metadata)


def _get(s3: Any, item: LakeObject) -> tuple[bytes, str]:
    try:
        answer = s3.get_object(Bucket=item.table.bucket, Key=item.key)
    except s3.exceptions.NoSuchKey as error:
        raise ObjectGone(f"{item.uri} is no longer there") from error
    return answer["Body"].read(), answer["ETag"]


def _ids(item: LakeObject, metadata: Mapping[bytes, bytes] | None) -> frozenset[str]:
    if item.form == PART:
        return frozenset([item.id])
    if COMPACTED_IDS not in (metadata or {}):
        raise UnexpectedObject(f"{item.uri} lacks the ids that it holds, under {COMPACTED_IDS.decode()}")
    return frozenset(json.loads((metadata or {})[COMPACTED_IDS]))
