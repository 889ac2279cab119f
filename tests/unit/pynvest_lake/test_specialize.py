from __future__ import annotations

from datetime import date, datetime

import pytest

from b3.kind import Kind
from lake_rows import rows
from pynvest_lake.contract import SOT, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS, table_schema
from pynvest_lake.specialize import specialize

SHARED = {
    "vlr_cot": 31.87,
    "dt_ult_cot": date(2026, 11, 20),
    "vlr_min_52_sem": 20.5,
    "vlr_max_52_sem": 40.25,
    "pct_var_dia": -0.0131,
    "pct_var_mes": 0.02,
    "pct_var_30d": 0.03,
    "pct_var_12m": -0.7625,
    **{f"pct_var_ano_a{age}": age / 10 for age in range(6)},
    "datetime_exec": datetime(2026, 11, 23, 18, 59, 7),
    "datetime_leitura": datetime(2026, 11, 23, 18, 45, 3),
}


def test_a_stock_has_its_company_and_its_sector() -> None:
    own = {
        "nome_papel": "PETR4",
        "nome_empresa": "PETROBRAS PN",
        "nome_setor": "Petróleo",
        "nome_subsetor": "Refino",
    }
    assert specialize(rows(SOT_ACOES, {**own, **SHARED}), Kind.ACOES).to_pylist() == [
        {
            "codigo_ticker_ativo": "PETR4",
            "tipo_ativo": "Ação",
            "nome_ativo": "PETROBRAS PN",
            "nome_setor_segmento": "Petróleo",
            **SHARED,
        }
    ]


def test_a_fund_has_its_name_and_its_segment() -> None:
    own = {"fii": "HGLG11", "nome_fii": "CSHG LOGÍSTICA", "segmento": "Logística", "tipo_mandato": "Renda"}
    assert specialize(rows(SOT_FIIS, {**own, **SHARED}), Kind.FIIS).to_pylist() == [
        {
            "codigo_ticker_ativo": "HGLG11",
            "tipo_ativo": "Fundo Imobiliário",
            "nome_ativo": "CSHG LOGÍSTICA",
            "nome_setor_segmento": "Logística",
            **SHARED,
        }
    ]


@pytest.mark.parametrize("kind", Kind)
def test_stocks_and_funds_have_one_schema_with_any_rows(kind: Kind) -> None:
    for values in ([], [{}], [{kind.ticker_column: "AAAA11"}] * 3):
        spec = specialize(rows(SOT[kind], *values), kind)
        assert spec.schema == table_schema(SPEC_ATIVOS).arrow
        assert len(spec) == len(values)
