"""What makes the workflow wait."""

from __future__ import annotations


class DayNotComplete(Exception):  # noqa: N818 - the workflow retries this very name
    """Something of the day is still on its way; the text says what."""
