"""Finds possible splits and reverse splits; prices before and after a split cannot be compared."""

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
        The new number of shares or quotas, divided by the old number. A split of 1 to 2 has the factor 2. A
        reverse split of 10 to 1 has the factor 0.1.
    """

    ticker: str
    factor: float


def possible_splits(before: Mapping[Kind, pa.Table], now: Mapping[Kind, pa.Table]) -> list[Split]:
    """Return the assets whose number of shares or quotas changed, but whose market value hardly changed.

    Parameters
    ----------
    before, now
        The SoT rows of an earlier and of a later day, by kind.

    Returns
    -------
    list of Split
        The possible splits, sorted by ticker. Factors between 2/3 and 1.5 are left out: new shares and a
        change of price can look like a small split.
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
    """Return the ticker, session, price and quantity of each asset that has all four values."""
    columns = {
        "ticker": kind.ticker_column,
        "session": "dt_ult_cot",
        "price": "vlr_cot",
        "quantity": _QUANTITY[kind],
    }
    rows = table.select(list(columns.values())).rename_columns(list(columns)).to_pylist()
    return [row for row in rows if row["session"] and (row["price"] or 0) > 0 and (row["quantity"] or 0) > 0]
