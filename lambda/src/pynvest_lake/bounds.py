"""Text from outside, bounded before it is stored, logged or sent."""

from __future__ import annotations

from collections.abc import Iterable

LABELS = 20
"""So many labels of a page are named."""
LABEL_CHARACTERS = 60
REASON_CHARACTERS = 300


def printable(text: str, characters: int = LABEL_CHARACTERS) -> str:
    """Return a text in one line, of printable characters only, cut where it is longer than `characters`."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line if len(line) <= characters else f"{line[: characters - 1]}…"


def first_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the first labels of a page, each once, printable and cut."""
    return tuple(dict.fromkeys(printable(label) for label in labels))[:LABELS]
