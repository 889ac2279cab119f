"""Makes the assets that the sample site has in the local run; their prices change from day to day.

`trial.csv` lists the assets. Names and orders of magnitude come from well-known assets; all values are made
up. `trial.csv` has the prices of the live day; a random walk gives the prices of the sessions before that
day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import accumulate, count, islice
from random import Random

from b3.days import date_of, is_trading_day, number_of
from sandbox.site import names
from sandbox.site.asset import SampleAsset
from sandbox.site.assets import brazilian, make_known_asset

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

_OLDER_YEARS = Decimal("0.35")
"""Factor for the price changes of older years, because the sample site's changes are too large."""


def history_days(live: int) -> list[int]:
    """Return the days of the history before a live day (``YYYYMMDD``), the oldest first."""
    return [number_of(day) for day in _sessions(live) if number_of(day) < live][EARLIER_DAYS - 1 :: -1]


def trial_assets(live: int, day: int | None = None) -> list[SampleAsset]:
    """Return the assets that the site shows on a day of the local run, first the stocks and then the funds.

    Parameters
    ----------
    live
        The live day, ``YYYYMMDD``.
    day
        The day to show, one of `history_days`; None for the live day.
    """
    day = day or live
    sessions = _sessions(live)
    step = next(step for step, session in enumerate(sessions) if number_of(session) <= day)
    days_ago = 0 if day == live else 1 + history_days(live)[::-1].index(day)
    return [
        _on_day(listed, sessions, step, day)
        for listed in names.known()
        if GONE.get(listed.ticker, 0) <= days_ago <= NEW.get(listed.ticker, EARLIER_DAYS)
    ]


@cache
def _prices(listed: names.Listed) -> tuple[float, ...]:
    """Return an asset's split-adjusted price in each session, the newest session first."""
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


def _on_day(listed: names.Listed, sessions: tuple[date, ...], step: int, day: int) -> SampleAsset:
    """Return the asset with its values on `day`; the newest session is ``sessions[step]``."""
    if listed.variety == "halted":
        return replace(make_known_asset(sessions[step], listed), day=day)
    prices, starts = _prices(listed), _starts(sessions, step, day)
    split_at, new_shares = SPLIT.get(listed.ticker, (SESSIONS, 1))
    split = new_shares if step > split_at else 1
    price, shares = round(Decimal(prices[step] * split), 2), listed.shares // split
    factor = price * shares / (listed.price * listed.shares)
    now = replace(
        listed,
        price=price,
        shares=shares,
        p_vp=listed.p_vp * factor,
        p_l=listed.p_l and listed.p_l * factor,
        dividend_yield=listed.dividend_yield / factor,
    )
    asset = replace(make_known_asset(sessions[step], now), day=day)
    year = prices[step : starts["pct_var_12m"]]
    moved = {column: Decimal(100 * (prices[step] / prices[start] - 1)) for column, start in starts.items()}
    moved["vlr_min_52_sem"], moved["vlr_max_52_sem"] = (
        Decimal(extreme * split) for extreme in (min(year), max(year))
    )
    cells = asset.cells_by_column()
    older = {
        column: cell.value * _OLDER_YEARS
        for column, cell in cells.items()
        if column.startswith("pct_var_ano_") and isinstance(cell.value, Decimal)
    }
    return asset.with_cells(
        {
            column: _written(value, "%" if column.startswith("pct_") else "")
            for column, value in {**older, **moved}.items()
            if column in cells
        }
    )


@cache
def _starts(sessions: tuple[date, ...], step: int, day: int) -> Mapping[str, int]:
    """Return, for each price-change column, the index in `sessions` of the session to compare with."""
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


def _written(value: Decimal, unit: str) -> tuple[str, Decimal]:
    """Round `value` to two decimal places; return the result as text with `unit`, and as a number."""
    rounded = value.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return brazilian(rounded) + unit, rounded
