"""The SoT table of a kind from its SoR table: every column with its type."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from prep_financial_data import brazilian
from pynvest_lake.contract import SOR_ACOES, SOR_FIIS, SOT_ACOES, SOT_FIIS, Column, table_schema
from pynvest_lake.kinds import Kind

_TABLES = {Kind.ACOES: (SOR_ACOES, SOT_ACOES), Kind.FIIS: (SOR_FIIS, SOT_FIIS)}


@dataclass(frozen=True)
class UnreadableCell:
    """A text that should be a number or a date and is none."""

    ticker: str
    column: str
    text: str


@dataclass(frozen=True)
class Prepared:
    """A SoT table, and the cells of its SoR table that it holds as null because they could not be read."""

    table: pa.Table
    unreadable: list[UnreadableCell]


def prepare(sor: pa.Table, kind: Kind) -> Prepared:
    """Give every column of a SoR table the type that the contract says.

    Parameters
    ----------
    sor
        Rows as stage 3 wrote them: the columns of the kind's SoR table, all strings. Of a time before columns
        were added, they have the first ones.
    kind
        The kind of paper that the rows are.

    Returns
    -------
    Prepared
        As many rows, in the same order, with the schema of the kind's SoT table.

    Raises
    ------
    ValueError
        The table's columns are not those of the contract.

    Examples
    --------
    >>> prepared = prepare(sor, Kind.ACOES)
    >>> prepared.table["pct_var_dia"].to_pylist()
    [-0.0131]
    """
    sor_name, sot_name = _TABLES[kind]
    expected = table_schema(sor_name)
    # An all-null column may come with no type of its own.
    sor = expected.completed(sor).combine_chunks().cast(expected.arrow)

    columns = []
    unreadable: list[UnreadableCell] = []
    contract = table_schema(sot_name)
    for column in contract.columns:
        texts = brazilian.without_blanks(sor[column.name])
        values = _read(texts, column)
        unread = pc.and_(pc.is_valid(texts), pc.is_null(values))
        if pc.any(unread).as_py():
            cells = sor.select([kind.ticker_column, column.name]).filter(unread)
            unreadable.extend(
                UnreadableCell(ticker, column.name, text)
                for ticker, text in zip(cells[0].to_pylist(), cells[1].to_pylist(), strict=True)
            )
        columns.append(values)
    return Prepared(pa.Table.from_arrays(columns, schema=contract.arrow), unreadable)


def _read(texts: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    if column.type == "double":
        return brazilian.doubles(texts, fractions=column.name.startswith("pct_"))
    if column.type == "bigint":
        return brazilian.integers(texts)
    if column.type == "date":
        return brazilian.dates(texts)
    if column.type == "timestamp":
        return brazilian.moments(texts)
    return texts
