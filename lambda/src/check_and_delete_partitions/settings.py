"""The settings of stage 1, from environment variables."""

from __future__ import annotations

from dataclasses import dataclass

from pynvest_lake.storage import LakeTable


@dataclass(frozen=True)
class Settings:
    """The settings of stage 1.

    ``lake_tables`` are the tables to clear. Each table comes before its sources. ``fetch_from`` is ``site``,
    or ``pages`` if a collector brings the pages.
    """

    lake_tables: tuple[LakeTable, ...]
    work_bucket: str
    get_tickers_function_name: str
    workflow_arn: str
    fetch_from: str
