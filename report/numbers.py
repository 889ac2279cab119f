"""Numbers and dates in Brazilian format, for the page."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext

ABSENT = "–"
_SCALES = ((1e12, " tri"), (1e9, " bi"), (1e6, " mi"), (1e3, " mil"))


def decimal(value: float | None, places: int = 2) -> str:
    """Format a number with points between thousands and with `places` decimals, rounded as in a browser."""
    if value is None:
        return ABSENT
    with localcontext(rounding=ROUND_HALF_UP):
        text = f"{Decimal(repr(value)):,.{places}f}".translate(str.maketrans(",.", ".,"))
    # A number that rounds to zero has no sign.
    return text.replace("-", "−") if any(digit in text for digit in "123456789") else text.lstrip("-")


def change(fraction: float | None) -> str:
    """Format a fractional change as a percentage with a sign."""
    if fraction is None:
        return ABSENT
    text = decimal(100 * fraction)
    return f"+{text}%" if fraction > 0 and text != decimal(0) else f"{text}%"


def points(value: float | None, places: int = 1) -> str:
    """Format percentage points as a percentage."""
    return ABSENT if value is None else f"{decimal(value, places)}%"


def amount(value: float | None) -> str:
    """Format an amount of money with about three digits, such as ``1,2 bi``."""
    if value is None:
        return ABSENT
    scale, word = next((one for one in _SCALES if abs(value) >= one[0]), (1, ""))
    return f"{decimal(value / scale, 1 if word else 0)}{word}"


def count(value: float | None) -> str:
    """Format a whole number."""
    return decimal(value, 0)


def day(value: date | int | None) -> str:
    """Format a date, or a partition day ``YYYYMMDD``."""
    if value is None:
        return ABSENT
    if isinstance(value, int):
        value = datetime.strptime(str(value), "%Y%m%d").date()
    return value.strftime("%d/%m/%Y")
