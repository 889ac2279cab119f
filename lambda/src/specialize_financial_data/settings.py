"""The environment of stage 5."""

from __future__ import annotations

from dataclasses import dataclass

from pynvest_lake.storage import LakeTable


@dataclass(frozen=True)
class Settings:
    """The tables whose objects are taken, and the one that is written."""

    source_tables: tuple[LakeTable, ...]
    target_table: LakeTable
