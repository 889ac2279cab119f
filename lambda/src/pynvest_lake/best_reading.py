"""Keeps the best reading of each ticker if a partition holds several readings of the ticker."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from b3.brazilian import read_moment

_MOMENTS = ("datetime_exec", "datetime_leitura")


def best_rows(tables: Sequence[pa.Table], ticker_column: str) -> pa.Table:
    """Return for each ticker the row with the greatest (``datetime_exec``, ``datetime_leitura``).

    A null or an invalid text sorts before every moment. If several rows of a ticker have the same
    timestamps, the row from the last table is returned.

    Parameters
    ----------
    tables
        The rows of one table, in one or more pieces.
    ticker_column
        The column that holds the ticker.

    Returns
    -------
    pyarrow.Table
        One row for each ticker, sorted by ticker.
    """
    ranks = pa.array([rank for rank, rows in enumerate(tables) for _ in range(len(rows))], pa.int64())
    rows = pa.concat_tables(tables).combine_chunks()
    moments = [name for name in _MOMENTS if name in rows.schema.names]
    keys = pa.table(
        {"ticker": rows[ticker_column], **{name: _moment(rows[name]) for name in moments}, "rank": ranks}
    )
    order = pc.sort_indices(
        keys, sort_keys=[("ticker", "ascending"), *((name, "descending") for name in (*moments, "rank"))]
    )
    tickers = keys["ticker"].take(order).combine_chunks()
    if len(tickers) == 0:
        return rows
    first = pc.fill_null(pc.not_equal(tickers[1:], tickers[:-1]), True)
    return rows.take(pc.filter(order, pa.concat_arrays([pa.array([True]), first])))


def _moment(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_string(column.type):  # SoR has strings; the other tables have timestamps
        return pa.chunked_array([pa.array(map(read_moment, column.to_pylist()), pa.timestamp("ms"))])
    return column
