"""Possible splits and reverse splits: across such an event the price series cannot be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from b3.kind import Kind

# athena/views/vw_possiveis_desdobramentos.sql has the same limits.
LEAST_FACTOR = 1.5
MARKET_VALUE = (0.8, 1.25)
_QUANTITY = {Kind.ACOES: "num_acoes", Kind.FIIS: "num_cotas"}


@dataclass(frozen=True)
class Split:
    """A possible split of an asset.

    Parameters
    ----------
    ticker
        The asset.
    factor
        The number of shares or quotas, divided by the earlier number: 2 for a split 1 to 2, 0.1 for a reverse
        split 10 to 1.
    """

    ticker: str
    factor: float


def possible_splits(before: Mapping[Kind, pa.Table], now: Mapping[Kind, pa.Table]) -> list[Split]:
    """Compare two days: between two sessions, quantity and price change in inverse proportion.

    Parameters
    ----------
    before, now
        SoT rows of each kind, of an earlier day and of the day.

    Returns
    -------
    list of Split
        Sorted by ticker, without factors between 2/3 and 1.5: new shares and the price change of a session
        can give such factors too.
    """
    splits = []
    for kind in set(before) & set(now):
        earlier = {row["ticker"]: row for row in _rows(kind, before[kind])}
        for row in _rows(kind, now[kind]):
            old = earlier.get(row["ticker"])
            if old is None or old["session"] == row["session"]:
                continue
            factor = row["quantity"] / old["quantity"]
            market_value = factor * row["price"] / old["price"]
            if max(factor, 1 / factor) >= LEAST_FACTOR and MARKET_VALUE[0] <= market_value <= MARKET_VALUE[1]:
                splits.append(Split(row["ticker"], factor))
    return sorted(splits, key=lambda split: split.ticker)


def _rows(kind: Kind, table: pa.Table) -> list[dict[str, Any]]:
    """Return ticker, session, price and quantity of the assets that have all of them."""
    columns = {
        "ticker": kind.ticker_column,
        "session": "dt_ult_cot",
        "price": "vlr_cot",
        "quantity": _QUANTITY[kind],
    }
    rows = table.select(list(columns.values())).rename_columns(list(columns)).to_pylist()
    return [row for row in rows if row["ticker"] and row["session"] and _positive(row)]


def _positive(row: Mapping[str, Any]) -> bool:
    return (row["price"] or 0) > 0 and (row["quantity"] or 0) > 0
