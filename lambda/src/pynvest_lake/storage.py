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
from functools import lru_cache
from io import BytesIO
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from pynvest_lake.contract import table_schema
from pynvest_lake.day import PARTITION_KEY, parse_day

PART = "part"
COMPACT = "compact"
FOLDED_IDS = b"pynvest.folded_ids"
SOURCES = b"pynvest.sources"
# How S3 refuses a request that was made on condition.
GONE_OR_CHANGED = {"PreconditionFailed", "NoSuchKey", "404", "412", "ConditionalRequestConflict"}

_NAME = re.compile(rf"(?P<id>[0-9a-f]{{32}})\.(?P<form>{PART}|{COMPACT})\.parquet")


class UnexpectedObject(ValueError):  # noqa: N818 - what it is
    """An object or a key that is not of the lake; the text says which, and what was expected."""


class ObjectChanged(Exception):  # noqa: N818 - what happened
    """The object is not the one that was read any more."""


class ObjectGone(Exception):  # noqa: N818 - what happened
    """The object is not there any more."""


class Stamp(NamedTuple):
    """What an object was when it was looked at. Compared for equality only: no clock's order counts.

    The ETag alone would not do: an object that is copied onto itself to be processed again keeps it.
    """

    etag: str
    written_at: str

    @classmethod
    def of(cls, etag: str, written_at: datetime) -> Stamp:
        """Return the stamp of an object; S3 tells times in seconds, wherever it tells them."""
        return cls(etag.strip('"'), written_at.strftime("%Y-%m-%dT%H:%M:%SZ"))


# For each id that an object was made of, what its source was when it was read; nothing where unknown.
Sources = Mapping[str, frozenset[Stamp]]


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
    sources: Sources | None = None,
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
    sources
        The ids that the object was made of, with the stamps of what was read; of a compact object all that
        the folded parts name. None where the table comes from no other.
    replaces
        For a compact object, the ETag of the one that it takes the place of. None where there is none.

    Raises
    ------
    ObjectChanged
        There is another compact object than the one to replace.
    """
    schema = table_schema(target.table.table).arrow
    rows = rows.cast(schema)
    if sources is not None:
        metadata = {SOURCES: json.dumps({part_id: sorted(sources[part_id]) for part_id in sorted(sources)})}
        if target.form == COMPACT:  # where a version of before `SOURCES` looks for them
            metadata[FOLDED_IDS] = json.dumps(sorted(sources))
        rows = rows.replace_schema_metadata(metadata)
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
    stamp: Stamp
    sources: Sources


def read(s3: Any, source: LakeObject) -> Content:
    """Read an object; of columns that were added to the contract after it was written, it has nulls.

    Raises
    ------
    ObjectGone
        There is no such object.
    UnexpectedObject
        The object is no Parquet, or its columns are not the first ones of its table's contract.
    """
    try:
        answer = s3.get_object(Bucket=source.table.bucket, Key=source.key)
    except s3.exceptions.NoSuchKey as error:
        raise ObjectGone(f"{source.uri} is not there any more") from error
    try:
        rows = pq.read_table(BytesIO(answer["Body"].read()))
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
    stamp = Stamp.of(answer["ETag"], answer["LastModified"])
    sources = _sources(source, rows.schema.metadata)
    return Content(source, schema.completed(rows), answer["ETag"], stamp, sources)


def list_day(s3: Any, table: LakeTable, day: int) -> dict[LakeObject, Stamp]:
    """Return the objects of a day's partition, in the order of their keys, each with its stamp.

    Raises
    ------
    UnexpectedObject
        An object in the partition is not of the lake.
    """
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=table.bucket, Prefix=table.prefix(day))
    return {
        table.parse_key(item["Key"]): Stamp.of(item["ETag"], item["LastModified"])
        for page in pages
        for item in page.get("Contents", [])
    }


def joined(several: Iterable[Sources]) -> Sources:
    """Return the ids of several objects' sources, each with all stamps that any of them names."""
    stamps: dict[str, frozenset[Stamp]] = {}
    for sources in several:
        for part_id, named in sources.items():
            stamps[part_id] = stamps.get(part_id, frozenset()) | named
    return stamps


@lru_cache(maxsize=10_000)
def sources_of(s3: Any, item: LakeObject, stamp: Stamp) -> Sources:  # noqa: ARG001 - tells one content from another
    """Return the ids that an object was made of, with the stamps of what was read.

    An object that went away meanwhile was made of nothing. Kept in memory: the workflow asks again and again.

    Parameters
    ----------
    s3
        S3 client.
    item
        The object.
    stamp
        What it is now.
    """
    try:
        answer = s3.get_object(Bucket=item.table.bucket, Key=item.key)
    except s3.exceptions.NoSuchKey:
        return {}
    return _sources(item, pq.read_metadata(BytesIO(answer["Body"].read())).metadata)


def _sources(item: LakeObject, metadata: Mapping[bytes, bytes] | None) -> Sources:
    metadata = metadata or {}
    if SOURCES in metadata:
        return {
            part_id: frozenset(Stamp(*stamp) for stamp in stamps)
            for part_id, stamps in json.loads(metadata[SOURCES]).items()
        }
    if item.form == PART:
        return {item.id: frozenset()}
    if FOLDED_IDS not in metadata:
        raise UnexpectedObject(f"{item.uri} lacks the ids that it folded, under {FOLDED_IDS.decode()}")
    return {part_id: frozenset() for part_id in json.loads(metadata[FOLDED_IDS])}
