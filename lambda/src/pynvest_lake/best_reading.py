"""The best reading of each ticker."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pynvest_lake.storage import PART, Content


def best_rows(contents: Sequence[Content], ticker_column: str) -> pa.Table:
    """Return one row a ticker, in the order of tickers: its best reading.

    The best reading has the greatest ``datetime_exec``, the moment at which its page came; of those, the
    greatest ``datetime_leitura``, the moment at which it was asked for (null, in rows older than this column,
    is the least). What is still equal is the same reading: there a part comes before a compact object, then
    the greater id.

    Parameters
    ----------
    contents
        At least one object, all of one table whose moments are typed (SoT or Spec).
    ticker_column
        The column that holds the ticker.
    """
    ranked = sorted(contents, key=lambda content: (content.object.form == PART, content.object.id))
    ranks = pa.array(
        [rank for rank, content in enumerate(ranked) for _ in range(len(content.rows))], pa.int64()
    )
    rows = pa.concat_tables([content.rows for content in ranked]).combine_chunks()
    keys = pa.table(
        {
            "ticker": rows[ticker_column],
            "page": rows["datetime_exec"],
            "reading": rows["datetime_leitura"],
            "rank": pa.array(ranks, pa.int64()),
        }
    )
    order = pc.sort_indices(
        keys,
        sort_keys=[
            ("ticker", "ascending"),
            ("page", "descending"),
            ("reading", "descending"),
            ("rank", "descending"),
        ],
        null_placement="at_end",
    )
    tickers = keys["ticker"].take(order).combine_chunks()
    if len(tickers) == 0:
        return rows
    first = pc.fill_null(pc.not_equal(tickers[1:], tickers[:-1]), True)
    return rows.take(pc.filter(order, pa.concat_arrays([pa.array([True]), first])))
