"""Verdicts that can be trusted: good days are ok, each defect is named on the first day and the 31st."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from days import (
    FIRST,
    changed_papers,
    evidence_of,
    good_tables,
    history,
    ledger_of,
    number,
    on_session,
    papers_of,
    read_day,
    session_of,
    weekdays,
)
from hypothesis import given
from hypothesis import strategies as st

from assess_day.assessment import QualityRow, Situation
from assess_day.calendar_b3 import is_trading_day
from assess_day.measures_of_tables import _moved
from assess_day.quality import measured
from pynvest_lake.contract import SOR_ACOES, SOR_FIIS, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS
from sandbox.site import Paper
from sandbox.site.papers import brazilian

LAST = weekdays(31)[-1]
SHUFFLED = read_day(papers_of()[:20] + papers_of()[-20:], FIRST)
Rows = Sequence[QualityRow]


def remarks(rows: Rows) -> dict[tuple[str | None, str, str | None], str]:
    """Return the situation of each row that is not ok, but the verdict."""
    return {
        (row.tabela, row.medida, row.coluna): row.situacao.value
        for row in rows
        if row.situacao is not Situation.OK and row.medida != "dia"
    }


def said(rows: Rows) -> str:
    return "\n".join(row.motivo for row in rows if row.motivo)


def judged(
    papers: Sequence[Paper], day: date, earlier: Mapping[int, Rows], **more: Any
) -> tuple[QualityRow, ...]:
    """Judge a day whose pages went through the stages' own functions."""
    tables, ledger = read_day(papers, day)
    return measured(evidence_of(tables, ledger, earlier, **more))


def both(change: Any) -> tuple[Rows, Rows]:
    """Judge a defect on the first day and on the thirty-first."""
    first = judged(changed_papers(FIRST, change), FIRST, {})
    return first, judged(changed_papers(LAST, change), LAST, history())


def test_a_good_first_day_through_the_stages_is_ok_without_a_remark() -> None:
    rows = judged(papers_of(), FIRST, {})

    assert remarks(rows) == {}, said(rows)
    assert (rows[-1].medida, rows[-1].situacao) == ("dia", Situation.OK)


def test_thirty_good_days_with_their_ordinary_noise_are_ok_every_time() -> None:
    assert {day: said(rows) for day, rows in history().items() if said(rows)} == {}
    assert len(history()) == 30
    assert not all(is_trading_day(day) for day in history())


def test_a_good_thirty_first_day_through_the_stages_is_ok() -> None:
    rows = judged(changed_papers(LAST, lambda paper: paper), LAST, history())

    assert remarks(rows) == {}, said(rows)


def test_a_renamed_core_label_is_a_failure_with_its_name() -> None:
    for rows in both(lambda paper: paper.with_label("P/VP", "P/VPA")):
        found = remarks(rows)
        assert found[SOR_ACOES, "rotulo_ausente", "P/VP"] == "falha"
        assert found[SOR_ACOES, "rotulo_novo", "P/VPA"] == "aviso"
        assert found[SOT_ACOES, "preenchimento", "vlr_ind_p_sobre_vp"] == "falha"
        assert 'O rótulo "P/VP" falta em' in said(rows)
        assert rows[-1].situacao is Situation.FALHA


def test_a_core_label_that_single_pages_lack_is_a_remark() -> None:
    def one(paper: Paper) -> Paper:
        return paper.with_label("P/L", "P/L (novo)") if paper.ticker == "PETR4" else paper

    for rows in both(one):
        assert remarks(rows) == {
            (SOR_ACOES, "rotulo_ausente", "P/L"): "aviso",
            (SOR_ACOES, "rotulo_novo", "P/L (novo)"): "aviso",
        }
        assert "como PETR4" in said(rows)


def test_a_renamed_rare_label_is_a_remark_with_its_name() -> None:
    first, last = both(lambda paper: paper.with_label("Depósitos", "Depósitos totais"))

    for rows in (first, last):
        assert remarks(rows)[SOR_ACOES, "rotulo_novo", "Depósitos totais"] == "aviso"
        assert rows[-1].situacao is Situation.AVISO


def test_a_label_that_most_pages_have_loses_its_column_on_the_thirty_first_day() -> None:
    first, last = both(lambda paper: paper.with_label("Dív. Bruta", "Dívida"))

    assert (SOT_ACOES, "preenchimento", "vlr_divida_bruta") not in remarks(first)
    assert remarks(last)[SOT_ACOES, "preenchimento", "vlr_divida_bruta"] == "aviso"


def test_half_a_listing_is_a_failure_once_there_is_a_reference() -> None:
    half = changed_papers(LAST, lambda paper: paper)[::2]
    rows = judged(half, LAST, history())

    assert remarks(judged(papers_of()[::2], FIRST, {})) == {}
    found = remarks(rows)
    assert found[SOR_ACOES, "papeis_listados", None] == found[SOT_ACOES, "linhas", None] == "falha"
    assert "A listagem tem 55 ações" in said(rows)


@pytest.mark.parametrize("day", [FIRST, LAST])
def test_a_listing_without_funds_is_a_failure(day: date) -> None:
    stocks = [paper for paper in changed_papers(day, lambda paper: paper) if paper.kind == "acoes"]

    rows = judged(stocks, day, history() if day == LAST else {})

    assert remarks(rows)[SOR_FIIS, "papeis_listados", None] == "falha"
    assert remarks(rows)[SOT_FIIS, "linhas", None] == "falha"


def test_yesterdays_session_on_a_trading_day_is_a_remark_and_on_a_holiday_it_is_ok() -> None:
    before = session_of(LAST - timedelta(days=1))
    rows = judged([on_session(paper, before) for paper in papers_of()], LAST, history())
    holiday = next(day for day in weekdays(30) if not is_trading_day(number(day)))
    until_then = {day: of_day for day, of_day in history().items() if day < number(holiday)}
    on_holiday = judged(changed_papers(holiday, lambda paper: paper), holiday, until_then)

    assert remarks(rows) == {(SPEC_ATIVOS, "sessao_repetida", None): "aviso"}
    assert f"O site ainda mostra o pregão de {before:%d/%m/%Y}" in said(rows)
    assert remarks(on_holiday) == {}


def scaled(column: str, factor: Decimal) -> Any:
    def change(paper: Paper) -> Paper:
        cell = paper.cells_by_column().get(column)
        if cell is None or not isinstance(cell.value, Decimal):
            return paper
        value = (cell.value * factor).quantize(Decimal("0.01"))
        return paper.with_cell(column, brazilian(value) + ("%" if "%" in cell.text else ""), value)

    return change


def test_a_shifted_decimal_comma_in_one_column_is_a_failure_from_the_first_day_where_a_product_tells() -> (
    None
):
    first, last = both(scaled("vlr_ind_vpa", Decimal(10)))

    assert remarks(first) == {(SOT_ACOES, "p_sobre_vp_vezes_vpa", "vlr_ind_p_sobre_vp"): "falha"}
    assert remarks(last)[SOT_ACOES, "mediana", "vlr_ind_vpa"] == "falha"


def test_a_shifted_decimal_comma_elsewhere_is_a_failure_on_the_thirty_first_day() -> None:
    first, last = both(scaled("vlr_ind_margem_bruta", Decimal(10)))

    assert remarks(first) == {}
    assert remarks(last) == {(SOT_ACOES, "mediana", "vlr_ind_margem_bruta"): "falha"}
    assert "A mediana de vlr_ind_margem_bruta é" in said(last)


def test_two_columns_that_are_swapped_are_a_failure() -> None:
    def swapped(paper: Paper) -> Paper:
        if paper.kind != "acoes":
            return paper
        cells = paper.cells_by_column()
        one = cells["vlr_ind_p_sobre_l"]
        two = paper.with_cell("vlr_ind_p_sobre_l", cells["vlr_ind_vpa"].text, cells["vlr_ind_vpa"].value)
        return two.with_cell("vlr_ind_vpa", one.text, one.value)

    first, last = both(swapped)

    for rows in (first, last):
        found = remarks(rows)
        assert found[SOT_ACOES, "p_sobre_vp_vezes_vpa", "vlr_ind_p_sobre_vp"] == "falha"
        assert found[SOT_ACOES, "p_sobre_l_vezes_lpa", "vlr_ind_p_sobre_l"] == "falha"


def test_prices_times_a_thousand_are_a_failure() -> None:
    first, last = both(scaled("vlr_cot", Decimal(1000)))

    assert remarks(first)[SOT_ACOES, "preco_fora_52_semanas", "vlr_cot"] == "falha"
    for table in (SOT_ACOES, SOT_FIIS):
        assert remarks(last)[table, "mediana", "vlr_cot"] == "falha"


def test_prices_that_are_not_those_of_the_listing_are_a_failure_from_the_first_day() -> None:
    tables, ledger = read_day(papers_of(), FIRST)
    listing = ledger.listing
    assert listing is not None
    other = {
        kind: {ticker: (price or 0) + 1 for ticker, price in prices.items()}
        for kind, prices in listing.papers.items()
    }

    rows = measured(evidence_of(tables, replace(ledger, listing=replace(listing, papers=other)), {}))

    assert remarks(rows) == {(table, "preco_listagem", "vlr_cot"): "falha" for table in (SOT_ACOES, SOT_FIIS)}


@pytest.mark.parametrize("day", [FIRST, LAST])
def test_all_of_one_kind_refused_is_a_failure_and_one_paper_of_many_a_remark(day: date) -> None:
    earlier = history() if day == LAST else {}
    papers = changed_papers(day, lambda paper: paper)
    tables, ledger = read_day(papers, day)

    def without(*gone: str) -> Rows:
        batches = tuple(
            (replace(entry, papers={t: e for t, e in entry.papers.items() if t not in gone}), at)
            for entry, at in ledger.batches
        )
        kept = {
            kind: table.filter(
                pa.array([ticker not in gone for ticker in table[kind.ticker_column].to_pylist()])
            )
            for kind, table in tables.sot.items()
        }
        left = replace(tables, sot=kept)
        return measured(evidence_of(left, replace(ledger, batches=batches), earlier))

    funds = [paper.ticker for paper in papers if paper.kind == "fiis"]
    one = without("PETR4")
    assert remarks(one) == {(SOR_ACOES, "papeis_faltando", None): "aviso"}
    assert "De 110 ações da listagem, 1 sem leitura: PETR4 (sem resposta)." in said(one)
    assert remarks(without(*funds))[SOR_FIIS, "papeis_faltando", None] == "falha"


@pytest.mark.parametrize("day", [FIRST, LAST])
def test_pages_that_were_not_kept_are_a_remark(day: date) -> None:
    tables = good_tables(day)

    rows = measured(
        evidence_of(tables, ledger_of(tables, day, archived=False), history() if day == LAST else {})
    )

    assert remarks(rows) == {(None, "paginas_nao_guardadas", None): "aviso"}


def test_cells_that_cannot_be_read_are_named() -> None:
    def one(paper: Paper) -> Paper:
        return paper.with_cell("vlr_cot", "n/d") if paper.ticker == "PETR4" else paper

    every = both(lambda paper: paper.with_cell("vlr_cot", "n/d") if paper.kind == "acoes" else paper)
    for rows in both(one):
        assert remarks(rows) == {(SOT_ACOES, "ilegiveis", "vlr_cot"): "aviso"}
        assert 'como "n/d" de PETR4' in said(rows)
    for rows in every:
        assert remarks(rows)[SOT_ACOES, "ilegiveis", "vlr_cot"] == "falha"


def test_what_did_not_come_through_and_a_fold_that_failed_are_failures() -> None:
    tables = good_tables(FIRST)
    good = evidence_of(tables, ledger_of(tables, FIRST), {})

    rows = measured(replace(good, not_through=("1 objects",), failed_folds=("PartitionBusy: busy",)))

    assert remarks(rows) == {(None, "objetos_pendentes", None): "falha", (None, "dedup", None): "falha"}


def test_more_dead_letters_than_the_day_before_are_a_remark() -> None:
    tables = good_tables(FIRST)
    good = evidence_of(tables, ledger_of(tables, FIRST), {})
    dead = measured(replace(good, dead_letters=3))

    assert remarks(dead) == {(None, "fila_morta", None): "aviso"}
    again = replace(good, dead_letters=3, earlier={number(FIRST) - 1: dead})
    assert (None, "fila_morta", None) not in remarks(measured(again))


def test_one_bad_day_does_not_become_the_norm_and_a_new_normal_is_accepted_by_a_day() -> None:
    bad = judged(changed_papers(LAST, scaled("vlr_ind_vpa", Decimal(10))), LAST, history())
    later = LAST + timedelta(days=1)
    again = changed_papers(later, scaled("vlr_ind_margem_bruta", Decimal(10)))

    known = {**history(), number(LAST): bad}
    assert (SOT_ACOES, "mediana", "vlr_ind_margem_bruta") in remarks(judged(again, later, known))
    assert (SOT_ACOES, "mediana", "vlr_ind_margem_bruta") not in remarks(judged(again, later, {}))


def test_a_day_without_a_listing_is_a_failure_that_says_why() -> None:
    tables = good_tables(FIRST)
    nothing = evidence_of(tables, replace(ledger_of(tables, FIRST), listing=None), {})

    rows = measured(replace(nothing, sor_ids=frozenset()))

    assert remarks(rows)[None, "listagem", None] == "falha"
    assert f"Não há listagem de {number(FIRST)}." in said(rows)


@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_and_of_batches_changes_nothing(order: Random) -> None:
    tables, ledger = SHUFFLED
    mixed = {
        which: {
            kind: table.take(pa.array(order.sample(range(len(table)), len(table))))
            for kind, table in getattr(tables, which).items()
        }
        for which in ("sor", "sot")
    }
    batches = list(ledger.batches)
    order.shuffle(batches)

    rows = measured(evidence_of(replace(tables, **mixed), replace(ledger, batches=tuple(batches)), {}))

    assert rows == measured(evidence_of(tables, ledger, {}))


@pytest.mark.parametrize(
    ("value", "reference", "expected"),
    [
        (0.05, -0.05, "ok"),  # next to nothing, among values from -10 to 10
        (0.9, -0.4, "ok"),
        (2.0, -2.0, "falha"),
        (2.0, 0.3, "falha"),
    ],
)
def test_a_median_next_to_zero_among_values_of_both_signs_is_not_judged(
    value: float, reference: float, expected: str
) -> None:
    values = [step / 10 for step in range(-100, 101)]

    assert _moved(value, reference, values).value == expected
    assert _moved(value, reference, [abs(one) + 1 for one in values]).value != "ok"
