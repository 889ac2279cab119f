"""The settings of stage 4, from environment variables."""

from __future__ import annotations

from dataclasses import dataclass

from b3.kind import Kind
from pynvest_lake.storage import LakeTable


@dataclass(frozen=True)
class Settings:
    """The kind of asset, the source tables, and the table to write."""

    ticker_kind: Kind
    source_tables: tuple[LakeTable, ...]
    target_table: LakeTable
