"""The trial's assets: they look like real assets, and their prices move from session to session.

`trial.csv` lists the assets. Names and orders of magnitude come from well-known assets; all values are made
up. On the live day an asset has the price in `trial.csv`; a random walk gives the prices of earlier sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import accumulate, count, islice
from random import Random

from b3.days import date_of, is_trading_day, number_of
from sandbox.site import names
from sandbox.site.asset import Cell, SampleAsset, Value
from sandbox.site.assets import (
    balance_day,
    brazilian,
    make_known_asset,
    management_report_day,
    quarterly_report_day,
)

EARLIER_DAYS = 30
"""Number of days in the history, which are the last trading days before the live day."""
SESSIONS = 320
"""Number of sessions with prices, which cover the history and more than a year before the history."""

NEW = {"BRST3": 0, "SNEL11": 12}
"""For each new asset, the number of days from its first listing to the live day."""
GONE = {"JBSS3": 1, "RBRF11": 9}
"""For each asset that leaves, the number of days from its last listing to the live day."""
SPLIT = {"VIVA3": (7, 2)}
"""For each split, the number of sessions since the split, and the number of new shares per old share."""
CHEAPER = {"CSNA3": 0.012}
"""Average fall of the price per session over the history."""

_TIMES_MARKET = (
    *("vlr_ind_p_sobre_l", "vlr_ind_p_sobre_vp", "vlr_ind_p_sobre_ebit", "vlr_ind_p_sobre_ativ"),
    *("vlr_ind_p_sobre_cap_giro", "vlr_ind_p_sobre_ativ_circ_liq", "vlr_ind_psr", "vlr_p_sobre_vp"),
)
_TIMES_FIRM = ("vlr_ind_ev_sobre_ebitda", "vlr_ind_ev_sobre_ebit")
_YIELDS = ("vlr_ind_div_yield", "vlr_div_yield", "vlr_ffo_yield")
_PER_SHARE = ("vlr_ind_lpa", "vlr_ind_vpa")
_OLDER_YEARS = Decimal("0.35")
"""Factor for the price changes of older years, because the sample site's changes are too large."""
_DAYS: Mapping[str, Callable[[date], date]] = {
    "dt_ult_cot": lambda session: session,
    "dt_ult_balanco_proc": balance_day,
    "dt_ult_relat_ger": management_report_day,
    "dt_ult_informe_trim": quarterly_report_day,
}


def history_days(live: int) -> list[int]:
    """Return the days of the history before a live day (``YYYYMMDD``), the oldest first."""
    return [number_of(day) for day in _sessions(live) if number_of(day) < live][EARLIER_DAYS - 1 :: -1]


def trial_assets(live: int, day: int | None = None) -> list[SampleAsset]:
    """Return the assets that the site shows on a day of the trial, first the stocks and then the funds.

    Parameters
    ----------
    live
        The live day, ``YYYYMMDD``.
    day
        One of `history_days`; None for the live day itself.
    """
    day = day or live
    sessions = _sessions(live)
    step = next(step for step, session in enumerate(sessions) if number_of(session) <= day)
    days_ago = 0 if day == live else 1 + history_days(live)[::-1].index(day)
    return [
        _on_day(traded, sessions, step, day)
        for traded in _traded()
        if GONE.get(traded.listed.ticker, 0) <= days_ago <= NEW.get(traded.listed.ticker, EARLIER_DAYS)
    ]


@dataclass(frozen=True)
class _Traded:
    """An asset in `trial.csv`, and its split-adjusted price in each session, the newest session first."""

    listed: names.Listed
    prices: tuple[float, ...]

    def old_shares(self, step: int) -> int:
        """Return how many shares on the live day correspond to one share in the session at `step`."""
        at, factor = SPLIT.get(self.listed.ticker, (SESSIONS, 1))
        return factor if step > at else 1


@cache
def _traded() -> tuple[_Traded, ...]:
    return tuple(_Traded(listed, _prices(listed)) for listed in names.known())


def _prices(listed: names.Listed) -> tuple[float, ...]:
    rng = Random(listed.ticker)  # noqa: S311 - no secret
    spread = 0.017 if listed.kind == "acoes" else 0.006

    def before(price: float, step: int) -> float:
        fall = CHEAPER.get(listed.ticker, 0) if step < EARLIER_DAYS else 0
        return price / (1 + rng.gauss(0.0004 - fall, spread))

    return tuple(accumulate(range(SESSIONS - 1), before, initial=float(listed.price)))


@cache
def _sessions(live: int) -> tuple[date, ...]:
    """Return the sessions up to a live day, the newest session first."""
    days = (date_of(live) - timedelta(days=back) for back in count())
    return tuple(islice((day for day in days if is_trading_day(number_of(day))), SESSIONS))


@cache
def _of_year(listed: names.Listed, newest: date) -> SampleAsset:
    """Return an asset with its price in `trial.csv`; its session `newest` is the newest session of a year."""
    return make_known_asset(newest, listed)


def _on_day(traded: _Traded, sessions: tuple[date, ...], step: int, day: int) -> SampleAsset:
    """Return an asset as its page shows it on `day`, when the newest session is ``sessions[step]``."""
    newest = next(session for session in sessions if session.year == sessions[step].year)
    asset = replace(_of_year(traded.listed, newest), day=day)
    if asset.variety == "halted":
        return asset
    cells = asset.cells_by_column()
    values = {column: cell.value for column, cell in cells.items() if cell.value is not None}
    moved = _moved(traded, values, sessions, step, day)
    years = {
        column: value * _OLDER_YEARS
        for column, value in values.items()
        if column.startswith("pct_var_ano_") and isinstance(value, Decimal)
    }
    return asset.with_cells(
        {
            column: _written(cells[column], value)
            for column, value in {**years, **moved}.items()
            if column in values
        }
    )


def _moved(
    traded: _Traded, values: Mapping[str, Value], sessions: tuple[date, ...], step: int, day: int
) -> dict[str, Decimal | date]:
    """Compute a session's unrounded values; `values` holds the asset's values at the price in `trial.csv`."""
    session, split, listed = sessions[step], traded.old_shares(step), traded.listed
    price = round(Decimal(traded.prices[step] * split), 2)
    shares = Decimal(listed.shares) / split
    market, listed_market = price * shares, listed.price * listed.shares
    moved: dict[str, Decimal | date] = {"vlr_cot": price, "vlr_mercado": market // 1000 * 1000}
    moved |= {"num_acoes": shares, "num_cotas": shares}

    def times(columns: Sequence[str], factor: Decimal) -> dict[str, Decimal]:
        found = ((column, values[column]) for column in columns if column in values)
        return {column: value * factor for column, value in found if isinstance(value, int | Decimal)}

    moved |= times(_TIMES_MARKET, market / listed_market)
    moved |= times(_YIELDS, listed_market / market)
    moved |= times(_PER_SHARE, Decimal(split))
    if isinstance(firm := values.get("vlr_firma"), int):
        firm_now = moved["vlr_firma"] = (firm + market - listed_market) // 1000 * 1000
        moved |= times(_TIMES_FIRM, firm_now / firm)

    starts = _starts(sessions, step, day)
    for column, start in starts.items():
        moved[column] = Decimal(100 * (traded.prices[step] / traded.prices[start] - 1))
    year = traded.prices[step : starts["pct_var_12m"]]
    moved["vlr_min_52_sem"], moved["vlr_max_52_sem"] = (
        round(Decimal(extreme * split), 2) for extreme in (min(year), max(year))
    )
    return {**moved, **{column: day_of(session) for column, day_of in _DAYS.items()}}


@cache
def _starts(sessions: tuple[date, ...], step: int, day: int) -> Mapping[str, int]:
    """Return the index in `sessions` at which each price change begins; the keys are the columns."""
    session = sessions[step]

    def newest(is_before: Callable[[date], bool]) -> int:
        return next(back for back in range(step + 1, SESSIONS) if is_before(sessions[back]))

    return {
        "pct_var_dia": step + 1,
        "pct_var_mes": newest(lambda one: (one.year, one.month) != (session.year, session.month)),
        "pct_var_30d": newest(lambda one: one <= session - timedelta(days=30)),
        "pct_var_12m": newest(lambda one: one <= session - timedelta(days=365)),
        f"pct_var_ano_a{day // 10_000 - session.year}": newest(lambda one: one.year != session.year),
    }


def _written(cell: Cell, value: Decimal | date) -> tuple[str, Value]:
    """Return a new text and value for `cell`, rounded like the cell's current value."""
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}", value
    if isinstance(cell.value, int):
        return brazilian(int(value)), int(value)
    assert isinstance(cell.value, Decimal)
    rounded = value.quantize(cell.value, ROUND_HALF_UP)
    return brazilian(rounded) + ("%" if cell.text.endswith("%") else ""), rounded
