"""The applied lake, and the contents of its tables."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pynvest_lake.storage import LakeTable

PARTITION_KEY = "anomesdia_exec"
COMPACTED_IDS = b"pynvest.folded_ids"


LAYERS = {"sor": "SoR", "sot": "SoT", "spec": "Spec"}


@dataclass(frozen=True)
class Table:
    """A table; `kind` is None if the table has both kinds, and all keys of the table begin with `root`."""

    layer: str
    kind: str | None
    bucket: str
    root: str
    database: str
    name: str

    @classmethod
    def from_output(cls, output: Mapping[str, Any]) -> Table:
        """Make a table from its entry in the outputs of ``examples/local``."""
        return cls(root=output["prefix"], **{key: output[key] for key in output if key != "prefix"})

    @property
    def lake_table(self) -> LakeTable:
        """Return the table in the form that the functions' code uses."""
        return LakeTable(self.bucket, self.database, self.name, self.root.removesuffix(f"{self.name}/"))

    def prefix(self, day: int) -> str:
        """Return the key prefix of a day's objects."""
        return f"{self.root}{PARTITION_KEY}={day}/"


@dataclass(frozen=True)
class Storage:
    """The lake's tables and work bucket, for writing days into the lake.

    Parameters
    ----------
    tables
        The five tables of assets, SoR first.
    quality
        The table with the quality rows of all days.
    work_bucket
        Name of the bucket for pages, ledger and query results.
    """

    tables: tuple[Table, ...]
    quality: Table
    work_bucket: str

    @classmethod
    def from_outputs(cls, outputs: Mapping[str, Any]) -> Storage:
        """Make the storage from the outputs of ``examples/local``."""
        tables = tuple(Table.from_output(table) for table in outputs["tables"])
        return cls(tables, Table.from_output(outputs["quality_table"]), outputs["work_bucket"])


@dataclass(frozen=True)
class StoredObject:
    """One object of a partition; `ids` has its own id or, for a compact object, the ids that it replaces."""

    key: str
    size: int
    rows: int
    ids: frozenset[str]


@dataclass(frozen=True)
class Lake(Storage):
    """The applied resources that the run of a day uses.

    Parameters
    ----------
    ticker_queues
        URL of each kind's ticker queue.
    dead_letter_queues
        URL of each kind's queue for tickers that failed repeatedly.
    failure_queues
        URL of each queue for asynchronous invocations that failed permanently; the keys are queue names.
    functions
        Names of the functions, in the order of the stages.
    listing_function
        Name of the function that queues the tickers.
    start_schedule, dedup_schedule
        Names of the two schedules.
    workgroup
        Name of the workgroup for queries.
    """

    ticker_queues: Mapping[str, str]
    dead_letter_queues: Mapping[str, str]
    failure_queues: Mapping[str, str]
    functions: Sequence[str]
    listing_function: str
    start_schedule: str
    dedup_schedule: str
    workgroup: str

    @classmethod
    def from_outputs(cls, outputs: Mapping[str, Any]) -> Lake:
        """Make a lake from the outputs of ``examples/local``."""
        found = {**outputs, **vars(Storage.from_outputs(outputs))}
        return cls(**{one.name: found[one.name] for one in fields(cls)})

    def table(self, layer: str, kind: str | None = None) -> Table:
        """Return the table of a layer and a kind; `kind` is None for a table of both kinds."""
        return next(table for table in self.tables if (table.layer, table.kind) == (layer, kind))

    def derivations(self) -> list[tuple[Table, Table]]:
        """Return the pairs of tables (source, target): a stage reads the source and writes the target."""
        following = {"sor": "sot", "sot": "spec"}
        return [
            (source, target)
            for source in self.tables
            for target in self.tables
            if target.layer == following.get(source.layer) and target.kind in (source.kind, None)
        ]


class Partitions:
    """Reads the partitions of tables, and reads each object's footer only once.

    Parameters
    ----------
    s3
        Client of S3.
    """

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self._known: dict[tuple[str, str, str], StoredObject] = {}

    def objects(self, table: Table, day: int) -> list[StoredObject]:
        """Return a table's objects for one day."""
        found = []
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=table.bucket, Prefix=table.prefix(day)
        )
        for page in pages:
            for listed in page.get("Contents", ()):
                version = (table.bucket, listed["Key"], listed["ETag"])
                if version not in self._known:
                    stored = self._read_footer(table.bucket, listed["Key"])
                    if stored is None:
                        continue
                    self._known[version] = stored
                found.append(self._known[version])
        return found

    def read(self, table: Table, day: int) -> pa.Table:
        """Return all rows of a table for one day."""
        parts = [
            pq.read_table(io.BytesIO(self.body(table.bucket, stored.key)))
            for stored in self.objects(table, day)
        ]
        return pa.concat_tables(parts) if parts else pa.table({})

    def _read_footer(self, bucket: str, key: str) -> StoredObject | None:
        """Read one object's footer; return None if the object was deleted after it was listed."""
        try:
            body = self.body(bucket, key)
        except self._s3.exceptions.NoSuchKey:
            return None
        footer = pq.read_metadata(io.BytesIO(body))
        ids = [key.rsplit("/", 1)[-1].split(".", 1)[0]]
        if key.endswith(".compact.parquet"):
            ids = json.loads((footer.metadata or {}).get(COMPACTED_IDS, b"[]"))
        return StoredObject(key, len(body), footer.num_rows, frozenset(ids))

    def body(self, bucket: str, key: str) -> bytes:
        """Return the bytes of an object."""
        body: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body
