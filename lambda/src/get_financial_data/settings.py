"""What stage 3 is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pynvest_lake.kinds import Kind
from pynvest_lake.storage import LakeTable


@dataclass(frozen=True)
class Settings:
    """The kind of paper, where its rows go, its queue, and how the site is asked."""

    ticker_kind: Kind
    target_table: LakeTable
    tickers_queue_url: str
    sqs_visibility_timeout_seconds: int
    fundamentus_base_url: str
    fetch_headers: Mapping[str, str]
    fetch_threads: int
    fetch_timeout_seconds: float
