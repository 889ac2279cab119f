"""Errors of a compaction."""

from __future__ import annotations


class PartitionBusy(Exception):
    """Another process keeps changing the partition; no data is lost."""
