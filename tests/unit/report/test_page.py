"""The page shows the snapshot, needs no other file, and executes no text from the site."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from statistics import median

import lxml.html
import pytest

from report import numbers
from report.advice import ADVICE, advice
from report.athena import Answer
from report.html_page import page
from report.snapshot import SCHEMAS, Snapshot, column_types, typed
from report_sample import DAY, FOLLOWED, judgement, sample

QUALITY = Path(__file__).resolve().parents[3] / "docs" / "quality.md"


@pytest.fixture(scope="module")
def written() -> str:
    return page(sample(), FOLLOWED)


def text_of(html: str) -> str:
    """Return the text that a reader sees on a page, without scripts and styles."""
    tree = lxml.html.fromstring(html)
    for hidden in tree.xpath("//script | //style"):
        hidden.drop_tree()
    return " ".join(" ".join(tree.itertext()).split())


def assert_in_order(text: str, *said: str) -> None:
    places = [text.index(one) for one in said]
    assert places == sorted(places)


def charts_of(html: str) -> dict[str, list[dict[str, object]]]:
    """Return the rows that each chart draws."""
    (script,) = lxml.html.fromstring(html).xpath("//script[@id='charts']")
    specs = json.loads(script.text)
    return {
        name: next(iter(spec["datasets"].values())) if "datasets" in spec else spec["data"]["values"]
        for name, spec in specs.items()
    }


def traded(snapshot: Snapshot) -> list[dict[str, object]]:
    """Return the rows of assets with a price in the last thirty days."""
    rows = [*snapshot.stocks, *snapshot.funds]
    return [dict(row) for row in rows if row["dt_ult_cot"] and row["dt_ult_cot"] >= date(2026, 10, 24)]


def in_session(snapshot: Snapshot) -> list[dict[str, object]]:
    """Return the rows of assets with a price in the newest session."""
    return [row for row in traded(snapshot) if row["dt_ult_cot"] == date(2026, 11, 23)]


def test_the_page_has_no_external_references(written: str) -> None:
    tree = lxml.html.fromstring(written)

    assert not tree.xpath("//@src | //@action | //@data | //@srcset | //@poster")
    assert all(re.fullmatch(r"#[A-Z0-9]+", place) for place in tree.xpath("//@href"))
    assert not tree.xpath("//link | //iframe | //object | //embed | //base | //form | //img")
    assert not any(re.search(r"url\(|@import|https?:", style.text) for style in tree.xpath("//style"))
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert "default-src 'none'" in policy
    assert not re.search(r"https?:|\*|'self'|connect-src", policy)
    (own,) = tree.xpath("//script[not(@id)][last()]")
    assert "http" not in own.text


def test_an_empty_lake_gives_a_page_that_says_so() -> None:
    html = page(Snapshot())

    assert "O lake ainda está vazio." in text_of(html)
    assert not lxml.html.fromstring(html).xpath("//*[@class='chart'] | //table")


def test_a_lake_of_one_session_gives_a_page_that_says_so() -> None:
    html = page(sample(sessions=(DAY,)), FOLLOWED)

    assert "O histórico de HGLG11, PETR4, VALE3 ainda não tem dois pregões." in text_of(html)
    assert "series" not in charts_of(html)


@pytest.mark.parametrize("followed", [("XPTO3",), ("PETR4", "XPTO3")])
def test_a_missing_asset_is_named_and_does_not_hide_the_history_of_others(
    followed: tuple[str, ...],
) -> None:
    text = text_of(page(sample(), followed))

    assert "Sem cotação no histórico do lake: XPTO3." in text
    assert ("O histórico de XPTO3 ainda não tem dois pregões." in text) is (followed == ("XPTO3",))


def test_a_reading_on_the_next_morning_is_shown_with_its_date() -> None:
    text = text_of(page(sample(datetime_exec=datetime(2026, 11, 24, 8, 5))))

    assert "lido no dia 23/11/2026 do lake, até as 08:05 de 24/11/2026, no horário de Brasília." in text
    assert "até as 18:50 de Brasília." in text_of(page(sample()))


@pytest.mark.parametrize(("kind", "what"), [("stocks", "As ações"), ("funds", "Os fundos")])
def test_a_kind_without_rows_on_the_latest_day_is_shown_with_its_older_day(kind: str, what: str) -> None:
    whole = sample()
    rows = [row | {"anomesdia_exec": 20251230} for row in getattr(whole, kind)]
    html = page(replace(whole, **{kind: rows}))

    text = text_of(html)
    assert f"{what} são de um dia anterior do lake, 30/12/2025." in text
    assert text.count("são de um dia anterior") == 1
    years = Counter(term.text for term in lxml.html.fromstring(html).xpath("//dl/dt"))
    assert [years[f"Ano de {year}"] for year in (2020, 2021, 2025, 2026)] == [1, 2, 2, 1]


def test_a_page_of_assets_without_a_date_has_no_charts() -> None:
    html = page(sample(dt_ult_cot=None))

    assert "não há gráficos a mostrar" in text_of(html)
    assert not lxml.html.fromstring(html).xpath("//*[@class='chart']")


@pytest.mark.parametrize(
    ("quality", "said"),
    [
        (judgement(DAY, "ok"), "Dia ok As medidas de qualidade"),
        (judgement(DAY, "aviso", "faltam 3 ativos"), "Dia com avisos faltam 3 ativos"),
        (judgement(DAY, "falha", "um", "dois"), "Dia com falha um dois"),
        (judgement(20261119, "ok"), "Sem veredito"),
        ([], "Sem veredito"),
    ],
)
def test_the_verdict_of_the_shown_day_comes_first(quality: list[dict[str, object]], said: str) -> None:
    assert_in_order(text_of(page(sample(quality=quality))), said, "O pregão em resumo")


def refused(day: int) -> list[dict[str, object]]:
    """Return the quality query's answer for a day on which the site refused a listing."""
    (verdict,) = judgement(day, "falha")
    remark = verdict | {"medida": "rotulo_novo", "situacao": "aviso", "motivo": "Há um rótulo novo."}
    refusal = verdict | {"medida": "listagem", "motivo": "O site recusou a listagem."}
    return [verdict, remark, refusal]


def test_a_first_day_that_the_site_refused_is_a_failure_and_no_empty_lake() -> None:
    text = text_of(page(Snapshot(quality=refused(DAY))))

    assert "O lake ainda está vazio" not in text
    empty = "O lake ainda não tem linhas."
    assert_in_order(text, "Dia com falha: 23/11/2026", empty, "O site recusou", "Há um rótulo", "O que fazer")
    assert '{"anomesdia_exec": 20261123, "only_missing": true}' in text
    assert "docs/collector.md" in text


def test_a_failed_day_without_rows_comes_before_the_shown_day() -> None:
    text = text_of(page(sample(quality=[*refused(20261124), *judgement(DAY, "ok")])))

    before = "um dia anterior, 23/11/2026"
    assert_in_order(text, "Dia com falha: 24/11/2026", before, "O site recusou", "Dia ok", "em resumo")


def test_every_documented_remark_has_its_advice() -> None:
    meant = QUALITY.read_text("utf-8").partition("## What each remark means")[2].partition("\n\nTo see")[0]
    rows = re.findall(r"^\| (`[a-z0-9_`, ]+`) \|(?! what it measures)", meant, re.MULTILINE)
    measures = {name for row in rows for name in re.findall(r"`(\w+)`", row)} - {"medida"}

    assert measures == {*ADVICE, "dia", "duplicatas"}
    for measure in ADVICE:
        assert all(f"{DAY}" in text or "anomesdia_exec" not in text for text in advice([measure], DAY))
    assert advice(["outra", "outra"], DAY) == ["docs/quality.md explica cada aviso."]


def test_the_page_has_the_verdicts_of_earlier_days() -> None:
    quality = [*judgement(DAY, "ok"), *judgement(20261120, "aviso", "a sessão se repete")]

    assert "20/11/2026 aviso a sessão se repete" in text_of(page(sample(quality=quality)))


def test_breadth_counts_the_assets_of_the_newest_session(written: str) -> None:
    newest = in_session(sample())
    for kind, column in {"Ações": "nome_papel", "FIIs": "fii"}.items():
        changes = [row["pct_var_dia"] for row in newest if column in row and row["pct_var_dia"] is not None]
        counted = {
            "em alta": sum(change > 0 for change in changes),
            "estáveis": sum(change == 0 for change in changes),
            "em queda": sum(change < 0 for change in changes),
        }
        shown = {
            row["direção"]: row["ativos"] for row in charts_of(written)["breadth"] if row["tipo"] == kind
        }

        assert shown == {name: count for name, count in counted.items() if count}
        assert f"{kind} em alta {counted['em alta']} de {len(changes)}" in text_of(written)
        assert f"{kind}, mediana {numbers.change(median(changes))}" in text_of(written)


def test_the_largest_moves_are_of_liquid_assets_of_the_session(written: str) -> None:
    liquid = [row for row in in_session(sample()) if (row["vol_med_neg_2m"] or 0) > 1_000_000]
    ordered = sorted(
        (row["pct_var_dia"], row.get("nome_papel") or row.get("fii")) for row in liquid if row["pct_var_dia"]
    )
    charts = charts_of(written)

    assert [row["ativo"] for row in charts["rises"]] == [ticker for _, ticker in ordered[:-9:-1]]
    assert [row["ativo"] for row in charts["falls"]] == [ticker for _, ticker in ordered[:8]]


def test_sectors_and_segments_are_medians_of_the_assets_that_trade(written: str) -> None:
    snapshot = sample()
    charts = charts_of(written)
    for row in charts["sectors"]:
        stocks = [one for one in in_session(snapshot) if one.get("nome_setor") == row["setor"]]
        changes = [one["pct_var_dia"] for one in stocks if one["pct_var_dia"] is not None]
        assert row["variação"] == pytest.approx(median(changes))
    for row in charts["yields"]:
        funds = [one for one in traded(snapshot) if one.get("segmento") == row["segmento"]]
        yields = [one["vlr_div_yield"] for one in funds if one["vlr_div_yield"] is not None]
        assert (row["fundos"], row["yield mediano"]) == (len(funds), pytest.approx(median(yields)))
    assert charts["sectors"]
    assert charts["yields"]


def test_points_are_liquid_assets_and_few_are_omitted(written: str) -> None:
    for chart, ticker, book, dividends in (
        ("stocks", "nome_papel", "vlr_ind_p_sobre_vp", "vlr_ind_div_yield"),
        ("funds", "fii", "vlr_p_sobre_vp", "vlr_div_yield"),
    ):
        liquid = {
            row[ticker]: (row[book], row[dividends])
            for row in traded(sample())
            if ticker in row
            and (row["vol_med_neg_2m"] or 0) > 1_000_000
            and (row[book] or 0) > 0
            and row[dividends] is not None
        }
        shown = {row["ativo"]: (row["P/VP"], row["yield"]) for row in charts_of(written)[chart]}

        assert shown.items() <= liquid.items()
        assert 0.85 * len(liquid) <= len(shown) < len(liquid)


def test_a_series_begins_at_100(written: str) -> None:
    rows = charts_of(written)["series"]

    assert {row["ativo"] for row in rows} == set(FOLLOWED)
    assert [round(row["índice"]) for row in rows if row["ativo"] == "HGLG11"] == [100, 110, 120]
    assert [row["pregão"] for row in rows if row["ativo"] == "HGLG11"][-1] == "2026-11-23"


def test_the_table_has_every_asset_that_trades_and_its_numbers(written: str) -> None:
    tree = lxml.html.fromstring(written)
    found = {row.xpath("string(th)"): row for row in tree.xpath("//div[@id='papers']//tbody/tr")}
    rows = {str(row.get("nome_papel") or row.get("fii")): row for row in traded(sample())}

    assert set(found) == set(rows)
    assert any(row["dt_ult_cot"] < date(2020, 1, 1) for row in sample().stocks), "a delisted one is left out"
    for ticker, row in found.items():
        price, change = row.xpath("td[3]")[0], row.xpath("td[4]")[0]
        assert price.text == numbers.decimal(rows[ticker]["vlr_cot"])
        assert change.text == numbers.change(rows[ticker]["pct_var_dia"])


def test_the_page_has_a_dictionary_of_the_shown_indicators_of_both_kinds(written: str) -> None:
    tree = lxml.html.fromstring(written)
    meant = {term.text: term.getnext().text for term in tree.xpath("//dl/dt")}

    assert meant["ROE"].endswith("lucro líquido sobre patrimônio líquido, em %.")
    assert meant["Vacância"].startswith("Vacância média dos imóveis, ponderada pela área, em %;")
    assert meant["Ano de 2024"] == "Variação da cotação no ano de 2024, em %."
    assert not [
        text for text in meant.values() if re.search(r"anomesdia|em fração|pontos percentuais|pape[li]", text)
    ]


def test_markup_from_the_site_is_shown_as_text(written: str) -> None:
    bad = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    texts = dict.fromkeys(("nome_empresa", "nome_setor", "nome_fii", "segmento"), bad)
    html = page(sample(quality=judgement(DAY, "aviso", bad), **texts))

    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert html.count("</script>") == written.count("</script>")
    assert bad in text_of(html)


def test_it_says_once_that_it_is_no_advice(written: str) -> None:
    said = re.findall(r"não (?:são )?recomendação[^.]*", text_of(written))

    assert said == ["não são recomendação de investimento"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (numbers.decimal(-1234.5), "−1.234,50"),
        (numbers.decimal(-0.001), "0,00"),
        (numbers.decimal(None), "–"),
        (numbers.change(0.0131), "+1,31%"),
        (numbers.change(-0.0131), "−1,31%"),
        (numbers.change(0.0), "0,00%"),
        (numbers.change(0.00001), "0,00%"),
        (numbers.points(17.5), "17,5%"),
        (numbers.amount(1_234_567_890), "1,2 bi"),
        (numbers.amount(-2_500_000), "−2,5 mi"),
        (numbers.amount(999), "999"),
        (numbers.day(20261123), "23/11/2026"),
        (numbers.day(date(2026, 11, 3)), "03/11/2026"),
    ],
)
def test_numbers_have_the_brazilian_format(written: str, expected: str) -> None:
    assert written == expected


def test_answers_get_the_types_of_the_contract() -> None:
    answer = Answer(
        ["nome_papel", "vlr_cot", "num_acoes", "dt_ult_cot", "datetime_exec", "anomesdia_exec"],
        [["PETR4", "1.5E1", "13044496930", "2026-11-23", "2026-11-23 18:50:00.000", "20261123"], [None] * 6],
    )

    first, second = typed(answer)

    assert first["vlr_cot"] == 15.0
    assert (first["num_acoes"], first["anomesdia_exec"]) == (13044496930, 20261123)
    assert first["dt_ult_cot"] == date(2026, 11, 23)
    assert first["datetime_exec"].hour == 18
    assert set(second.values()) == {None}


def test_new_columns_of_a_newer_lake_get_athenas_types_or_stay_texts() -> None:
    answer = Answer(
        ["nome_papel", "vlr_novo", "dt_nova", "tempo_novo"],
        [["PETR4", "1.5", "2026-11-23", "1 day"]],
        ["varchar", "double", "date", "interval day to second"],
    )

    assert typed(answer) == [
        {"nome_papel": "PETR4", "vlr_novo": 1.5, "dt_nova": date(2026, 11, 23), "tempo_novo": "1 day"}
    ]
    assert typed(Answer(answer.columns, answer.rows))[0]["vlr_novo"] == "1.5"


@pytest.mark.parametrize(
    "lacking", ["vlr_ind_roe", "vol_med_neg_2m", "nome_setor", "datetime_exec", "motivo"]
)
def test_an_older_lake_without_a_column_gives_a_page_without_it(lacking: str) -> None:
    whole = sample()
    rows = {
        name: [{key: value for key, value in row.items() if key != lacking} for row in getattr(whole, name)]
        for name in ("stocks", "funds", "quality")
    }

    found = lxml.html.fromstring(page(Snapshot(**rows, histories=whole.histories))).xpath(
        "//div[@id='papers']//tbody/tr"
    )

    assert len(found) == len(traded(whole))


def test_a_new_column_of_a_lake_can_be_chosen_and_a_missing_one_cannot() -> None:
    lacking = ("vlr_ind_roic", "vlr_cap_rate")
    rows = [
        {"vlr_novo": 1.5} | {name: value for name, value in row.items() if name not in lacking}
        for row in sample().stocks
    ]

    tree = lxml.html.fromstring(page(Snapshot(stocks=rows)))
    choices = tree.xpath("//input/@data-column")

    assert "vlr_novo" in choices
    assert "evebit" in choices
    assert not {"roic", "caprate", "magica"} & set(choices)
    presets = [button.text for button in tree.xpath("//button[@data-screen]")]
    assert "Graham" in presets
    assert "Fórmula mágica" not in presets


def test_a_column_has_the_same_type_in_every_table() -> None:
    tables = [json.loads(path.read_text("utf-8")) for path in sorted(SCHEMAS.glob("tbs[op]*.json"))]
    for table in tables:
        if not table["table"].startswith("tbsor"):
            for column in table["columns"]:
                assert column_types()[column["name"]] == column["type"]
