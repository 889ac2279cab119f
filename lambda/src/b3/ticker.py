"""The form of a ticker."""

from __future__ import annotations

import re

TICKER = re.compile(r"[A-Z0-9]{4,12}")


def parse_ticker(value: object) -> str:
    """Check that a value is a ticker and return it.

    Raises
    ------
    ValueError
        The value is not 4 to 12 capital letters and digits.
    """
    if isinstance(value, str) and TICKER.fullmatch(value):
        return value
    raise ValueError(f"ticker is {value!r}, expected 4 to 12 capital letters and digits, such as 'PETR4'")
