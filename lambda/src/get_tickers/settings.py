"""The settings of stage 2, from environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from b3.kind import Kind
from pynvest_lake.storage import LakeTable


@dataclass(frozen=True)
class Settings:
    """The settings of stage 2.

    ``fetch_headers``: headers of the requests to the site. ``tickers_queue_urls``: the queue of each kind.
    ``work_bucket``: the bucket of ledger and archive. ``keep_pages``: whether pages are archived.
    ``queue_patience_seconds``: the time that all tries of a message may take; by then a message has been
    read, or is in the dead-letter queue. ``fetch_from``: ``site``, or ``pages`` if a collector brings the
    pages.
    """

    fundamentus_base_url: str
    fetch_headers: tuple[tuple[str, str], ...]
    tickers_queue_urls: Mapping[Kind, str]
    lake_tables: tuple[LakeTable, ...]
    work_bucket: str
    keep_pages: bool
    fetch_from: str
    queue_patience_seconds: int
