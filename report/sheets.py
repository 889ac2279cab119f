"""Writes the latest day as a sheet for spreadsheet programs, in the format of a locale."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from report.snapshot import Row

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""First characters that a spreadsheet reads as the start of a formula."""


@dataclass(frozen=True)
class Locale:
    """The cell separator and the decimal separator."""

    delimiter: str
    decimal_point: str


LOCALES: Mapping[str, Locale] = {"pt-BR": Locale(";", ","), "en": Locale(",", ".")}


def sheet(rows: Sequence[Row], locale: Locale) -> bytes:
    """Return rows as a CSV file with a line of column names.

    Numbers have all their digits and no thousands separator. Dates are ISO 8601 in any locale. A missing
    value is an empty cell. A text that looks like a formula to a spreadsheet gets a leading apostrophe.

    Parameters
    ----------
    rows
        Rows that all have the same columns. If there are no rows, the file has only the byte order mark.
    locale
        Cell and decimal separators.

    Returns
    -------
    bytes
        UTF-8 with a byte order mark; without this mark, Excel assumes another encoding.
    """
    written = io.StringIO(newline="")
    table = csv.writer(written, delimiter=locale.delimiter)
    if rows:
        table.writerow(rows[0])
        table.writerows([_cell(value, locale) for value in row.values()] for row in rows)
    return written.getvalue().encode("utf-8-sig")


def _cell(value: Any, locale: Locale) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}".replace(".", locale.decimal_point)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, int | date):
        return str(value)
    text = " ".join(str(value).split())
    return f"'{text}" if text.startswith(_FORMULA) else text
