from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import pytest

from b3.kind import Kind
from lake_rows import rows
from moto_lake import DAY
from pynvest_lake.contract import SOR, SOR_ACOES, SOR_FIIS, SOT, table_schema
from pynvest_lake.prepare import UnreadableCell, prepare


def test_every_type_of_stock_column_is_read() -> None:
    prepared = prepare(
        rows(
            SOR_ACOES,
            {
                "nome_papel": "PETR4",
                "nome_empresa": "PETROBRAS PN",
                "dt_ult_cot": "20/11/2026",
                "vol_med_neg_2m": "1.234.567.890",
                "num_acoes": "13.044.500.000",
                "vlr_mercado": "30.505.200.000",
                "pct_var_dia": "-1,31%",
                "vlr_ind_div_yield": "17,5%",
                "vlr_divida_liq": "-135.004.000",
                "datetime_exec": "23-11-2026 18:59:07",
            },
        ),
        Kind.ACOES,
        DAY,
    )
    (row,) = prepared.table.to_pylist()
    assert {column: value for column, value in row.items() if value is not None} == {
        "nome_papel": "PETR4",
        "nome_empresa": "PETROBRAS PN",
        "dt_ult_cot": date(2026, 11, 20),
        "vol_med_neg_2m": 1234567890,
        "num_acoes": 13044500000,
        "vlr_mercado": 30505200000.0,
        "pct_var_dia": -0.0131,
        "vlr_ind_div_yield": 17.5,
        "vlr_divida_liq": -135004000.0,
        "datetime_exec": datetime(2026, 11, 23, 18, 59, 7),
    }
    assert prepared.unreadable == []


@pytest.mark.parametrize("kind", Kind)
def test_the_table_has_the_schema_of_the_contract_with_any_rows(kind: Kind) -> None:
    for values in ([], [{}], [{kind.ticker_column: "AAAA11"}] * 3):
        prepared = prepare(rows(SOR[kind], *values), kind, DAY)
        assert prepared.table.schema == table_schema(SOT[kind]).arrow
        assert len(prepared.table) == len(values)


@pytest.mark.parametrize("blank", ["", "-", "-%", "\n -\xa0"])
def test_a_text_without_a_value_is_null_in_every_column_and_not_unreadable(blank: str) -> None:
    schema = table_schema(SOR_ACOES)
    prepared = prepare(rows(SOR_ACOES, dict.fromkeys(schema.arrow.names, blank)), Kind.ACOES, DAY)
    assert set(prepared.table.to_pylist()[0].values()) == {None}
    assert prepared.unreadable == []


def test_an_invalid_number_or_date_is_null_and_reported_with_its_ticker_and_column() -> None:
    prepared = prepare(
        rows(
            SOR_ACOES,
            {"nome_papel": "AAAA3", "vlr_cot": "12.5", "num_acoes": "1,5", "dt_ult_cot": "31/02/2026"},
            {"nome_papel": "BBBB3", "vlr_cot": "12,5", "num_acoes": "3", "dt_ult_cot": "28/02/2026"},
            {"nome_papel": "CCCC3", "vlr_cot": "consulte", "num_acoes": "9" * 19, "datetime_exec": "ontem"},
        ),
        Kind.ACOES,
        DAY,
    )
    assert sorted(prepared.unreadable, key=lambda cell: (cell.ticker, cell.column)) == [
        UnreadableCell("AAAA3", "dt_ult_cot", "31/02/2026"),
        UnreadableCell("AAAA3", "num_acoes", "1,5"),
        UnreadableCell("AAAA3", "vlr_cot", "12.5"),
        UnreadableCell("CCCC3", "datetime_exec", "ontem"),
        UnreadableCell("CCCC3", "num_acoes", "9" * 19),
        UnreadableCell("CCCC3", "vlr_cot", "consulte"),
    ]
    assert prepared.table["vlr_cot"].to_pylist() == [None, 12.5, None]
    assert prepared.table["num_acoes"].to_pylist() == [None, 3, None]
    assert prepared.table["dt_ult_cot"].to_pylist() == [None, date(2026, 2, 28), None]


def test_rows_keep_their_order_over_the_chunks_of_a_table() -> None:
    chunks = [rows(SOR_FIIS, {"fii": ticker, "vlr_cot": "x"}) for ticker in ("CCCC11", "AAAA11", "BBBB11")]
    prepared = prepare(pa.concat_tables(chunks), Kind.FIIS, DAY)
    assert prepared.table["fii"].to_pylist() == ["CCCC11", "AAAA11", "BBBB11"]
    assert [cell.ticker for cell in prepared.unreadable] == ["CCCC11", "AAAA11", "BBBB11"]


@pytest.mark.parametrize("text", ["24/11/2026", "24/11/2099", "\x0224/11/2099"])
def test_a_date_after_the_run_day_is_unreadable_in_any_column(text: str) -> None:
    row = {"nome_papel": "AAAA3", "dt_ult_cot": text, "dt_ult_balanco_proc": text}
    prepared = prepare(rows(SOR_ACOES, row), Kind.ACOES, DAY)
    assert {cell.column for cell in prepared.unreadable} == {"dt_ult_cot", "dt_ult_balanco_proc"}
