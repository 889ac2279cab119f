"""What makes a compaction fail."""

from __future__ import annotations


class PartitionBusy(Exception):
    """Something else changes the partition; nothing of it is lost."""
