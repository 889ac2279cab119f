"""The settings of Look and Assess, from environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from b3.kind import Kind
from pynvest_lake.storage import LakeTable


@dataclass(frozen=True)
class Settings:
    """The settings of the function.

    ``queue_patience_seconds`` is the time that all tries of a message may take; after this time, a message
    has been read or is in the dead-letter queue. ``fetch_from`` is ``site`` if the lake fetches pages from
    the site, ``pages`` if a collector uploads the pages. ``quality_gate`` is ``fail``, or ``record`` to
    record a bad verdict without failing the workflow. References use only values from the day
    ``quality_reference_from`` on. ``daily_digest`` says whether a day without remarks also gets a digest.
    ``name_prefix`` is the lake's name.
    """

    lake_tables: tuple[LakeTable, ...]
    work_bucket: str
    tickers_queue_urls: Mapping[Kind, str]
    queue_patience_seconds: int
    look_interval_seconds: int
    workflow_arn: str
    fetch_from: str
    dead_letter_queue_urls: tuple[str, ...]
    quality_gate: str
    quality_reference_from: int
    daily_digest: bool
    name_prefix: str

    def table(self, name: str) -> LakeTable:
        """Return the lake's table that has the given name."""
        return next(table for table in self.lake_tables if table.table == name)
