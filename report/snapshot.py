"""What the report shows, as Athena answers it: the latest day, its verdict, the series of a few assets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from report.athena import Answer, Athena, NamedQuery, QueryFailed

Row = Mapping[str, Any]

SCHEMAS = Path(__file__).resolve().parents[1] / "glue" / "schemas"
PARTITION_KEY = "anomesdia_exec"
QUALITY_QUERY = "qualidade-dos-ultimos-30-dias"
LIQUID: float = json.loads(Path(__file__).with_name("screens.json").read_text("utf-8"))["liquid_above"]
"""Reais a day: what is traded less is moved by a single order."""
FOLLOWED_STOCKS, FOLLOWED_FUNDS = 3, 2
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
        Its ticker, its name, and its sector or segment; None where the site says none.
    is_fund
        Whether it is a real-estate fund.
    price
        The last price, in reais.
    session
        The day that it was last traded on.
    day, month, year
        Changes of the price on that day, in the month and in twelve months, as fractions.
    volume
        Reais that are traded a day, on average over two months.
    price_to_book, dividend_yield
        P/VP in times, dividend yield in percentage points.
    row
        Every column of its row.
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
        """Tell whether more than a million reais of it are traded a day."""
        return (self.volume or 0) > LIQUID


@dataclass(frozen=True)
class Snapshot:
    """What the lake holds of its latest day, and what came before it.

    Parameters
    ----------
    stocks, funds
        Rows of the latest day with every column of the contract, by ticker, one an asset.
    quality
        Of the latest thirty days, newest first, the verdict and what was not ``ok``.
    series
        Ticker, session and price of the assets that are followed, by session.
    """

    stocks: Sequence[Row] = ()
    funds: Sequence[Row] = ()
    quality: Sequence[Row] = ()
    series: Sequence[Row] = ()

    @property
    def day(self) -> int | None:
        """Return the latest day, ``YYYYMMDD``; None where the lake is empty."""
        return max((row[PARTITION_KEY] for row in (*self.stocks, *self.funds)), default=None)

    @property
    def read_at(self) -> datetime | None:
        """Return when the latest page was read, in Brasília; None where the lake is empty."""
        moments = (row.get("datetime_exec") for row in (*self.stocks, *self.funds))
        return max((moment for moment in moments if moment is not None), default=None)

    def assets(self) -> list[ListedAsset]:
        """Return the assets that still trade: a price within thirty days up to the newest session."""
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
    """Return the Glue type of each column of the tables that have types, as the data contract has it."""
    types = {PARTITION_KEY: "int"}
    for path in sorted(SCHEMAS.glob("*.json")):
        if not path.name.startswith("tbsor"):
            columns = json.loads(path.read_text(encoding="utf-8"))["columns"]
            types |= {column["name"]: column["type"] for column in columns}
    return types


def typed(answer: Answer) -> list[Row]:
    """Return the rows of an answer with the types that the contract gives their columns.

    A lake that is newer than this checkout has columns that its contract lacks: those get the types that
    Athena gives them, and stay texts without one.
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
    """Return all rows and columns of the latest day of stocks and of funds, by ticker."""
    sql = [
        f'SELECT * FROM "{database}"."{view}"'  # noqa: S608 - the lake's own names
        for view in ("vw_acoes_ultimo_dia", "vw_fiis_ultimo_dia")
    ]
    with ThreadPoolExecutor() as pool:
        stocks, funds = pool.map(athena.ask, sql)
    return _once(typed(stocks), "nome_papel"), _once(typed(funds), "fii")


def _once(rows: Iterable[Row], ticker: str) -> list[Row]:
    """Keep one row an asset, the newest: until the evening's workflow has ended there may be two."""
    ordered = sorted(rows, key=lambda row: row.get("datetime_exec") or datetime.min)
    newest = {row[ticker]: row for row in ordered if row.get(ticker) is not None}
    return [newest[name] for name in sorted(newest)]


def own_query(athena: Athena, name: str) -> NamedQuery:
    """Return a query that the module saved in the workgroup; its database is the one of the views.

    Raises
    ------
    QueryFailed
        When the workgroup has no such query.
    """
    named = athena.named_queries()
    if name not in named:
        raise QueryFailed(f"The workgroup has no query {name!r}: is it the one that the module made?")
    return named[name]


def take_snapshot(athena: Athena, followed: Sequence[str] = ()) -> Snapshot:
    """Ask the lake for all that the page shows.

    Parameters
    ----------
    athena
        Asks in the lake's workgroup.
    followed
        Tickers whose series is wanted; none: of the stocks and funds that trade the most.

    Raises
    ------
    QueryFailed
        When Athena does not answer, or the workgroup is not a lake's.
    """
    quality = own_query(athena, QUALITY_QUERY)
    with ThreadPoolExecutor() as pool:
        judged = pool.submit(athena.ask, quality.sql)
        stocks, funds = latest_days(athena, quality.database)
        snapshot = Snapshot(stocks, funds, typed(judged.result()))
    tickers = followed or _most_traded(snapshot.assets())
    return Snapshot(stocks, funds, snapshot.quality, _series(athena, quality.database, tickers))


def _most_traded(assets: Iterable[ListedAsset]) -> list[str]:
    ordered = sorted(assets, key=lambda asset: (-(asset.volume or 0), asset.ticker))
    stocks = [asset.ticker for asset in ordered if not asset.is_fund]
    funds = [asset.ticker for asset in ordered if asset.is_fund]
    return stocks[:FOLLOWED_STOCKS] + funds[:FOLLOWED_FUNDS]


def _series(athena: Athena, database: str, tickers: Sequence[str]) -> list[Row]:
    """Return the prices of a few assets. It reads every day of the lake, which the charts show."""
    if not tickers:
        return []
    named = ", ".join("'" + ticker.replace("'", "''") + "'" for ticker in tickers)
    answer = athena.ask(
        "SELECT codigo_ticker_ativo, dt_ult_cot, vlr_cot "  # noqa: S608 - quoted above
        f'FROM "{database}"."vw_ativos_por_sessao" WHERE codigo_ticker_ativo IN ({named}) AND vlr_cot > 0'
    )
    return sorted(typed(answer), key=lambda row: (row["dt_ult_cot"], row["codigo_ticker_ativo"]))
