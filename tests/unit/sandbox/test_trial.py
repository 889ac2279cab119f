"""The trial has thirty past days and a live day. Only the live day has the site's values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from assess_day.assessment import QualityRow, Verdict
from assess_day.quality import run_checks
from b3.days import date_of, is_trading_day
from sandbox.history import make_day
from sandbox.site import SampleAsset
from sandbox.site.trial import CHEAPER, EARLIER_DAYS, GONE, NEW, SPLIT, history_days, trial_assets

LIVE = 20261129


@cache
def assets_of(live: int, day: int | None) -> Sequence[SampleAsset]:
    return trial_assets(live, day)


def row_of(ticker: str, live: int = LIVE, day: int | None = None) -> Mapping[str, Any]:
    return next(asset for asset in assets_of(live, day) if asset.ticker == ticker).expected_sot()


def tickers(day: int | None) -> set[str]:
    return {asset.ticker for asset in assets_of(LIVE, day)}


@pytest.mark.parametrize(
    ("live", "session"),
    [
        (20261127, 20261127),  # a Friday
        (20261128, 20261127),  # a Saturday
        (20261129, 20261127),
        (20261102, 20261030),  # a holiday
        (20270101, 20261230),
        (20270104, 20270104),
        (20280301, 20280301),  # Ash Wednesday: half a trading day after two days without trade
    ],
)
def test_the_history_is_the_last_thirty_trading_days_before_the_live_day(live: int, session: int) -> None:
    days = history_days(live)

    assert len(set(days)) == EARLIER_DAYS
    assert days == sorted(days)
    assert all(map(is_trading_day, days))
    assert days[-1] < live
    shown = [row_of("PETR4", live, day)["dt_ult_cot"] for day in (days[0], days[-1])]
    assert shown == [date_of(days[0]), date_of(days[-1])]
    assert row_of("PETR4", live)["dt_ult_cot"] == date_of(session)


@pytest.mark.parametrize("live", [20261128, 20270101])
def test_every_day_is_good_also_on_a_saturday_and_on_new_years_day(live: int) -> None:
    judged: dict[int, Sequence[QualityRow]] = {}
    for day in (*history_days(live)[-6:], live):
        judged[day] = run_checks(replace(make_day(trial_assets(live, day), day), earlier=judged))

    assert [row.motivo for rows in judged.values() for row in rows if row.situacao is not Verdict.OK] == []
    assert [row.referencia for row in judged[live] if row.medida == "linhas"] == [62.0, 39.0, 101.0]


def test_prices_and_the_changes_on_the_pages_agree() -> None:
    days = history_days(LIVE)
    for ticker in ("PETR4", "ITUB4", "HGLG11"):
        pages = [row_of(ticker, LIVE, day) for day in days]
        for before, page in pairwise(pages):
            assert page["pct_var_dia"] == pytest.approx(page["vlr_cot"] / before["vlr_cot"] - 1, abs=6e-4)
            assert page["vlr_min_52_sem"] <= page["vlr_cot"] <= page["vlr_max_52_sem"]
        of_october = next(page for page in reversed(pages) if page["dt_ult_cot"].month == 10)
        month = pages[-1]["vlr_cot"] / of_october["vlr_cot"] - 1
        assert pages[-1]["pct_var_mes"] == pytest.approx(month, abs=6e-4)


def test_assets_appear_and_disappear() -> None:
    days = [*history_days(LIVE), None]
    for ticker, days_ago in NEW.items():
        assert [ticker in tickers(day) for day in days] == [False] * (30 - days_ago) + [True] * (days_ago + 1)
    for ticker, days_ago in GONE.items():
        assert [ticker in tickers(day) for day in days] == [True] * (31 - days_ago) + [False] * days_ago
    assert 0 in NEW.values()
    assert 1 in GONE.values()


def test_a_split_changes_shares_and_price_in_one_session_and_nothing_else() -> None:
    ((ticker, (sessions_ago, factor)),) = SPLIT.items()
    days = history_days(LIVE)[::-1]
    after, before = (row_of(ticker, LIVE, days[back]) for back in (sessions_ago, sessions_ago + 1))

    assert after["num_acoes"] == factor * before["num_acoes"]
    assert after["vlr_cot"] == pytest.approx(before["vlr_cot"] / factor, rel=0.06)
    assert after["vlr_ind_vpa"] == pytest.approx(before["vlr_ind_vpa"] / factor, abs=0.01)
    assert after["vlr_ind_p_sobre_vp"] == pytest.approx(before["vlr_ind_p_sobre_vp"], rel=0.06)
    assert abs(after["pct_var_dia"]) < 0.06
    assert after["vlr_min_52_sem"] == pytest.approx(before["vlr_min_52_sem"] / factor, abs=0.01)


def test_a_company_gets_cheaper() -> None:
    for ticker in CHEAPER:
        first, last = (row_of(ticker, LIVE, day) for day in (history_days(LIVE)[0], None))
        for column in ("vlr_cot", "vlr_ind_p_sobre_vp", "vlr_ind_p_sobre_l"):
            assert last[column] < 0.8 * first[column]


def test_an_asset_is_the_same_asset_on_every_day() -> None:
    def lasting(asset: SampleAsset) -> dict[str, Any]:
        row = asset.expected_sot()
        return {name: row[name] for name in row if re.match("nome|tipo|segmento|vlr_patrim|vlr_lucro", name)}

    first = {asset.ticker: lasting(asset) for asset in assets_of(LIVE, history_days(LIVE)[0])}
    last = {asset.ticker: lasting(asset) for asset in assets_of(LIVE, None)}
    assert {ticker: last[ticker] for ticker in first.keys() & last.keys()} == {
        ticker: first[ticker] for ticker in first.keys() & last.keys()
    }
