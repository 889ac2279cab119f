"""What makes the workflow wait, and what makes it fail."""

from __future__ import annotations


class DayNotComplete(Exception):  # noqa: N818 - the workflow retries this very name
    """Something of the day is still on its way; the text says what."""


class NothingArrived(Exception):  # noqa: N818 - what happened
    """Nothing of the day is there, nor on its way; the text says what to look at."""
