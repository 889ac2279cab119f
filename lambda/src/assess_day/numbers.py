"""Numbers as Brazilians write them, for sentences."""

from __future__ import annotations


def number(value: float) -> str:
    """Return a number with its thousands points and at most four significant decimal places."""
    text = f"{value:,.0f}" if value == int(value) or abs(value) >= 10_000 else f"{value:,.4g}"
    return brazilian(text)


def brazilian(text: str) -> str:
    """Return a number that was written with thousands commas and a decimal point as Brazilians write it."""
    return text.translate(str.maketrans(",.", ".,"))


def percent(share: float) -> str:
    """Return a share as a percentage."""
    return f"{100 * share:.1f}%".replace(".", ",")
