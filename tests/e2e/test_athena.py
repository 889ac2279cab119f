"""Saved queries and views return the known lake's rows, and the reader's role permits only queries."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from botocore.exceptions import ClientError
from faulty_lake import SHARED_DIR
from known_lake import HOLIDAY, LAST, LIQUID, KnownLake, Row, as_date, make_known_lake, tables_of
from role import Role

from pynvest_lake.contract import SOT_ACOES, SOT_FIIS, SPEC_ATIVOS, table_schema
from report.__main__ import main as report
from report.athena import Answer, Athena
from report.history import DAYS, SERIES, SHARES, AssetHistory
from report.snapshot import Snapshot, take_snapshot
from sandbox.emulator import REGION
from sandbox.lake import Lake
from sandbox.local import LocalLake

pytestmark = pytest.mark.e2e

RECIPES = Path(__file__).resolve().parents[2] / "docs" / "recipes.md"
NOWHERE = {"fundamentus_base_url": "http://127.0.0.1:9"}
"""These tests read no page: the address does not answer."""


class Asked:
    """The applied module with the data of the known lake."""

    def __init__(self, local: LocalLake) -> None:
        self.local = local
        self.lake: Lake = local.lake
        self.outputs = local.terraform.outputs()
        s3 = local.emulator.client("s3")
        (self.packages_bucket,) = (
            bucket["Name"] for bucket in s3.list_buckets()["Buckets"] if "-packages-" in bucket["Name"]
        )
        self.athena = Athena(local.emulator.client("athena"), self.lake.workgroup)
        self.empty = take_snapshot(self.athena, s3)
        self.known: KnownLake = make_known_lake()
        self.known.write(self.lake, s3, local.emulator.client("glue"))


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with LocalLake(tmp_path_factory.mktemp("athena"), NOWHERE, shared_dir=SHARED_DIR) as local:
        yield Asked(local)


@pytest.fixture(scope="module")
def reader(asked: Asked) -> Role:
    return Role(asked.local.emulator, "reader", asked.outputs["reader_policy_json"])


@pytest.fixture(scope="module")
def athena(asked: Asked, reader: Role) -> Athena:
    """Return Athena with the rights of a reader."""
    return Athena(reader.client("athena"), asked.lake.workgroup)


def value_of(text: str | None, like: Any) -> Any:
    """Convert a text in an answer to the type of the expected value."""
    if text is None or like is None or isinstance(like, str):
        return text
    return type(like)(text) if isinstance(like, int | float) else text


def hold(answer: Answer, columns: list[str], expected: list[list[Any]], rounded: float = 0) -> None:
    """Check an answer's columns, and its rows in this order; numbers may differ by rounding."""
    assert answer.columns == columns
    assert len(answer.rows) == len(expected)
    for row, wanted in zip(answer.rows, expected, strict=True):
        found = [value_of(text, like) for text, like in zip(row, wanted, strict=True)]
        assert found == [
            pytest.approx(value, rel=1e-9, abs=rounded) if isinstance(value, float) else as_text(value)
            for value in wanted
        ]


def as_text(value: Any) -> Any:
    """Convert a date or a time to the text form of an answer; return any other value unchanged."""
    return value if value is None or isinstance(value, str | int) else str(value)


def picked(rows: Sequence[Mapping[str, Any]], *columns: str) -> list[list[Any]]:
    return [[row[column] for column in columns] for row in rows]


def columns_of(table: str) -> list[str]:
    return [*table_schema(table).names, "anomesdia_exec"]


def splits(known: KnownLake) -> list[Row]:
    """Return the known lake's rows for the split and for the reverse split."""
    answer = []
    for key, ticker, name, quantity, kind, asset in (
        ("sot_acoes", "nome_papel", "nome_empresa", "num_acoes", "Ação", known.split),
        ("sot_fiis", "fii", "nome_fii", "num_cotas", "Fundo Imobiliário", known.grouped),
    ):
        before, row = [row for row in known.rows[key] if row[ticker] == asset][-2:]
        answer.append(
            {
                "codigo_ticker_ativo": asset,
                "tipo_ativo": kind,
                "nome_ativo": row[name],
                "sessao_anterior": before["dt_ult_cot"],
                "dt_ult_cot": row["dt_ult_cot"],
                "fator": row[quantity] / before[quantity],
                "quantidade_anterior": before[quantity],
                "quantidade": row[quantity],
                "vlr_cot_anterior": before["vlr_cot"],
                "vlr_cot": row["vlr_cot"],
                "anomesdia_exec": row["anomesdia_exec"],
            }
        )
    return answer


SPLIT_COLUMNS = [
    *("codigo_ticker_ativo", "tipo_ativo", "nome_ativo", "sessao_anterior", "dt_ult_cot", "fator"),
    *("quantidade_anterior", "quantidade", "vlr_cot_anterior", "vlr_cot", "anomesdia_exec"),
]
VIEWS: dict[str, tuple[list[str], Callable[[KnownLake], list[Row]]]] = {
    "vw_acoes_ultimo_dia": (columns_of(SOT_ACOES), lambda known: known.latest("sot_acoes")),
    "vw_fiis_ultimo_dia": (columns_of(SOT_FIIS), lambda known: known.latest("sot_fiis")),
    "vw_ativos_ultimo_dia": (columns_of(SPEC_ATIVOS), lambda known: known.latest("spec_ativos")),
    "vw_ativos_por_sessao": (columns_of(SPEC_ATIVOS), KnownLake.by_session),
    "vw_ativos_negociados": (columns_of(SPEC_ATIVOS), KnownLake.traded),
    "vw_possiveis_desdobramentos": (SPLIT_COLUMNS, splits),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_reader_gets_the_rows_and_columns_that_a_view_is_named_for(
    asked: Asked, athena: Athena, name: str
) -> None:
    columns, rows = VIEWS[name]
    answer = athena.ask(f"SELECT * FROM {asked.lake.table('spec').database}.{name}")  # noqa: S608
    ticker, session = columns[0], columns.index("dt_ult_cot")

    answer.rows.sort(key=lambda row: (str(row[0]), str(row[session])))
    expected = sorted(rows(asked.known), key=lambda row: (row[ticker], str(row["dt_ult_cot"])))
    hold(answer, columns, picked(expected, *columns))


def test_the_views_are_all_tested(asked: Asked) -> None:
    glue = asked.local.emulator.client("glue")
    tables = glue.get_tables(DatabaseName=asked.lake.table("spec").database)["TableList"]

    assert {table["Name"] for table in tables if table["TableType"] == "VIRTUAL_VIEW"} == set(VIEWS)


def test_a_holiday_is_no_session_and_a_mended_price_replaces_the_one_before(asked: Asked) -> None:
    known = asked.known
    rows = [row for row in known.by_session() if row["codigo_ticker_ativo"] == known.mended]

    assert sorted(row["anomesdia_exec"] for row in rows) == [20261118, 20261120, LAST]
    assert known.delisted not in {row["codigo_ticker_ativo"] for row in known.traded()}


def maiores_dividendos(known: KnownLake) -> list[list[Any]]:
    stocks = picked(
        known.liquid("acoes"),
        *("nome_papel", "nome_empresa", "nome_setor", "vlr_cot", "vlr_ind_div_yield", "vol_med_neg_2m"),
    )
    funds = picked(
        known.liquid("fiis"),
        *("fii", "nome_fii", "segmento", "vlr_cot", "vlr_div_yield", "vol_med_neg_2m"),
    )
    rows = [
        [row[0], kind, *row[1:]]
        for kind, found in {"Ação": stocks, "Fundo Imobiliário": funds}.items()
        for row in found
        if row[4] is not None
    ]
    return sorted(rows, key=lambda row: (-row[5], row[0]))[:20]


def mean(values: list[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return sum(present) / len(present) if present else None


def fiis_por_segmento(known: KnownLake) -> list[list[Any]]:
    traded = {row["codigo_ticker_ativo"] for row in known.traded()}
    segments = defaultdict(list)
    for row in known.latest("sot_fiis"):
        if row["fii"] in traded:
            segments[row["segmento"]].append(row)
    answer = []
    for segment, rows in segments.items():
        both = [row for row in rows if row["vlr_mercado"] is not None and (row["vlr_patrim_liq"] or 0) > 0]
        equity = [row["vlr_patrim_liq"] for row in rows if row["vlr_patrim_liq"] is not None]
        market = sum(row["vlr_mercado"] for row in both)
        answer.append(
            [
                segment,
                len(rows),
                mean([row["vlr_div_yield"] for row in rows]),
                mean([row["vlr_p_sobre_vp"] for row in rows]),
                market / sum(row["vlr_patrim_liq"] for row in both) if both else None,
                sum(equity) if equity else None,
            ]
        )
    return sorted(answer, key=lambda row: (-row[1], row[0] is None, row[0]))


def menores_p_vp(known: KnownLake) -> list[list[Any]]:
    sectors = defaultdict(list)
    for row in known.liquid("acoes"):
        if (row["vlr_ind_p_sobre_vp"] or 0) > 0:
            sectors[row["nome_setor"]].append(row)
    answer = []
    for sector in sorted(sectors, key=lambda name: (name is None, name)):
        rows = sorted(sectors[sector], key=lambda row: (row["vlr_ind_p_sobre_vp"], row["nome_papel"]))
        columns = ("nome_papel", "nome_empresa", "vlr_cot", "vlr_ind_p_sobre_vp", "vlr_ind_roe")
        answer += [[sector, place, *row] for place, row in enumerate(picked(rows[:3], *columns), start=1)]
    return answer


def formula_magica(known: KnownLake) -> list[list[Any]]:
    rows = [
        row
        for row in known.liquid("acoes")
        if (row["vlr_ind_roic"] or 0) > 0 and (row["vlr_ind_ev_sobre_ebit"] or 0) > 0
    ]
    answer = []
    for row in rows:
        roic = 1 + sum(other["vlr_ind_roic"] > row["vlr_ind_roic"] for other in rows)
        ev_ebit = 1 + sum(other["vlr_ind_ev_sobre_ebit"] < row["vlr_ind_ev_sobre_ebit"] for other in rows)
        columns = ("nome_papel", "nome_empresa", "nome_setor", "vlr_cot", "vlr_ind_roic")
        shown = picked([row], *columns, "vlr_ind_ev_sobre_ebit")[0]
        answer.append([*shown, roic, ev_ebit, roic + ev_ebit])
    return sorted(answer, key=lambda row: (row[-1], row[0]))[:30]


def numero_de_graham(known: KnownLake) -> list[list[Any]]:
    rows = [
        (math.sqrt(22.5 * row["vlr_ind_lpa"] * row["vlr_ind_vpa"]), row)
        for row in known.liquid("acoes")
        if (row["vlr_ind_lpa"] or 0) > 0 and (row["vlr_ind_vpa"] or 0) > 0
    ]
    rows.sort(key=lambda one: (-one[0] / one[1]["vlr_cot"], one[1]["nome_papel"]))
    columns = ("nome_papel", "nome_empresa", "vlr_cot", "vlr_ind_lpa", "vlr_ind_vpa")
    return [[*picked([row], *columns)[0], graham, graham / row["vlr_cot"] - 1] for graham, row in rows[:30]]


def divida_liquida(known: KnownLake) -> list[list[Any]]:
    rows = [
        row
        for row in known.liquid("acoes")
        if row["vlr_divida_liq"] is not None and (row["vlr_patrim_liq"] or 0) > 0
    ]
    rows.sort(key=lambda row: (-row["vlr_divida_liq"] / row["vlr_patrim_liq"], row["nome_papel"]))
    columns = ("nome_papel", "nome_empresa", "nome_setor", "vlr_divida_liq", "vlr_patrim_liq")
    return [
        [*shown, row["vlr_divida_liq"] / row["vlr_patrim_liq"]]
        for row, shown in zip(rows[:50], picked(rows[:50], *columns), strict=True)
    ]


def serie(known: KnownLake, ticker: str = "PETR4") -> list[list[Any]]:
    rows = [row for row in known.by_session() if row["codigo_ticker_ativo"] == ticker]
    rows.sort(key=lambda row: row["dt_ult_cot"])
    answer = []
    for before, row in zip([None, *rows], rows, strict=False):
        change = None if before is None else row["vlr_cot"] / before["vlr_cot"] - 1
        answer.append(
            [row["dt_ult_cot"], row["vlr_cot"], change, row["vlr_min_52_sem"], row["vlr_max_52_sem"]]
        )
    return answer


def o_que_mudou(known: KnownLake) -> list[list[Any]]:
    liquid = {
        row[ticker]
        for key, ticker in (("sot_acoes", "nome_papel"), ("sot_fiis", "fii"))
        for row in known.latest(key)
        if (row["vol_med_neg_2m"] or 0) > LIQUID
    }
    sessions = defaultdict(list)
    for row in sorted(known.by_session(), key=lambda row: row["dt_ult_cot"]):
        sessions[row["codigo_ticker_ativo"]].append(row)
    newest = max(rows[-1]["dt_ult_cot"] for rows in sessions.values())
    moved = []
    for ticker, rows in sessions.items():
        if ticker in liquid and len(rows) > 1 and rows[-1]["dt_ult_cot"] == newest:
            before, row = rows[-2:]
            shown = picked([row], "codigo_ticker_ativo", "tipo_ativo", "nome_ativo")[0]
            prices = [before["dt_ult_cot"], before["vlr_cot"], row["dt_ult_cot"], row["vlr_cot"]]
            moved.append([*shown, *prices, row["vlr_cot"] / before["vlr_cot"] - 1])
    return sorted(moved, key=lambda row: (-abs(row[-1]), row[0]))[:30]


def novos_e_sumidos(known: KnownLake) -> list[list[Any]]:
    days = sorted({row["anomesdia_exec"] for row in known.rows["spec_ativos"]})[-2:]
    ((new, last), (gone, before)) = ((known.new, days[1]), (known.gone, days[0]))
    rows = {(row["codigo_ticker_ativo"], row["anomesdia_exec"]): row for row in known.rows["spec_ativos"]}
    columns = ("codigo_ticker_ativo", "tipo_ativo", "nome_ativo", "dt_ult_cot", "anomesdia_exec")
    return [
        ["novo", *picked([rows[new, last]], *columns)[0]],
        ["sumiu", *picked([rows[gone, before]], *columns)[0]],
    ]


def desdobramentos(known: KnownLake) -> list[list[Any]]:
    columns = ("codigo_ticker_ativo", "tipo_ativo", "nome_ativo", "sessao_anterior", "dt_ult_cot", "fator")
    more = ("quantidade_anterior", "quantidade", "vlr_cot_anterior", "vlr_cot")
    return sorted(picked(splits(known), *columns, *more), key=lambda row: row[0])


def qualidade(known: KnownLake) -> list[list[Any]]:
    days = sorted(known.days("spec_quality"))[-30:]
    rows = [
        row
        for row in known.rows["spec_quality"]
        if row["anomesdia_exec"] in days and (row["medida"] == "dia" or row["situacao"] != "ok")
    ]
    rows.sort(key=lambda row: (-row["anomesdia_exec"], row["medida"] != "dia"))
    columns = ("anomesdia_exec", "situacao", "tabela", "medida", "coluna", "valor", "referencia", "motivo")
    return picked(rows, *columns)


@dataclass(frozen=True)
class Expected:
    """The expected answer to a named query: its columns, and a function that computes its rows."""

    rows: Callable[[KnownLake], list[list[Any]]]
    columns: str
    rounded: float = 0
    """Maximum difference from the expected number, which is not rounded."""


QUERIES = {
    "maiores-dividendos": Expected(
        maiores_dividendos, "papel tipo nome setor vlr_cot dividend_yield vol_med_neg_2m"
    ),
    "fiis-por-segmento": Expected(
        fiis_por_segmento,
        "segmento fundos dividend_yield_medio p_vp_medio p_vp_do_segmento patrimonio_liquido",
        rounded=0.0050001,
    ),
    "menores-p-vp-por-setor": Expected(
        menores_p_vp, "nome_setor posicao nome_papel nome_empresa vlr_cot vlr_ind_p_sobre_vp vlr_ind_roe"
    ),
    "formula-magica": Expected(
        formula_magica,
        "nome_papel nome_empresa nome_setor vlr_cot vlr_ind_roic vlr_ind_ev_sobre_ebit "
        "posicao_roic posicao_ev_ebit soma",
    ),
    "numero-de-graham": Expected(
        numero_de_graham,
        "nome_papel nome_empresa vlr_cot vlr_ind_lpa vlr_ind_vpa numero_de_graham margem",
        rounded=0.0050001,
    ),
    "divida-liquida-sobre-patrimonio": Expected(
        divida_liquida,
        "nome_papel nome_empresa nome_setor vlr_divida_liq vlr_patrim_liq divida_liquida_sobre_patrimonio",
        rounded=0.0000501,
    ),
    "serie-de-um-papel": Expected(serie, "dt_ult_cot vlr_cot variacao vlr_min_52_sem vlr_max_52_sem"),
    "o-que-mudou": Expected(
        o_que_mudou,
        "codigo_ticker_ativo tipo_ativo nome_ativo sessao_anterior vlr_cot_anterior "
        "dt_ult_cot vlr_cot variacao",
    ),
    "papeis-novos-e-sumidos": Expected(
        novos_e_sumidos, "situacao codigo_ticker_ativo tipo_ativo nome_ativo dt_ult_cot anomesdia_exec"
    ),
    "possiveis-desdobramentos": Expected(
        desdobramentos,
        "codigo_ticker_ativo tipo_ativo nome_ativo sessao_anterior dt_ult_cot fator "
        "quantidade_anterior quantidade vlr_cot_anterior vlr_cot",
    ),
    "qualidade-dos-ultimos-30-dias": Expected(
        qualidade, "anomesdia_exec situacao tabela medida coluna valor referencia motivo"
    ),
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_named_query_answers_a_reader_what_the_assets_say(asked: Asked, athena: Athena, name: str) -> None:
    expected = QUERIES[name]
    rows = expected.rows(asked.known)

    assert rows
    hold(athena.ask_by_name(name), expected.columns.split(), rows, expected.rounded)


def test_the_named_queries_are_all_tested(asked: Asked) -> None:
    assert set(asked.athena.named_queries()) == set(QUERIES)


def test_the_queries_of_the_page_about_quality_answer_as_written(asked: Asked) -> None:
    latest, days = asked.known.latest("sot_acoes"), asked.known.days("spec_quality")
    stocks = {row["nome_papel"]: row for row in latest}
    outside = [row for row in latest if row["vlr_min_52_sem"] and row["vlr_max_52_sem"]]
    outside = [row for row in outside if not row["vlr_min_52_sem"] <= row["vlr_cot"] <= row["vlr_max_52_sem"]]
    before = [row for row in asked.known.rows["sot_acoes"] if row["anomesdia_exec"] == HOLIDAY]
    expected = {
        "tbspec_pynvest_qualidade\nWHERE anomesdia_exec": 0,  # a good day has no rows
        "tbspec_pynvest_qualidade\nWHERE tabela": min(30, len(days)),
        "AS antes": sum(row["nome_papel"] in stocks for row in before),
        "AS texto": 0,  # the lake has no SoR rows
        "dt_ult_cot, count": min(10, len({row["dt_ult_cot"] for row in asked.known.latest("spec_ativos")})),
        "vlr_cot < vlr_min_52_sem": len(outside),
        "AS por_vp": len(latest),
    }
    page = (Path(__file__).parents[2] / "docs" / "quality.md").read_text(encoding="utf-8")
    queries = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)

    found = {part: len(asked.athena.ask(sql).rows) for sql in queries for part in expected if part in sql}

    assert len(queries) == len(expected)
    assert found == expected


def test_a_delisted_asset_and_a_bank_are_where_they_belong(asked: Asked) -> None:
    """Check that the lake has the queries' special cases: without these cases, other tests prove nothing."""
    known = asked.known
    latest = {row["nome_papel"]: row for row in known.latest("sot_acoes")}
    assert latest[known.delisted]["vlr_ind_div_yield"] == max(
        row["vlr_ind_div_yield"] or 0 for row in latest.values()
    )
    assert latest[known.delisted]["dt_ult_cot"] < as_date(LAST).replace(year=2025)
    banks = [row for row in known.liquid("acoes") if row["vlr_depositos"] is not None]
    assert banks
    assert all(row["vlr_divida_liq"] is None and row["vlr_ind_ev_sobre_ebit"] is None for row in banks)


def test_the_report_finds_an_empty_lake_empty(asked: Asked) -> None:
    assert asked.empty == Snapshot([], [], [], [], {})


def test_the_report_takes_what_the_lake_holds_with_the_rights_of_a_reader(
    asked: Asked, athena: Athena, reader: Role
) -> None:
    known = asked.known
    snapshot = take_snapshot(athena, reader.client("s3"))

    assert list(snapshot.stocks) == sorted(known.latest("sot_acoes"), key=lambda row: row["nome_papel"])
    assert list(snapshot.funds) == sorted(known.latest("sot_fiis"), key=lambda row: row["fii"])
    assert picked(snapshot.quality, *QUERIES["qualidade-dos-ultimos-30-dias"].columns.split()) == qualidade(
        known
    )
    judged = {
        row["anomesdia_exec"]: row["situacao"]
        for row in known.rows["spec_quality"]
        if row["medida"] == "dia" and row["situacao"] != "ok"
    }
    assert snapshot.bad_days == judged
    assert {asset.ticker for asset in snapshot.assets()} == {
        row["codigo_ticker_ativo"] for row in known.traded()
    }


@pytest.mark.parametrize("days", [DAYS, 2])
def test_the_report_takes_the_history_of_every_asset_with_the_rights_of_a_reader(
    asked: Asked, athena: Athena, reader: Role, days: int
) -> None:
    found = take_snapshot(athena, reader.client("s3"), days).histories

    assert {history.ticker: history for history in found} == expected_histories(asked.known, days)
    assert len({session for history in found for session in history.sessions}) > 1


def expected_histories(known: KnownLake, days: int) -> dict[str, AssetHistory]:
    """Return the last row of each asset and session in the latest `days` run days of the asset's kind."""
    expected = {}
    for key, ticker in (("sot_acoes", "nome_papel"), ("sot_fiis", "fii")):
        since = sorted({row["anomesdia_exec"] for row in known.rows[key]})[-days:][0]
        kept: dict[str, dict[date, Row]] = defaultdict(dict)
        for row in sorted(known.rows[key], key=lambda row: row["anomesdia_exec"]):
            if row["dt_ult_cot"] is not None and row["anomesdia_exec"] >= since:
                kept[row[ticker]][row["dt_ult_cot"]] = row
        for name, rows in kept.items():
            sessions = sorted(rows)
            values = {column: [rows[day][column] for day in sessions] for column in SERIES[ticker]}
            counts = (rows[day][SHARES[ticker]] for day in sessions)
            shares = [None if count is None else float(count) for count in counts]
            expected[name] = AssetHistory(name, sessions, values, shares)
    return expected


def test_the_report_s_command_writes_page_and_sheets_with_the_rights_of_a_reader(
    asked: Asked, reader: Role, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", asked.local.emulator.endpoint_url)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(asked.local.emulator.ca_bundle))
    workgroup = "--workgroup", asked.lake.workgroup

    assert report([*workgroup, "--out", str(tmp_path / "day.html")], session=reader.session) == 0
    assert (
        report([*workgroup, "--csv", "en", "--out", str(tmp_path / "day.csv")], session=reader.session) == 0
    )

    html = (tmp_path / "day.html").read_text(encoding="utf-8")
    assert "Pregão de 23/11/2026" in html
    assert "chart-series" in html
    for kind, columns in {"acoes": columns_of(SOT_ACOES), "fiis": columns_of(SOT_FIIS)}.items():
        lines = (tmp_path / f"day-{kind}.csv").read_text(encoding="utf-8-sig").splitlines()
        assert lines[0].split(",") == columns
        assert len(lines) == 1 + len(asked.known.latest(f"sot_{kind}"))


@pytest.mark.parametrize("workgroup", ["primary", "none"])
def test_the_report_s_command_ends_with_a_message_where_there_is_no_lake(
    asked: Asked,
    workgroup: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", asked.local.emulator.endpoint_url)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(asked.local.emulator.ca_bundle))

    assert report(["--workgroup", workgroup, "--out", str(tmp_path / "day.html")]) == 1
    assert capsys.readouterr().err.startswith("report: ")
    assert not (tmp_path / "day.html").exists()


def recipes() -> list[str]:
    """Return the programs in docs/recipes.md, in order."""
    return re.findall(r"^```python\n(.*?)^```$", RECIPES.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def frame_of(recipe: str, expression: str, asked: Asked, reader: Role, directory: Path) -> pd.DataFrame:
    """Run a recipe and an expression as the reader, in a separate process; return the expression's value."""
    env = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": asked.local.emulator.endpoint_url,
        "AWS_CA_BUNDLE": str(asked.local.emulator.ca_bundle),
        "AWS_DEFAULT_REGION": REGION,
        **reader.env(),
    }
    program = f"{recipe}\n{expression}.to_parquet('frame.parquet')\n"
    subprocess.run([sys.executable, "-c", program], cwd=directory, env=env, check=True, timeout=120)
    return pd.read_parquet(directory / "frame.parquet")


def test_the_recipe_of_the_notebook_gives_the_assets_of_the_last_day(
    asked: Asked, reader: Role, tmp_path: Path
) -> None:
    frame = frame_of(recipes()[0], "stocks", asked, reader, tmp_path)

    expected = sorted(asked.known.latest("sot_acoes"), key=lambda row: row["nome_papel"])
    frame = frame.sort_values("nome_papel")
    assert frame["nome_papel"].tolist() == [row["nome_papel"] for row in expected]
    for column in ("vlr_cot", "vlr_ind_p_sobre_vp", "pct_var_dia"):
        assert frame[column].astype(float).tolist() == pytest.approx(
            [math.nan if row[column] is None else row[column] for row in expected], nan_ok=True
        )


def test_the_recipe_of_duckdb_gives_one_row_a_session_run_twice_too(
    asked: Asked, reader: Role, tmp_path: Path
) -> None:
    gone = tmp_path / SPEC_ATIVOS / "anomesdia_exec=20261117" / "0.part.parquet"
    gone.parent.mkdir(parents=True)
    gone.write_bytes(b"of a part that was compacted since")
    expected = {
        (row["codigo_ticker_ativo"], row["dt_ult_cot"]): row["vlr_cot"] for row in asked.known.by_session()
    }

    for _ in range(2):
        frame = frame_of(recipes()[1], "series.df()", asked, reader, tmp_path)

        found = zip(frame["codigo_ticker_ativo"], frame["dt_ult_cot"], frame["vlr_cot"], strict=True)
        assert {(ticker, session.date()): price for ticker, session, price in found} == {
            key: pytest.approx(price) for key, price in expected.items()
        }
        assert len(frame) == len(expected)
        assert not gone.exists()


def test_there_is_no_recipe_that_is_not_run() -> None:
    assert len(recipes()) == 2


def do_as_athena_does(asked: Asked, reader: Role) -> None:
    """Call Glue and S3 with the reader's role, like Athena on AWS; the emulator's Athena skips IAM checks."""
    glue, s3 = reader.client("glue"), reader.client("s3")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_database(Name="default")
    glue.get_databases()
    for name, table in tables_of(asked.lake).items():
        glue.get_database(Name=table.database)
        glue.get_tables(DatabaseName=table.database)
        named = {"DatabaseName": table.database, "TableName": table.name}
        glue.get_table(DatabaseName=table.database, Name=table.name)
        days = asked.known.days(name)
        partitions = glue.get_partitions(**named)["Partitions"]
        assert {int(partition["Values"][0]) for partition in partitions} == days
        glue.batch_get_partition(**named, PartitionsToGet=[{"Values": [str(day)]} for day in days])
        s3.get_bucket_location(Bucket=table.bucket)
        s3.list_objects_v2(Bucket=table.bucket, Prefix=f"{table.name}/")
        for day in days:
            glue.get_partition(**named, PartitionValues=[str(day)])
            (item,) = s3.list_objects_v2(Bucket=table.bucket, Prefix=table.prefix(day))["Contents"]
            s3.get_object(Bucket=table.bucket, Key=item["Key"])
        assert reader.may_in_glue(table.database, table.name)
    for view in VIEWS:
        glue.get_table(DatabaseName=asked.lake.table("spec").database, Name=view)
        assert reader.may_in_glue(asked.lake.table("spec").database, view)

    result = {"Bucket": asked.lake.work_bucket, "Key": "athena-results/a-query.csv"}
    s3.get_bucket_location(Bucket=result["Bucket"])
    s3.put_object(**result, Body=b"a,b")
    assert s3.get_object(**result)["Body"].read() == b"a,b"
    s3.list_objects_v2(Bucket=result["Bucket"], Prefix="athena-results/")
    upload = s3.create_multipart_upload(**result)["UploadId"]
    s3.upload_part(**result, UploadId=upload, PartNumber=1, Body=b"a,b")
    s3.list_multipart_uploads(Bucket=result["Bucket"])
    s3.list_parts(**result, UploadId=upload)
    s3.abort_multipart_upload(**result, UploadId=upload)


def do_as_the_console_does(asked: Asked, reader: Role) -> None:
    """Call Athena as the AWS console does, with the reader's role."""
    athena, workgroup = reader.client("athena"), asked.lake.workgroup
    catalog = {"CatalogName": "AwsDataCatalog"}
    database = asked.lake.table("spec").database

    assert workgroup in [one["Name"] for one in athena.list_work_groups()["WorkGroups"]]
    athena.get_work_group(WorkGroup=workgroup)
    athena.list_data_catalogs()
    athena.get_data_catalog(Name="AwsDataCatalog")
    athena.list_databases(**catalog)
    athena.get_database(**catalog, DatabaseName=database)
    athena.list_table_metadata(**catalog, DatabaseName=database)
    athena.get_table_metadata(**catalog, DatabaseName=database, TableName="vw_ativos_ultimo_dia")
    (query, *_) = athena.list_named_queries(WorkGroup=workgroup)["NamedQueryIds"]
    athena.get_named_query(NamedQueryId=query)
    asked.athena.ask("SELECT 1")
    (execution, *_) = athena.list_query_executions(WorkGroup=workgroup)["QueryExecutionIds"]
    athena.batch_get_query_execution(QueryExecutionIds=[execution])
    athena.stop_query_execution(QueryExecutionId=execution)


def test_a_reader_may_do_what_athena_and_its_console_do_on_its_behalf_and_is_granted_no_more(
    asked: Asked, reader: Role
) -> None:
    Athena(reader.client("athena"), asked.lake.workgroup).ask_by_name("formula-magica")
    do_as_athena_does(asked, reader)
    do_as_the_console_does(asked, reader)

    # ODBC and JDBC drivers page through answers with this action; the SDKs have no call for it.
    assert reader.actions() - reader.used() == {"athena:GetQueryResultsStream"}


def refused_calls(asked: Asked, reader: Role) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield a name and a function for each call that is forbidden to readers."""
    lake, client = asked.lake, reader.client
    s3, glue, athena = client("s3"), client("glue"), client("athena")
    work, packages = {"Bucket": lake.work_bucket}, {"Bucket": asked.packages_bucket}
    for table in tables_of(lake).values():
        item = {"Bucket": table.bucket, "Key": f"{table.prefix(LAST)}0.part.parquet"}
        named = {"DatabaseName": table.database, "TableName": table.name}
        yield f"write into {table.name}", partial(s3.put_object, **item, Body=b"")
        yield f"delete of {table.name}", partial(s3.delete_object, **item)
        yield (
            f"delete a partition of {table.name}",
            partial(glue.delete_partition, **named, PartitionValues=[str(LAST)]),
        )
        yield (
            f"delete the table {table.name}",
            partial(glue.delete_table, DatabaseName=table.database, Name=table.name),
        )
        yield (
            f"change the table {table.name}",
            partial(glue.update_table, DatabaseName=table.database, TableInput={"Name": table.name}),
        )
        yield f"list all of {table.bucket}", partial(s3.list_objects_v2, Bucket=table.bucket)
    for part in ("pages", "ledger"):
        key = f"{part}/anomesdia_exec={LAST}/0"
        yield f"read {part}", partial(s3.get_object, **work, Key=key)
        yield f"write {part}", partial(s3.put_object, **work, Key=key, Body=b"")
        yield f"list {part}", partial(s3.list_objects_v2, **work, Prefix=f"{part}/")
    yield "list the work bucket", partial(s3.list_objects_v2, **work)
    yield "delete a result", partial(s3.delete_object, **work, Key="athena-results/a-query.csv")
    yield "list packages", partial(s3.list_objects_v2, **packages)
    yield "read a package", partial(s3.get_object, **packages, Key="get_tickers/0.zip")
    yield "write a package", partial(s3.put_object, **packages, Key="get_tickers/0.zip", Body=b"")
    for function in lake.functions:
        yield f"invoke {function}", partial(client("lambda").invoke, FunctionName=function)
    for url in lake.ticker_queues.values():
        yield f"send to {url}", partial(client("sqs").send_message, QueueUrl=url, MessageBody="{}")
    yield (
        "start the workflow",
        partial(client("stepfunctions").start_execution, stateMachineArn=asked.outputs["workflow_arn"]),
    )
    sql = {"QueryString": "SELECT 1"}
    yield "query in another workgroup", partial(athena.start_query_execution, **sql, WorkGroup="primary")
    yield (
        "save a query",
        partial(athena.create_named_query, Name="own", Database="d", WorkGroup=lake.workgroup, **sql),
    )
    yield "change the workgroup", partial(athena.update_work_group, WorkGroup=lake.workgroup)
    yield "delete the workgroup", partial(athena.delete_work_group, WorkGroup=lake.workgroup)
    other = asked.local.emulator.client("athena").start_query_execution(
        **sql, ResultConfiguration={"OutputLocation": f"s3://{lake.work_bucket}/athena-results/"}
    )
    yield (
        "see the answer of a query in another workgroup",
        partial(athena.get_query_results, QueryExecutionId=other["QueryExecutionId"]),
    )


def test_a_reader_may_do_nothing_else(asked: Asked, reader: Role) -> None:
    allowed = []
    for what, call in refused_calls(asked, reader):
        try:
            call()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException"):
                continue
        allowed.append(what)

    assert allowed == []
