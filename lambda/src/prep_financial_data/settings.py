"""The environment of stage 4."""

from __future__ import annotations

from dataclasses import dataclass

from b3.kind import Kind
from pynvest_lake.storage import LakeTable


@dataclass(frozen=True)
class Settings:
    """The kind of asset, the tables whose objects are taken, and the one that is written."""

    ticker_kind: Kind
    source_tables: tuple[LakeTable, ...]
    target_table: LakeTable
