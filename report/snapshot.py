"""The data that the report queries from Athena: the latest day, its verdict, the history of all assets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from report.athena import Answer, Athena, NamedQuery, QueryFailed
from report.history import DAYS, AssetHistory, ask_bad_days, ask_histories

Row = Mapping[str, Any]

SCHEMAS = Path(__file__).resolve().parents[1] / "glue" / "schemas"
PARTITION_KEY = "anomesdia_exec"
QUALITY_QUERY = "qualidade-dos-ultimos-30-dias"
LIQUID: float = json.loads(Path(__file__).with_name("screens.json").read_text("utf-8"))["liquid_above"]
"""Reais per day: below this volume a single order moves the price."""
TRADES_WITHIN = timedelta(days=30)

_READ: Mapping[str, Callable[[str], Any]] = {
    "string": str,
    "int": int,
    "integer": int,
    "bigint": int,
    "double": float,
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
}


@dataclass(frozen=True)
class ListedAsset:
    """An asset on the lake's latest day.

    Parameters
    ----------
    ticker, name, group
        Ticker, name, and sector or segment; name or group is None if the site does not give it.
    is_fund
        Whether the asset is a real-estate fund.
    price
        The last price, in reais.
    session
        The last trading day.
    day, month, year
        Price changes as fractions: on the last trading day, in the month and in twelve months.
    volume
        Average traded value per day over two months, in reais.
    price_to_book, dividend_yield
        P/VP as a ratio, dividend yield in percentage points.
    row
        All columns of the asset's row.
    """

    ticker: str
    name: str | None
    group: str | None
    is_fund: bool
    price: float | None
    session: date | None
    day: float | None
    month: float | None
    year: float | None
    volume: int | None
    price_to_book: float | None
    dividend_yield: float | None
    row: Row

    @property
    def is_liquid(self) -> bool:
        """Return whether the average traded value per day exceeds a million reais."""
        return (self.volume or 0) > LIQUID


@dataclass(frozen=True)
class Snapshot:
    """The lake's latest day, and the history before it.

    Parameters
    ----------
    stocks, funds
        Rows of the latest day, one per asset, sorted by ticker, with every column of the contract.
    quality
        For the latest thirty days, newest first: the verdict and the rows that are not ``ok``.
    histories
        The history of each asset over the latest run days.
    bad_days
        Verdicts other than ``ok``, by run day.
    """

    stocks: Sequence[Row] = ()
    funds: Sequence[Row] = ()
    quality: Sequence[Row] = ()
    histories: Sequence[AssetHistory] = ()
    bad_days: Mapping[int, str] = field(default_factory=dict)

    @property
    def day(self) -> int | None:
        """Return the latest day, ``YYYYMMDD``; None if the lake is empty."""
        return max((row[PARTITION_KEY] for row in (*self.stocks, *self.funds)), default=None)

    @property
    def read_at(self) -> datetime | None:
        """Return the time at which the latest page was read, in Brasília time; None if the lake is empty."""
        moments = (row.get("datetime_exec") for row in (*self.stocks, *self.funds))
        return max((moment for moment in moments if moment is not None), default=None)

    def assets(self) -> list[ListedAsset]:
        """Return the assets whose last trade was within the thirty days before the newest session."""
        found = [*map(_stock, self.stocks), *map(_fund, self.funds)]
        newest = max((asset.session for asset in found if asset.session), default=None)
        return [
            asset for asset in found if newest and asset.session and asset.session >= newest - TRADES_WITHIN
        ]


def _stock(row: Row) -> ListedAsset:
    return ListedAsset(
        **_shared(row),
        ticker=row["nome_papel"],
        name=row.get("nome_empresa"),
        group=row.get("nome_setor"),
        is_fund=False,
        price_to_book=row.get("vlr_ind_p_sobre_vp"),
        dividend_yield=row.get("vlr_ind_div_yield"),
        row=row,
    )


def _fund(row: Row) -> ListedAsset:
    return ListedAsset(
        **_shared(row),
        ticker=row["fii"],
        name=row.get("nome_fii"),
        group=row.get("segmento"),
        is_fund=True,
        price_to_book=row.get("vlr_p_sobre_vp"),
        dividend_yield=row.get("vlr_div_yield"),
        row=row,
    )


def _shared(row: Row) -> dict[str, Any]:
    return {
        "price": row.get("vlr_cot"),
        "session": row.get("dt_ult_cot"),
        "day": row.get("pct_var_dia"),
        "month": row.get("pct_var_mes"),
        "year": row.get("pct_var_12m"),
        "volume": row.get("vol_med_neg_2m"),
    }


@cache
def column_types() -> Mapping[str, str]:
    """Return the Glue type of each column of the typed tables, from the data contract."""
    types = {PARTITION_KEY: "int"}
    for path in sorted(SCHEMAS.glob("*.json")):
        if not path.name.startswith("tbsor"):
            columns = json.loads(path.read_text(encoding="utf-8"))["columns"]
            types |= {column["name"]: column["type"] for column in columns}
    return types


def typed(answer: Answer) -> list[Row]:
    """Return the rows of an answer; each value has the type of its column in the data contract.

    A column that the contract lacks has Athena's type, or is text if Athena gives no types.
    """
    given = dict(zip(answer.columns, answer.types, strict=False))
    types = [column_types().get(name) or given.get(name, "string").lower() for name in answer.columns]
    read = [_READ.get(kind, str) for kind in types]
    return [
        {
            name: None if text is None else parse(text)
            for name, parse, text in zip(answer.columns, read, row, strict=True)
        }
        for row in answer.rows
    ]


def latest_days(athena: Athena, database: str) -> tuple[list[Row], list[Row]]:
    """Return the latest day's stocks and funds with all columns, sorted by ticker."""
    sql = [
        f'SELECT * FROM "{database}"."{view}"'  # noqa: S608 - the lake's own names
        for view in ("vw_acoes_ultimo_dia", "vw_fiis_ultimo_dia")
    ]
    with ThreadPoolExecutor() as pool:
        stocks, funds = pool.map(athena.ask, sql)
    return _once(typed(stocks), "nome_papel"), _once(typed(funds), "fii")


def _once(rows: Iterable[Row], ticker: str) -> list[Row]:
    """Keep the newest row per asset: an asset may have two rows until the dedup workflow has run."""
    ordered = sorted(rows, key=lambda row: row.get("datetime_exec") or datetime.min)
    newest = {row[ticker]: row for row in ordered if row.get(ticker) is not None}
    return [newest[name] for name in sorted(newest)]


def own_query(athena: Athena, name: str) -> NamedQuery:
    """Return a query that the module saved in the workgroup. The query's database also holds the views.

    Raises
    ------
    QueryFailed
        The workgroup has no such query.
    """
    named = athena.named_queries()
    if name not in named:
        raise QueryFailed(f"The workgroup has no query {name!r}: expected a workgroup of the module")
    return named[name]


def take_snapshot(athena: Athena, s3: Any, days: int = DAYS) -> Snapshot:
    """Query all data of the page.

    Parameters
    ----------
    athena
        Runs queries in the lake's workgroup.
    s3
        S3 client, to read the histories.
    days
        Number of run days in the histories, counted back from the lake's latest day.

    Raises
    ------
    QueryFailed
        A query fails or takes too long, or the workgroup does not belong to a lake.
    """
    quality = own_query(athena, QUALITY_QUERY)
    with ThreadPoolExecutor() as pool:
        judged = pool.submit(athena.ask, quality.sql)
        bad = pool.submit(ask_bad_days, athena, quality, days)
        stocks, funds = latest_days(athena, quality.database)
        known = {
            ticker: list(rows[0]) for ticker, rows in {"nome_papel": stocks, "fii": funds}.items() if rows
        }
        histories = ask_histories(athena, s3, quality.database, known, days)
        return Snapshot(stocks, funds, typed(judged.result()), histories, bad.result())
