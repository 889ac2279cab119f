"""The lake's objects in S3: their location and names, and functions to write and read them.

An object is ``<table>/anomesdia_exec=<day>/<id>.part.parquet``, or ``….compact.parquet`` after a compaction.
Objects are immutable. The id of a SoR part is a hash of its rows. A part of SoT or Spec has the id of its SoR
object. A compact object lists the ids of the SoR objects that it contains.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from b3.days import PARTITION_KEY, parse_day
from pynvest_lake.aws import list_objects, put_new
from pynvest_lake.contract import table_schema

T = TypeVar("T")

PART = "part"
COMPACT = "compact"
COMPACTED_IDS = b"pynvest.folded_ids"
# S3's error codes for a conditional delete of an object that is gone or has changed.
GONE_OR_CHANGED = {"PreconditionFailed", "NoSuchKey", "404", "412", "ConditionalRequestConflict"}

_NAME = re.compile(
    rf"{PARTITION_KEY}=(?P<day>[0-9]{{8}})/(?P<id>[0-9a-f]{{32}})\.(?P<form>{PART}|{COMPACT})\.parquet"
)


class UnexpectedObject(ValueError):
    """An object or a key does not belong to the lake. The text says what was found and what was expected."""


class ObjectGone(Exception):
    """The object no longer exists."""


@dataclass(frozen=True)
class LakeTable:
    """A table of the lake and its location.

    Parameters
    ----------
    bucket, database, table
        The names of bucket, database and table.
    key_prefix
        The start of each key, before the table's name. The start is ``<name>/`` if several lakes share the
        bucket; otherwise it is empty.
    """

    bucket: str
    database: str
    table: str
    key_prefix: str = ""

    @property
    def root(self) -> str:
        """Return the key prefix of the table."""
        return f"{self.key_prefix}{self.table}/"

    def prefix(self, day: int) -> str:
        """Return the key prefix of a day's partition."""
        return f"{self.root}{PARTITION_KEY}={day}/"

    def location(self, day: int) -> str:
        """Return the S3 address of a day's partition."""
        return f"s3://{self.bucket}/{self.prefix(day)}"

    def part(self, day: int, object_id: str) -> LakeObject:
        """Return the part that has the given id."""
        return LakeObject(self, day, object_id, PART)

    def compact(self, day: int, object_id: str) -> LakeObject:
        """Return the compact object that has the given id."""
        return LakeObject(self, day, object_id, COMPACT)

    def parse_key(self, key: str) -> LakeObject:
        """Read an object's key.

        Raises
        ------
        UnexpectedObject
            The key does not belong to this table.
        """
        match = _NAME.fullmatch(key.removeprefix(self.root))
        with suppress(ValueError):  # the day may not exist
            if key.startswith(self.root) and match:
                return LakeObject(self, parse_day(int(match["day"])), match["id"], match["form"])
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
    """The rows of an object, and the ids of the SoR objects that these rows come from."""

    object: LakeObject
    rows: pa.Table
    ids: frozenset[str]


@dataclass(frozen=True)
class Partition:
    """The objects of a day's partition.

    Parameters
    ----------
    objects
        The objects in the order of the keys, each as S3 lists it (with ``ETag`` and ``LastModified``).
    foreign
        The keys that do not belong to the lake, such as ``_SUCCESS``. No function reads foreign objects. Only
        stage 1 removes foreign objects, when it clears the day.
    """

    objects: Mapping[LakeObject, Mapping[str, Any]]
    foreign: tuple[str, ...]

    def __iter__(self) -> Iterator[LakeObject]:
        """Iterate over the objects."""
        return iter(self.objects)

    def __len__(self) -> int:
        """Return the number of objects in the partition."""
        return len(self.objects)

    def ids(self, form: str) -> frozenset[str]:
        """Return the ids of the objects that have the given form, ``part`` or ``compact``."""
        return frozenset(item.id for item in self if item.form == form)


def object_id(*parts: object) -> str:
    """Return a hash of the parts, as an object's id. The order of the parts matters."""
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:32]


def write(s3: Any, target: LakeObject, rows: pa.Table, ids: Collection[str] | None = None) -> None:
    """Write rows as one object, unless the key exists. The format is Parquet with dictionaries and Snappy.

    The rows have the schema of the object's table. For a compact object, `ids` are the ids of the SoR objects
    that it contains.
    """
    rows = rows.cast(table_schema(target.table.table).arrow).replace_schema_metadata(None)
    if ids is not None:
        rows = rows.replace_schema_metadata({COMPACTED_IDS: json.dumps(sorted(ids))})
    buffer = BytesIO()
    pq.write_table(rows, buffer, compression="snappy", use_dictionary=True)
    put_new(s3, target.table.bucket, target.key, buffer.getvalue(), "application/vnd.apache.parquet")


def read(s3: Any, source: LakeObject) -> Content:
    """Read an object. Columns that are newer than the object are filled with nulls.

    Raises
    ------
    ObjectGone
        The object does not exist.
    UnexpectedObject
        The object is not Parquet, or its columns are not the first columns of the table's contract.
    """
    rows = _parse(source, pq.read_table, _get(s3, source))
    expected = table_schema(source.table.table).arrow
    first = pa.schema(list(expected)[: len(rows.schema)])
    if not rows.schema.names or not rows.schema.equals(first, check_metadata=False):
        raise UnexpectedObject(
            f"{source.uri} has other columns or types than its table's contract: "
            f"{sorted(set(map(str, rows.schema)) ^ set(map(str, expected))) or 'another order'}"
        )
    ids = _ids(source, rows.schema.metadata)
    rows = pa.concat_tables(
        [expected.empty_table(), rows.replace_schema_metadata()], promote_options="default"
    )
    return Content(source, rows, ids)


def list_day(s3: Any, table: LakeTable, day: int) -> Partition:
    """List the objects of a day's partition."""
    objects: dict[LakeObject, Mapping[str, Any]] = {}
    foreign = []
    for item in list_objects(s3, table.bucket, table.prefix(day)):
        try:
            objects[table.parse_key(item["Key"])] = item
        except UnexpectedObject:
            foreign.append(item["Key"])
    return Partition(objects, tuple(foreign))


def arrived_ids(s3: Any, partition: Partition) -> frozenset[str]:
    """Return the ids of the SoR objects whose rows have arrived in a partition.

    If a compact object is unreadable, its ids count as not arrived, and a quality check reports them.

    Raises
    ------
    ObjectGone
        A compact object was replaced after the partition was listed.
    """
    arrived = set(partition.ids(PART))
    for item in partition:
        with suppress(UnexpectedObject):
            arrived |= compacted_ids(s3, item)
    return frozenset(arrived)


@lru_cache(maxsize=10_000)
def compacted_ids(s3: Any, item: LakeObject) -> frozenset[str]:
    """Return the ids that a compact object lists. For a part, return an empty set.

    Raises
    ------
    ObjectGone
        The object does not exist.
    UnexpectedObject
        The object is not Parquet, or it lists no ids.
    """
    if item.form == PART:
        return frozenset()
    return _ids(item, _parse(item, pq.read_metadata, _get(s3, item)).metadata)


def _get(s3: Any, item: LakeObject) -> bytes:
    try:
        body: bytes = s3.get_object(Bucket=item.table.bucket, Key=item.key)["Body"].read()
    except s3.exceptions.NoSuchKey as error:
        raise ObjectGone(f"{item.uri} no longer exists") from error
    return body


def _parse(item: LakeObject, parse: Callable[[BytesIO], T], body: bytes) -> T:
    try:
        return parse(BytesIO(body))
    except (pa.ArrowInvalid, OSError) as error:  # Arrow raises OSError for damaged metadata or pages
        raise UnexpectedObject(f"{item.uri} is no Parquet object: {error}") from error


def _ids(item: LakeObject, metadata: Mapping[bytes, bytes] | None) -> frozenset[str]:
    if item.form == PART:
        return frozenset([item.id])
    if COMPACTED_IDS not in (metadata or {}):
        raise UnexpectedObject(f"{item.uri} lacks the ids of its SoR objects in {COMPACTED_IDS.decode()}")
    return frozenset(json.loads((metadata or {})[COMPACTED_IDS]))
