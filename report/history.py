"""The history of each asset, read from the typed tables, with the asset's possible splits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from report.athena import Athena, NamedQuery, QueryFailed

DAYS = 250
"""Run days of a history by default: about a year."""
SERIES: Mapping[str, tuple[str, ...]] = {
    "nome_papel": (
        "vlr_cot",
        "vlr_ind_p_sobre_l",
        "vlr_ind_p_sobre_vp",
        "vlr_ind_div_yield",
        "vlr_ind_roe",
        "vlr_ind_margem_bruta",
        "vlr_ind_margem_ebit",
        "vlr_ind_margem_liq",
    ),
    "fii": ("vlr_cot", "vlr_div_yield", "vlr_p_sobre_vp", "vlr_vacancia_media"),
}
"""The columns with a series, in the order of the page; the key is the kind's column of tickers."""
SHARES: Mapping[str, str] = {"nome_papel": "num_acoes", "fii": "num_cotas"}
VIEWS: Mapping[str, str] = {"nome_papel": "vw_acoes_ultimo_dia", "fii": "vw_fiis_ultimo_dia"}
SPLIT_FACTOR = 1.5
"""Smallest factor, or divisor, of the number of shares that may be a split."""
SPLIT_REST = 0.8, 1.25
"""Smallest and largest factor of the market value in the session of a split.

Both as in the view ``vw_possiveis_desdobramentos``.
"""
SECONDS = 600.0
_TABLE = re.compile(r'\bFROM\s+((?:"?\w+"?\.){1,2}"?\w+"?)', re.IGNORECASE)


@dataclass(frozen=True)
class AssetHistory:
    """The readings of an asset, one per session.

    Parameters
    ----------
    ticker
        The asset.
    sessions
        Trading days, ascending.
    values
        For each column, one value per session; None for an empty cell.
    shares
        The number of shares or quotas in each session; empty if the lake lacks the column.
    """

    ticker: str
    sessions: Sequence[date]
    values: Mapping[str, Sequence[float | None]]
    shares: Sequence[float | None] = ()


@dataclass(frozen=True)
class Split:
    """A possible split, or reverse split, between two consecutive sessions.

    Parameters
    ----------
    session
        The first trading day after the split.
    shares, price
        New number of shares divided by the old number; new price divided by the old price.
    """

    session: date
    shares: float
    price: float


def possible_splits(history: AssetHistory) -> list[Split]:
    """Return the sessions with a possible split.

    A split multiplies the number of shares by a factor, and divides the price by about the same factor.
    """
    prices = history.values.get("vlr_cot", ())
    readings = zip(history.sessions, prices, history.shares, strict=False)
    whole = [(session, price, shares) for session, price, shares in readings if price and shares]
    found = []
    for (_, price, shares), (session, later, more) in pairwise(whole):
        split = Split(session, more / shares, later / price)
        moved = max(split.shares, 1 / split.shares) >= SPLIT_FACTOR
        if moved and SPLIT_REST[0] <= split.shares * split.price <= SPLIT_REST[1]:
            found.append(split)
    return found


def ask_histories(
    athena: Athena, s3: Any, database: str, known: Mapping[str, Sequence[str]], days: int = DAYS
) -> list[AssetHistory]:
    """Query the history of all assets, with one query per kind, and read the results from S3.

    Parameters
    ----------
    athena
        Runs queries in the lake's workgroup.
    s3
        S3 client.
    database
        Database of the views.
    known
        Map from a kind's ticker column (``nome_papel`` or ``fii``) to the kind's column names.
    days
        Number of run days to read, counted back from the lake's latest day.
    """

    def ask(ticker: str) -> list[AssetHistory]:
        definition = athena.ask(f'SHOW CREATE VIEW "{database}"."{VIEWS[ticker]}"')
        table = table_of("\n".join(line or "" for (line,) in definition.rows))
        columns = [name for name in (*SERIES[ticker], SHARES[ticker]) if name in known[ticker]]
        answer = athena.ask_object(history_sql(table, ticker, columns, days), s3, SECONDS)
        return [_history(row, columns, SHARES[ticker]) for row in answer.rows]

    with ThreadPoolExecutor() as pool:
        return [history for found in pool.map(ask, known) for history in found]


def ask_bad_days(athena: Athena, quality: NamedQuery, days: int = DAYS) -> dict[int, str]:
    """Return the verdicts other than ``ok``, by run day, for the latest `days` run days."""
    table = table_of(quality.sql)
    answer = athena.ask(
        "SELECT anomesdia_exec, max(situacao) AS situacao "  # noqa: S608 - the lake's own names
        f"FROM {table} WHERE medida = 'dia' AND situacao <> 'ok' AND {_since(table, days)} "
        "GROUP BY anomesdia_exec ORDER BY anomesdia_exec"
    )
    return {int(day or 0): situation or "" for day, situation in answer.rows}


def history_sql(table: str, ticker: str, columns: Sequence[str], days: int) -> str:
    """Return a query that gives one row per asset: the ticker, then an array of values for each column.

    Each array has one value per session, from the session's last reading.
    """
    arrays = [f"array_agg({name} ORDER BY dt_ult_cot) AS {name}" for name in ("dt_ult_cot", *columns)]
    return (
        f"SELECT {ticker}, {', '.join(arrays)} FROM ("  # noqa: S608 - the lake's own names
        f"SELECT {ticker}, dt_ult_cot, {', '.join(columns)}, row_number() OVER ("
        f"PARTITION BY {ticker}, dt_ult_cot ORDER BY anomesdia_exec DESC, datetime_exec DESC) AS leitura "
        f"FROM {table} WHERE dt_ult_cot IS NOT NULL AND {_since(table, days)}"
        f") WHERE leitura = 1 GROUP BY {ticker} ORDER BY {ticker}"
    )


def table_of(sql: str) -> str:
    """Return the name of the first table after FROM, with its database and its quotes unchanged.

    Raises
    ------
    QueryFailed
        The query has no such table.
    """
    found = _TABLE.search(sql)
    if not found:
        raise QueryFailed(f"expected a table after FROM in {sql!r}")
    return found[1]


def _since(table: str, days: int) -> str:
    """Return the SQL condition that selects the latest `days` run days of a table."""
    partitions = re.sub(r'"?(\w+)"?$', r'"\1$partitions"', table)
    return (
        "anomesdia_exec >= (SELECT min(anomesdia_exec) FROM ("  # noqa: S608 - the lake's own names
        f"SELECT DISTINCT anomesdia_exec FROM {partitions} ORDER BY anomesdia_exec DESC LIMIT {days}))"
    )


def _history(row: Sequence[str | None], columns: Sequence[str], shares: str) -> AssetHistory:
    ticker, sessions, *arrays = row
    values: dict[str, list[float | None]] = {
        name: [None if text == "null" else float(text) for text in _items(array)]
        for name, array in zip(columns, arrays, strict=True)
    }
    counted = values.pop(shares, [])
    return AssetHistory(
        ticker or "", [date.fromisoformat(text) for text in _items(sessions)], values, counted
    )


def _items(array: str | None) -> list[str]:
    """Split an array in Athena's format, such as ``[1.5, null]``, into the texts of its items."""
    return (array or "[]")[1:-1].split(", ")
