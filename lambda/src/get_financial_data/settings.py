"""The settings of stage 3, from environment variables."""

from __future__ import annotations

from dataclasses import dataclass

from b3.kind import Kind
from pynvest_lake.storage import LakeTable


@dataclass(frozen=True)
class Settings:
    """The settings of stage 3: kind of asset, table and bucket, queue limits, and requests to the site."""

    ticker_kind: Kind
    target_table: LakeTable
    work_bucket: str
    keep_pages: bool
    sqs_visibility_timeout_seconds: int
    sqs_max_receive_count: int
    fundamentus_base_url: str
    fetch_headers: tuple[tuple[str, str], ...]
    fetch_threads: int
    fetch_timeout_seconds: float
