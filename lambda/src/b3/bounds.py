"""Limits the length and the characters of external text before the text is stored, logged or sent."""

from __future__ import annotations

MOST_RECORDED = 20
"""Number of labels or rows of a page that are named at most."""
LABEL_CHARACTERS = 60
REASON_CHARACTERS = 300


def printable(text: str, characters: int = LABEL_CHARACTERS) -> str:
    """Return a text as one line of at most `characters` printable characters."""
    if not text.isprintable():
        text = "".join(one if one.isprintable() else " " for one in text)
    line = " ".join(text.split())
    return line if len(line) <= characters else f"{line[: characters - 1]}…"
