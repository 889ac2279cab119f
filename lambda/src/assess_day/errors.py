"""What makes the workflow fail."""

from __future__ import annotations


class DayNotWhole(Exception):  # noqa: N818 - what the workflow fails with
    """The day lacks papers or objects in the end; the text names them and says what to do."""
