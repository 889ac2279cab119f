"""What makes a fold fail."""

from __future__ import annotations


class PartitionBusy(Exception):  # noqa: N818 - the workflow retries this very name
    """Something else changes the partition; nothing of it is lost."""
