"""Numbers, dates and moments as Brazilian pages write them.

Each ``read_`` function returns the value of a text, or None if the text has another format.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta, timezone

BRASILIA = timezone(timedelta(hours=-3))
"""The zone of the moments in the tables: Brasilia, without summer time since 2019."""

# A number can have a minus sign, decimals after a comma, and a percent sign. Points separate thousands:
# ``1.234.567`` and ``1234567`` are numbers, ``1234.567`` is not.
_NUMBER = re.compile(r"(-?(?:[0-9]{1,3}(?:[.][0-9]{3})+|[0-9]+))(?:,([0-9]+))?%?")
_LONGEST_NUMBER = 1000
_INT64 = range(-(2**63), 2**63)
_DATE = re.compile(r"([0-9]{2})/([0-9]{2})/([1-9][0-9]{3})")
_MOMENT = re.compile(r"[0-9]{2}-[0-9]{2}-[1-9][0-9]{3} [0-9]{2}:[0-9]{2}:[0-5][0-9]")
_BLANK = ("", "-", "-%")


def without_blanks(text: str | None) -> str | None:
    """Return a text without leading and trailing space; None for an empty text, ``-`` or ``-%``."""
    stripped = (text or "").strip()
    return None if stripped in _BLANK else stripped


def read_number(text: str | None, *, fraction: bool = False) -> float | None:
    """Read a number such as ``-1.234,5`` or ``17,5%`` as the nearest double.

    Parameters
    ----------
    text
        The text.
    fraction
        Whether to return a percentage as a fraction, such as -0.0131 for ``-1,31%``. If `fraction` is False,
        the percent sign is ignored.
    """
    match = _match_number(text)
    if match is None:
        return None
    # Divide by 100 in the text, with ``e-2``: `float` then rounds only once.
    value = float(f"{match[1].replace('.', '')}.{match[2] or '0'}e{-2 if fraction else 0}")
    return value if math.isfinite(value) else None


def read_integer(text: str | None) -> int | None:
    """Read a whole number of 64 bits, such as ``1.234.567`` or ``15,00``; None for any other number."""
    match = _match_number(text)
    if match is None or (match[2] or "").strip("0"):
        return None
    value = int(match[1].replace(".", ""))
    return value if value in _INT64 else None


def read_date(text: str | None) -> date | None:
    """Read a date such as ``31/12/2025``; None if the date does not exist."""
    match = _DATE.fullmatch(text or "")
    try:
        return date(int(match[3]), int(match[2]), int(match[1])) if match else None
    except ValueError:
        return None


def read_moment(text: str | None) -> datetime | None:
    """Read a moment such as ``31-12-2025 18:59:07``, which is Brasilia time; the result has no time zone."""
    try:
        return datetime.strptime(text, "%d-%m-%Y %H:%M:%S") if text and _MOMENT.fullmatch(text) else None
    except ValueError:
        return None


def write_moment(moment: datetime) -> str:
    """Convert a moment with a time zone to the format that `read_moment` reads."""
    return f"{moment.astimezone(BRASILIA):%d-%m-%Y %H:%M:%S}"


def _match_number(text: str | None) -> re.Match[str] | None:
    return _NUMBER.fullmatch(text) if text and len(text) <= _LONGEST_NUMBER else None
