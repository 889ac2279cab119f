"""The settings of stage 6, from environment variables."""

from __future__ import annotations

from dataclasses import dataclass

from pynvest_lake.storage import LakeTable


@dataclass(frozen=True)
class Settings:
    """The table to compact, its source tables, and its derived tables."""

    table: LakeTable
    source_tables: tuple[LakeTable, ...]
    downstream_tables: tuple[LakeTable, ...]
