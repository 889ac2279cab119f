"""The applied lake, and the contents of its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any

import pyarrow as pa

from pynvest_lake.storage import Content, LakeObject, LakeTable, ObjectGone, list_day, read

LAYERS = {"sor": "SoR", "sot": "SoT", "spec": "Spec"}


@dataclass(frozen=True)
class Table(LakeTable):
    """A table; `kind` is None if the table has both kinds."""

    layer: str = field(kw_only=True)
    kind: str | None = field(kw_only=True)

    @classmethod
    def from_output(cls, output: Mapping[str, Any]) -> Table:
        """Make a table from its entry in the outputs of ``examples/local``."""
        return cls(
            output["bucket"],
            output["database"],
            output["name"],
            output["prefix"].removesuffix(f"{output['name']}/"),
            layer=output["layer"],
            kind=output["kind"],
        )

    @property
    def name(self) -> str:
        """The table's name in the catalog."""
        return self.table


@dataclass(frozen=True)
class Lake:
    """Names and addresses of the lake's resources, for the run of a day.

    Parameters
    ----------
    tables
        The five tables of assets, in the order SoR, SoT, Spec.
    quality
        The table with the quality rows of all days.
    work_bucket
        Name of the bucket for pages, ledger and query results.
    ticker_queues
        URL of each kind's ticker queue.
    dead_letter_queues
        URL of each kind's queue for tickers that failed repeatedly.
    failure_queues
        URLs of the queues for failed starts and failed invocations; the keys are the names of the queues.
    functions
        Names of the functions, in the order of the stages.
    listing_function
        Name of the function that queues the tickers.
    start_schedule, dedup_schedule
        Names of the two schedules.
    workgroup
        Name of the workgroup for queries.
    """

    tables: tuple[Table, ...]
    quality: Table
    work_bucket: str
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
        found = {
            **outputs,
            "tables": tuple(Table.from_output(table) for table in outputs["tables"]),
            "quality": Table.from_output(outputs["quality_table"]),
        }
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
    """Reads the partitions of tables.

    Parameters
    ----------
    s3
        Client of S3.
    """

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self._known: dict[LakeObject, Content] = {}

    def objects(self, table: LakeTable, day: int) -> list[Content]:
        """Return a table's objects for one day; each object is read only once."""
        found = []
        for item in list_day(self._s3, table, day):
            with suppress(ObjectGone):  # deleted after it was listed
                if item not in self._known:
                    self._known[item] = read(self._s3, item)
                found.append(self._known[item])
        return found

    def read(self, table: LakeTable, day: int) -> pa.Table:
        """Return all rows of a table for one day; each call reads all objects again."""
        parts = [read(self._s3, item).rows for item in list_day(self._s3, table, day)]
        return pa.concat_tables(parts) if parts else pa.table({})
