"""The settings of stage 5, from environment variables."""

from __future__ import annotations

from dataclasses import dataclass

from pynvest_lake.storage import LakeTable


@dataclass(frozen=True)
class Settings:
    """The source tables, and the table to write."""

    source_tables: tuple[LakeTable, ...]
    target_table: LakeTable
