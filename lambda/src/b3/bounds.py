"""Limits the length and the characters of external text before the text is stored, logged or sent."""

from __future__ import annotations

from collections.abc import Sequence

MOST_RECORDED = 20
"""At most this many labels or rows of a page are named."""
LABEL_CHARACTERS = 60
REASON_CHARACTERS = 300


def printable(text: str, characters: int = LABEL_CHARACTERS) -> str:
    """Return a text as one line of at most `characters` printable characters."""
    if not text.isprintable():
        text = "".join(one if one.isprintable() else " " for one in text)
    line = " ".join(text.split())
    return line if len(line) <= characters else f"{line[: characters - 1]}…"


def first_of(texts: Sequence[str], count: int) -> list[str]:
    """Return the first 20 texts, and the total if there are more."""
    return [*texts[:MOST_RECORDED], *([f"{count} in total"] if count > MOST_RECORDED else [])]
