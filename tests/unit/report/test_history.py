from __future__ import annotations

import base64
import gzip
import json
import math
import re
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from assess_day import splits
from report.athena import QueryFailed
from report.history import (
    SERIES,
    SPLIT_FACTOR,
    SPLIT_REST,
    AssetHistory,
    Split,
    history_sql,
    possible_splits,
    table_of,
)
from report.panel import panel_data
from report.snapshot import Snapshot
from report_sample import DAY, sample

ATHENA = Path(__file__).resolve().parents[3] / "athena"
VIEWS = ATHENA / "views"
SQL = sorted(ATHENA.glob("*/*.sql"))
FIRST = date(2026, 11, 16)


def history(prices: list[float | None], shares: list[float | None]) -> AssetHistory:
    days = [FIRST + timedelta(days=number) for number in range(len(prices))]
    return AssetHistory("PETR4", days, {"vlr_cot": prices}, shares)


@pytest.mark.parametrize(
    ("prices", "shares", "factors"),
    [
        ([30.0, 15.2], [100, 200], (2.0, 15.2 / 30)),  # a split
        ([1.5, 15.0], [100, 10], (0.1, 10.0)),  # a reverse split
        ([30.0, None, 15.0], [100, None, 200], (2.0, 0.5)),  # the session between has no values
        ([30.0, 20.0], [100, 150], (1.5, 2 / 3)),  # the smallest factor
        ([30.0, 21.0], [100, 140], None),  # a bonus below the smallest factor
        ([30.0, 30.0], [100, 200], None),  # new shares at the market's price
        ([30.0, 15.0], [100, 100], None),  # only the price falls
        ([30.0, 9.0], [100, 200], None),  # the price falls too far for a split
        ([30.0, 0.0, 15.0], [100, 0, 100], None),
        ([30.0, 15.0], [], None),  # the lake lacks the number of shares
        ([], [], None),
    ],
)
def test_a_possible_split_moves_shares_and_price_by_inverse_factors(
    prices: list[float | None], shares: list[float | None], factors: tuple[float, float] | None
) -> None:
    found = possible_splits(history(prices, shares))

    last = FIRST + timedelta(days=len(prices) - 1)
    assert found == ([Split(last, *map(pytest.approx, factors))] if factors else [])


def test_report_notice_and_view_have_the_same_limits_for_a_possible_split() -> None:
    view = (VIEWS / "vw_possiveis_desdobramentos.sql").read_text("utf-8")

    assert (splits.LEAST_FACTOR, splits.MARKET_VALUE) == (SPLIT_FACTOR, SPLIT_REST)
    low, high = SPLIT_REST
    assert f"greatest(fator, 1 / fator) >= {SPLIT_FACTOR}" in view
    assert f"fator * vlr_cot / vlr_cot_anterior BETWEEN {low} AND {high}" in view


@pytest.mark.parametrize("path", SQL, ids=lambda path: path.stem)
def test_no_view_or_query_divides_a_literal_by_a_literal(path: Path) -> None:
    """In Athena, the quotient of two literals has no more decimals than the literals: ``1 / 1.5`` is 0.7."""
    sql = re.sub(r"\$\{(\w+)\}", r"\1", path.read_text("utf-8"))

    quotients = sqlglot.parse_one(sql, read="athena").find_all(exp.Div)
    literals = [one.sql() for one in quotients if one.this.is_number and one.expression.is_number]
    assert literals == []


def test_the_query_gives_one_row_per_asset_with_the_last_reading_of_each_session_in_order() -> None:
    lake = duckdb.connect()
    lake.execute(
        "CREATE TABLE sot AS SELECT * FROM (VALUES "
        "('PETR4', DATE '2026-11-19', 20261120, 2, 31.5), ('PETR4', DATE '2026-11-18', 20261118, 1, 30.0), "
        "('PETR4', DATE '2026-11-19', 20261119, 9, 1.0), ('PETR4', DATE '2026-11-17', 20261117, 1, 29.0), "
        "('PETR4', NULL, 20261120, 9, 7.0), ('VALE3', DATE '2026-11-18', 20261118, 1, NULL)"
        ") AS rows (nome_papel, dt_ult_cot, anomesdia_exec, datetime_exec, vlr_cot)"
    )
    lake.execute('CREATE VIEW "sot$partitions" AS SELECT DISTINCT anomesdia_exec FROM sot')
    sql = history_sql('"sot"', "nome_papel", ["vlr_cot"], days=3)

    rows = lake.execute(sqlglot.transpile(sql, read="athena", write="duckdb")[0]).fetchall()

    days = [date(2026, 11, 18), date(2026, 11, 19)]
    assert rows == [("PETR4", days, [30, 31.5]), ("VALE3", days[:1], [None])]


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ('SELECT a\nFROM "db_sot"."tb"\nWHERE a = (SELECT b FROM "db_sot"."tb$partitions")', '"db_sot"."tb"'),
        ("CREATE VIEW awsdatacatalog.db.vw AS\nSELECT a\nFROM\n  db_sot.tb\nWHERE a = 1", "db_sot.tb"),
        ("CREATE VIEW vw AS SELECT a FROM awsdatacatalog.db.tb", "awsdatacatalog.db.tb"),
    ],
)
def test_the_table_of_a_view_is_the_first_that_it_names(sql: str, table: str) -> None:
    assert table_of(sql) == table


def test_a_definition_without_a_table_is_an_error() -> None:
    with pytest.raises(QueryFailed, match="expected a table after FROM in 'SELECT 1'"):
        table_of("SELECT 1")


def unpacked(snapshot: Snapshot) -> dict[str, Any]:
    text = panel_data(snapshot, snapshot.assets())
    data: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(text)))
    return data


def test_a_series_omits_repeats_and_marks_missing_values() -> None:
    whole = sample()
    days = [date(2026, 11, 17) + timedelta(days=number) for number in range(5)]
    petr = AssetHistory("PETR4", days, {"vlr_cot": [30.0, 30.0, None, 31.25, 31.25]})
    vale = AssetHistory("VALE3", days[1:3], {"vlr_cot": [60.0, 60.0]})

    data = unpacked(Snapshot(whole.stocks, whole.funds, histories=[petr, vale], bad_days={DAY: "falha"}))

    texts = dict(zip(data["acoes"]["tickers"], data["acoes"]["history"], strict=True))
    assert data["sessions"] == [day.isoformat() for day in days]
    assert (data["acoes"]["series"], data["fiis"]["series"]) == (["vlr_cot"], [])
    assert texts["PETR4"] == ["30,,-,31.25"]
    assert texts["VALE3"] == ["-,60,,-"]
    assert [text for ticker, text in texts.items() if ticker not in ("PETR4", "VALE3") and text] == []
    assert data["bad"] == {"2026-11-23": "falha"}


def test_the_data_of_the_panels_has_every_column_and_is_the_same_for_the_same_lake() -> None:
    whole = sample()
    stocks = [row | {"vlr_novo": 1.5, "txt_novo": "novo"} for row in whole.stocks]
    snapshot = Snapshot(stocks, whole.funds)

    data = unpacked(snapshot)

    heading = {"nome_papel", "nome_empresa", "datetime_leitura", "anomesdia_exec"}
    shown = {one["name"]: one for one in data["acoes"]["indicators"]}
    assert shown.keys() == stocks[0].keys() - heading
    assert [shown[name]["shown"] for name in ("vlr_novo", "txt_novo")] == ["decimal", "text"]
    assert shown["vlr_ind_roe"]["meaning"].startswith("Retorno sobre o patrimônio líquido (ROE)")
    rows = {row["nome_papel"]: row for row in stocks}
    for ticker, value in zip(data["acoes"]["tickers"], shown["vlr_ind_roe"]["values"], strict=True):
        assert value == rows[ticker]["vlr_ind_roe"]
    assert panel_data(snapshot, snapshot.assets()) == panel_data(snapshot, snapshot.assets())


def test_a_year_of_all_assets_fits_into_the_page() -> None:
    """The page may have up to 6 MB (2.3 MB without histories)."""
    rng = Random(0)  # noqa: S311 - no secret
    whole = sample()
    days = [FIRST + timedelta(days=number) for number in range(250)]
    tickers = [asset.ticker for asset in whole.assets() if not asset.is_fund]
    of_balance_sheets = [round(12.3 + number // 62, 1) for number in range(len(days))]
    histories = []
    for ticker in tickers:
        values = dict.fromkeys(SERIES["nome_papel"], of_balance_sheets)
        for name in ("vlr_cot", "vlr_ind_p_sobre_l", "vlr_ind_p_sobre_vp", "vlr_ind_div_yield"):
            walk = accumulate(rng.gauss(0, 0.02) for _ in days)
            values[name] = [round(9 * math.exp(step), 2) for step in walk]
        histories.append(AssetHistory(ticker, days, values))

    written = [
        len(panel_data(Snapshot(whole.stocks, whole.funds, histories=found), whole.assets()))
        for found in (histories, [])
    ]

    each = (written[0] - written[1]) / (len(tickers) * len(days) * len(SERIES["nome_papel"]))
    assert each * 250 * (8 * 1000 + 4 * 450) < (6 - 2.3) * 1e6
