"""The notice of a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assess_day.assessment import VERDICT, Assessment, QualityRow, Verdict
from assess_day.day_status import DayState
from assess_day.notice import Notice
from assess_day.notice import notice as notice_of
from assess_day.splits import Split
from b3.kind import Kind
from lake_rows import rows
from pynvest_lake.contract import QUALITY, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS
from pynvest_lake.ledger import AssetEntry, AssetKey, BatchEntry, DayLedger, Outcome, Round

DAY = 20261123
SESSION = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 22, tzinfo=timezone.utc)


def stock(ticker: str, price: float | None, change: float | None, **more: Any) -> dict[str, Any]:
    row = {"nome_papel": ticker, "vlr_cot": price, "pct_var_dia": change}
    return {**row, "dt_ult_cot": SESSION, "vol_med_neg_2m": 2_000_000, **more}


STOCKS = [
    stock("PETR4", 38.5, 0.0123),
    stock("VALE3", 1234.5, -0.0131),
    stock("WEGE3", 51.07, 0.12),
    stock("ITUB4", 30.0, -0.005),
    stock("ABEV3", 12.0, 0.0),
    stock("BBDC4", None, 0.0499),
    stock("TINY3", 0.5, 0.9, vol_med_neg_2m=1_000_000),
    stock("GONE3", 0.5, 0.8, dt_ult_cot=date(2026, 11, 19)),
    stock("NULL3", None, None, vol_med_neg_2m=None, dt_ult_cot=None),
]
FUNDS = [
    {
        "fii": "HGLG11",
        "vlr_cot": 160.1,
        "pct_var_dia": -0.2,
        "dt_ult_cot": SESSION,
        "vol_med_neg_2m": 9_000_000,
    }
]
SOT = {Kind.ACOES: rows(SOT_ACOES, *STOCKS), Kind.FIIS: rows(SOT_FIIS, *FUNDS)}
SPEC = rows(SPEC_ATIVOS, {"dt_ult_cot": SESSION}, {"dt_ult_cot": date(2026, 11, 19)}, {"dt_ult_cot": None})


def row(situacao: Verdict, motivo: str | None) -> QualityRow:
    return QualityRow("tbsot", "medida", None, 1.0, None, situacao, motivo)


def assessment(
    *rows_: QualityRow,
    missing: Mapping[AssetKey, Outcome | None] | None = None,
    batches: tuple[tuple[BatchEntry, datetime], ...] = (),
    fetch_from: str = "site",
    **more: Any,
) -> Assessment:
    asked = Round(0, "2026-11-23T21:45:00Z", {Kind.ACOES: ["PETR4"]})
    state = DayState(DayLedger(DAY, None, (asked,), batches), frozenset(), fetch_from=fetch_from)
    situacao = max((one.situacao for one in rows_), key=lambda one: one.rank, default=Verdict.OK)
    verdict = QualityRow(None, VERDICT, None, None, None, situacao, None)
    given_: dict[str, Any] = {"spec": SPEC, **more}
    return Assessment(state, (*rows_, verdict), situacao, missing or {}, **given_)


def notice(day: Assessment, sot: Any = SOT, **more: Any) -> Notice:
    usual = {"daily_digest": True, "failures_only": False, "lake": "pynvest"}
    return notice_of(day, sot, quality_table=f"db_spec.{QUALITY}", **(usual | more))


def test_the_notice_of_a_good_day_has_this_text() -> None:
    told = notice(assessment())

    assert told.tell == "digest"
    assert told.subject == "pynvest 23/11/2026: tudo certo"
    assert told.text == (
        "pynvest 23/11/2026: tudo certo\n"
        "\n"
        "Dia: 23/11/2026, segunda-feira\n"
        "Pregão mais recente: 23/11/2026\n"
        "Ativos lidos: 10 (9 ações e 1 FII)\n"
        "Ativos que faltam: nenhum\n"
        "Situação do dia: ok\n"
        "\n"
        "Maiores variações do pregão (ativos que negociam mais de R$ 1 milhão por dia):\n"
        "  HGLG11    -20,00%  R$ 160,10\n"
        "  WEGE3     +12,00%  R$ 51,07\n"
        "  BBDC4      +4,99%  sem preço\n"
        "  VALE3      -1,31%  R$ 1.234,50\n"
        "  PETR4      +1,23%  R$ 38,50\n"
        "\n"
        "O que fazer: nada; as tabelas do dia estão prontas para consulta no Athena."
    )


def test_possible_splits_are_named_with_their_ratio() -> None:
    splits = (Split("ABCD3", 2.0), Split("EFGH11", 0.1))

    text = notice(assessment(splits=splits)).text

    assert "Possíveis desdobramentos ou grupamentos: ABCD3 (1 para 2), EFGH11 (10 para 1)\n" in text


def test_the_notice_has_a_remark_and_what_to_do_about_it() -> None:
    missing = {(Kind.ACOES, "PETR3"): Outcome.LATER_SESSION}
    day = assessment(row(Verdict.WARNING, "1 de 10 ativos da lista\nnão foi lido"), missing=missing)
    told = notice(day, {}, daily_digest=False)

    assert (told.tell, told.subject) == ("digest", "pynvest 23/11/2026: 1 aviso")
    assert told.text == (
        "pynvest 23/11/2026: 1 aviso\n"
        "\n"
        "Dia: 23/11/2026, segunda-feira\n"
        "Pregão mais recente: 23/11/2026\n"
        "Ativos lidos: 0 (0 ações e 0 FIIs)\n"
        "Ativos que faltam: 1\n"
        "  - página já de um pregão posterior (1): PETR3\n"
        "Situação do dia: aviso\n"
        "\n"
        "Por quê:\n"
        "  - 1 de 10 ativos da lista não foi lido\n"
        "\n"
        "O que fazer (docs/quality.md explica cada aviso):\n"
        "  - ver cada medida: SELECT * FROM db_spec.tbspec_pynvest_qualidade "
        "WHERE anomesdia_exec = 20261123 AND situacao <> 'ok'"
    )


def test_the_notice_of_a_bad_day_has_the_worst_reason_first() -> None:
    refused = {(Kind.FIIS, f"ABCD{number:02}"): Outcome.REFUSED for number in range(1234)}
    entries = {ticker: AssetEntry(outcome) for (_, ticker), outcome in refused.items()}
    day = assessment(
        row(Verdict.WARNING, "um rótulo novo"),
        row(Verdict.FAILURE, "faltam 1.236 de 1.450 ativos"),
        missing={
            **refused,
            (Kind.ACOES, "VALE3"): None,
            (Kind.ACOES, "PETR4"): Outcome.FAILED,
        },
        spec=SPEC.slice(0, 0),
        batches=((BatchEntry(Kind.FIIS, entries), NOW),),
    )
    told = notice(day, daily_digest=False)

    assert (told.tell, told.subject) == ("failure", "pynvest 23/11/2026: FALHA")
    assert told.text == (
        "pynvest 23/11/2026: FALHA\n"
        "\n"
        "Dia: 23/11/2026, segunda-feira\n"
        "Pregão mais recente: nenhum ativo foi lido\n"
        "Ativos lidos: 10 (9 ações e 1 FII)\n"
        "Ativos que faltam: 1.236\n"
        "  - o site não entregou a página (1): PETR4\n"
        "  - o site recusou o pedido (1.234): ABCD00, ABCD01, ABCD02, ABCD03, ABCD04, ABCD05, "
        "ABCD06, ABCD07, ABCD08, ABCD09, …\n"
        "  - sem resposta (1): VALE3\n"
        "Situação do dia: falha\n"
        "\n"
        "Por quê:\n"
        "  - faltam 1.236 de 1.450 ativos\n"
        "  - um rótulo novo\n"
        "\n"
        "O que fazer (docs/quality.md explica cada aviso):\n"
        "  - o site recusa o endereço da AWS: veja docs/collector.md\n"
        "  - pedir de novo o que falta: invoque a função get-tickers com "
        '{"anomesdia_exec": 20261123, "only_missing": true} '
        'e depois inicie o fluxo com {"anomesdia_exec": 20261123}\n'
        "  - ver cada medida: SELECT * FROM db_spec.tbspec_pynvest_qualidade "
        "WHERE anomesdia_exec = 20261123 AND situacao <> 'ok'"
    )


@pytest.mark.parametrize(
    ("situacao", "failures_only", "daily_digest", "trial", "tell"),
    [
        (Verdict.OK, False, True, False, "digest"),
        (Verdict.OK, False, False, False, "none"),
        (Verdict.WARNING, False, False, False, "digest"),
        (Verdict.FAILURE, False, False, False, "failure"),
        (Verdict.OK, True, True, False, "none"),
        (Verdict.WARNING, True, True, False, "none"),
        (Verdict.FAILURE, True, True, False, "failure"),
        (Verdict.OK, False, True, True, "none"),
        (Verdict.FAILURE, False, True, True, "none"),
    ],
)
def test_verdict_and_settings_decide_whether_a_notice_is_sent(
    situacao: Verdict, failures_only: bool, daily_digest: bool, trial: bool, tell: str
) -> None:
    day = assessment(row(situacao, "por isso"), is_partial=trial)

    assert notice(day, daily_digest=daily_digest, failures_only=failures_only).tell == tell


def test_the_advice_for_a_missing_listing_depends_on_the_reason() -> None:
    def advice(reason: str, **more: Any) -> list[str]:
        unlisted = QualityRow(None, "listagem", None, 0.0, None, Verdict.FAILURE, reason)
        told = notice(assessment(unlisted, **more), {})
        assert "Ativos que faltam: não se sabe, sem uma listagem" in told.text
        return [line.split(":")[0].strip(" -") for line in told.text.split("\n") if line.startswith("  - ")][
            1:
        ]

    refused = advice("Não há listagem de 23/11/2026: o site recusou o pedido (status 403).")
    down = advice("Não há listagem de 23/11/2026: status 500.")
    uncollected = advice("O coletor ainda não enviou as páginas de 23/11/2026.", fetch_from="pages")

    assert refused == ["o site recusou a listagem", "pedir de novo o que falta", "ver cada medida"]
    assert down == ["pedir de novo o que falta", "ver cada medida"]
    assert uncollected == ["trazer o que falta", "ver cada medida"]


def test_the_advice_for_another_layout_is_to_read_the_archived_pages_again() -> None:
    missing = {(Kind.ACOES, "PETR4"): Outcome.LAYOUT}

    told = notice(assessment(row(Verdict.FAILURE, "por isso"), missing=missing))

    assert "  - ler as páginas de outro formato, depois de atualizar o módulo: " in told.text
    assert '{"anomesdia_exec": 20261123, "source": "pages"}' in told.text
    assert "pedir de novo" not in told.text


def test_the_advice_for_assets_without_a_page_does_not_request_them_as_missing() -> None:
    missing = {(Kind.ACOES, "PETR4"): Outcome.NO_SUCH_PAPER}

    told = notice(assessment(row(Verdict.WARNING, "por isso"), missing=missing))

    assert "Ativos que faltam: 1\n  - o site diz que não tem mais o ativo (1): PETR4\n" in told.text
    assert 'com {"tickers": [os ativos]}' in told.text
    collected = notice(assessment(row(Verdict.WARNING, "por isso"), missing=missing, fetch_from="pages"))
    assert "mostra: rode o coletor com --again" in collected.text
    assert "pedir de novo" not in told.text


def test_a_few_refused_assets_are_named_without_advice_about_aws() -> None:
    missing = {(Kind.ACOES, "PETR4"): Outcome.REFUSED}

    told = notice(assessment(row(Verdict.WARNING, "por isso"), missing=missing))

    assert "  - o site recusou o pedido (1): PETR4\n" in told.text
    assert "AWS" not in told.text


def test_a_notice_names_its_lake() -> None:
    told = notice(assessment(), lake="my-lake")

    assert told.subject == told.text.split("\n")[0] == "my-lake 23/11/2026: tudo certo"


def test_text_from_pages_is_short_printable_and_without_links_in_a_notice() -> None:
    label = "http://evil.com/\x07\u202ex " + "a" * 500
    day = assessment(row(Verdict.WARNING, f"O rótulo {label} é novo. Veja www.evil.com, P/Cap. Giro 1.234,5"))

    told = notice(day)

    (line,) = [line for line in told.text.split("\n") if "O rótulo" in line]
    assert line.startswith("  - O rótulo http[://]evil[.]com/ x aaa")
    assert len(line) < 320
    short = assessment(row(Verdict.WARNING, "Veja www.evil.com, P/Cap. Giro 1.234,5."))
    assert "  - Veja www[.]evil[.]com, P/Cap. Giro 1.234,5.\n" in notice(short).text


tickers = st.from_regex(r"[A-Z0-9]{1,12}", fullmatch=True)
maybe_text = st.none() | st.text()
assets = st.dictionaries(
    st.tuples(st.sampled_from(Kind), st.text(max_size=12)),
    st.none() | st.sampled_from(Outcome),
    max_size=60,
)
quality_rows = st.builds(
    QualityRow,
    maybe_text,
    st.text(),
    maybe_text,
    st.none() | st.floats(),
    st.none() | st.floats(),
    st.sampled_from(Verdict),
    maybe_text,
)
stocks = st.builds(
    stock,
    st.none() | tickers,
    st.none() | st.floats(),
    st.none() | st.floats(),
    vol_med_neg_2m=st.none() | st.integers(0, 10**12),
    dt_ult_cot=st.none() | st.sampled_from([SESSION, date(2026, 11, 19)]),
)


@given(
    st.lists(quality_rows, max_size=40),
    assets,
    st.lists(stocks, max_size=20),
    st.lists(st.builds(Split, st.text(max_size=200), st.floats(1e-9, 1e9)), max_size=20),
    st.booleans(),
    st.booleans(),
)
def test_every_notice_is_short_and_accepted_by_sns(
    found: list[QualityRow],
    missing: dict[AssetKey, Outcome | None],
    traded: list[dict[str, Any]],
    splits: list[Split],
    trial: bool,
    empty: bool,
) -> None:
    spec = SPEC.slice(0, 0) if empty else SPEC
    day = assessment(*found, missing=missing, splits=splits, is_partial=trial, spec=spec)
    told = notice(day, {Kind.ACOES: rows(SOT_ACOES, *traded)})

    assert len(told.text.split("\n")) <= 41
    assert all(line.isprintable() for line in told.text.split("\n"))
    assert len(told.text.encode()) < 256 * 1024
    assert told.subject.isascii()
    assert told.subject.isprintable()
    assert len(told.subject) < 100
