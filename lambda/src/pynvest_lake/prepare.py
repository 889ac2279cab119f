"""Make the SoT table of a kind from its SoR table, with the contract's type for each column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import pyarrow as pa

from b3.brazilian import read_date, read_integer, read_moment, read_number, without_blanks
from b3.days import date_of
from b3.kind import Kind
from pynvest_lake.contract import SOT, Column, table_schema


@dataclass(frozen=True)
class UnreadableCell:
    """A text that should be a number or a date, but is neither."""

    ticker: str
    column: str
    text: str


@dataclass(frozen=True)
class Prepared:
    """A SoT table, and the cells that are null because SoR has an invalid text."""

    table: pa.Table
    unreadable: list[UnreadableCell]


def prepare(sor: pa.Table, kind: Kind, day: int) -> Prepared:
    """Convert every column of a SoR table to the type in the contract.

    Parameters
    ----------
    sor
        Rows from stage 3, with the columns of the kind's SoR table, all strings.
    kind
        The kind of the rows' assets.
    day
        The run day, ``YYYYMMDD``; a cell with a date after the run day is unreadable.

    Returns
    -------
    Prepared
        The rows of `sor`, in the same order, with the schema of the kind's SoT table.

    Examples
    --------
    >>> prepared = prepare(sor, Kind.ACOES, 20261123)
    >>> prepared.table["pct_var_dia"].to_pylist()
    [-0.0131]
    """
    contract = table_schema(SOT[kind])
    tickers = sor[kind.ticker_column].to_pylist()
    columns = []
    unreadable: list[UnreadableCell] = []
    for column, field in zip(contract.columns, contract.arrow, strict=True):
        read = _reader(column, date_of(day))
        texts = [without_blanks(text) for text in sor[column.name].to_pylist()]
        values = [None if text is None else read(text) for text in texts]
        unreadable.extend(
            UnreadableCell(ticker, column.name, text)
            for ticker, text, value in zip(tickers, texts, values, strict=True)
            if text is not None and value is None
        )
        columns.append(pa.array(values, field.type))
    return Prepared(pa.Table.from_arrays(columns, schema=contract.arrow), unreadable)


def _reader(column: Column, run_day: date) -> Callable[[str], Any]:
    if column.type == "double":
        return partial(read_number, fraction=column.name.startswith("pct_"))
    if column.type == "bigint":
        return read_integer
    if column.type == "date":
        return partial(_read_past_date, run_day=run_day)
    if column.type == "timestamp":
        return read_moment
    return str


def _read_past_date(text: str, run_day: date) -> date | None:
    day = read_date(text)
    return day if day is not None and day <= run_day else None
