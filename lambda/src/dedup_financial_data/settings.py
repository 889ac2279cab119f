"""What stage 6 is told by its environment."""

from __future__ import annotations

from dataclasses import dataclass

from pynvest_lake.storage import LakeTable


@dataclass(frozen=True)
class Settings:
    """The table to fold, the tables after it, and the day's zone."""

    table: LakeTable
    downstream_tables: tuple[LakeTable, ...]
    schedule_timezone: str
