"""What stage 1 is told by its environment."""

from __future__ import annotations

from dataclasses import dataclass

from pynvest_lake.storage import LakeTable


@dataclass(frozen=True)
class Settings:
    """The tables to clear, each before those that its objects come from; whom to start; the day's zone."""

    lake_tables: tuple[LakeTable, ...]
    get_tickers_function_name: str
    schedule_timezone: str
