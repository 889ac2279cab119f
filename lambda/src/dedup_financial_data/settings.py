"""What stage 6 reads from its environment."""

from __future__ import annotations

from dataclasses import dataclass

from pynvest_lake.storage import LakeTable


@dataclass(frozen=True)
class Settings:
    """The table to compact, the tables that it is made from, and those that are made from it."""

    table: LakeTable
    source_tables: tuple[LakeTable, ...]
    downstream_tables: tuple[LakeTable, ...]
