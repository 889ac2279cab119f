"""What stage 6 is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pynvest_lake.kinds import Kind
from pynvest_lake.storage import LakeTable


@dataclass(frozen=True)
class Settings:
    """The table to fold, the tables before and after it, the queues that feed it, and the day's zone."""

    table: LakeTable
    upstream_tables: tuple[LakeTable, ...]
    downstream_tables: tuple[LakeTable, ...]
    tickers_queue_urls: Mapping[Kind, str]
    schedule_timezone: str
