"""Good days are ok. The verdicts name each defect, on a lake's first day and on its 31st day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from math import isfinite
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from days import (
    FIRST,
    HALF_DAY,
    LAST,
    NOW,
    Change,
    assets_of,
    good_day,
    history,
    judged,
    judged_good,
    last_quote,
    on_session,
    session_of,
    weekdays,
    with_ledger,
    with_new_label,
    without_label,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from assess_day.assessment import QualityRow, Verdict
from assess_day.quality import run_checks
from assess_day.table_checks import _moved
from b3.days import is_trading_day, number_of
from b3.kind import Kind
from pynvest_lake.contract import SOR_ACOES, SOR_FIIS, SOT, SOT_ACOES, SOT_FIIS
from pynvest_lake.ledger import AssetEntry, BatchEntry, Outcome, Round, moment_text
from pynvest_lake.prepare import prepare
from pynvest_lake.storage import LakeTable
from sandbox.site import SampleAsset
from sandbox.site.assets import brazilian

Rows = Sequence[QualityRow]


def remarks(rows: Rows) -> dict[tuple[str | None, str, str | None], str]:
    """Return the verdicts that are not ok, without the verdict of the whole day."""
    return {
        (row.tabela, row.medida, row.coluna): row.situacao.value
        for row in rows
        if row.situacao is not Verdict.OK and row.medida != "dia"
    }


def reasons(rows: Rows) -> str:
    return "\n".join(row.motivo for row in rows if row.motivo)


def stocks(day: date) -> list[SampleAsset]:
    return [asset for asset in assets_of(day) if asset.kind == "acoes"]


def changed(day: date, change: Change) -> Rows:
    """Apply `change` to each asset of a day, and assess the day. All earlier days are good."""
    return judged([change(asset) for asset in assets_of(day)], day)


def both(change: Change) -> tuple[Rows, Rows]:
    return changed(FIRST, change), changed(LAST, change)


def test_thirty_one_good_days_with_ordinary_noise_are_ok() -> None:
    days = {**history(), number_of(LAST): judged_good(LAST)}

    assert {day: reasons(rows) for day, rows in days.items() if reasons(rows)} == {}
    assert len(days) == 31
    assert not all(is_trading_day(day) for day in days)
    assert len({len(assets_of(day)) for day in weekdays(31)}) > 1
    shares = {
        day: row.valor or 0
        for day, of_day in days.items()
        for row in of_day
        if (row.tabela, row.medida) == (SOT_ACOES, "sessao")
    }
    assert min(shares, key=shares.__getitem__) == number_of(HALF_DAY)
    assert max(shares.values()) <= 1


def test_a_renamed_core_label_is_named_and_is_a_failure_if_there_is_a_reference() -> None:
    first, last = both(lambda asset: asset.with_label("P/VP", "P/VPA"))

    assert remarks(first) == {
        (table, check, label): "aviso"
        for table in (SOR_ACOES, SOR_FIIS)
        for check, label in (("rotulo_ausente", "P/VP"), ("rotulo_novo", "P/VPA"))
    }
    assert remarks(last)[SOR_ACOES, "rotulo_ausente", "P/VP"] == "aviso"
    assert remarks(last)[SOR_ACOES, "rotulo_novo", "P/VPA"] == "aviso"
    assert remarks(last)[SOT_ACOES, "preenchimento", "vlr_ind_p_sobre_vp"] == "falha"
    for rows in (first, last):
        assert 'O rótulo "P/VP" falta em' in reasons(rows)


@pytest.mark.parametrize(
    ("label", "table", "column"),
    [
        ("Cotação", SOT_ACOES, "vlr_cot"),
        ("Data últ cot", SOT_FIIS, "dt_ult_cot"),
        ("Nro. Ações", SOT_ACOES, "num_acoes"),
        ("Nro. Cotas", SOT_FIIS, "num_cotas"),
        ("Valor de mercado", SOT_FIIS, "vlr_mercado"),
    ],
)
def test_the_first_day_fails_if_all_pages_lack_a_value_that_every_asset_has(
    label: str, table: str, column: str
) -> None:
    lacking = remarks(changed(FIRST, lambda asset: asset.with_label(label, "Outro")))
    empty = remarks(
        changed(
            FIRST, lambda asset: asset.with_cell(column, "") if column in asset.cells_by_column() else asset
        )
    )

    sor = {SOT_ACOES: SOR_ACOES, SOT_FIIS: SOR_FIIS}[table]
    assert (lacking[sor, "rotulo_ausente", label], lacking[table, "preenchimento", column]) == (
        "aviso",
        "falha",
    )
    assert empty[table, "preenchimento", column] == "falha"


def test_an_empty_column_is_a_failure_only_if_it_was_filled_before() -> None:
    def without_mandate(asset: SampleAsset) -> SampleAsset:
        return asset.with_cell("tipo_mandato", "") if asset.kind == "fiis" else asset

    first, last = both(without_mandate)
    known = {number_of(FIRST): first}
    later = weekdays(2)[1]
    again = judged([without_mandate(asset) for asset in assets_of(later)], later, earlier=known)

    assert remarks(first) == remarks(again) == {}
    assert remarks(last) == {(SOT_FIIS, "preenchimento", "tipo_mandato"): "falha"}
    (why,) = [row.motivo for row in last if row.coluna == "tipo_mandato"]
    assert why and why.endswith("está preenchida em 0,0% das linhas; o normal é 93,3%.")


def test_a_first_day_of_pages_in_each_recorded_form_is_ok() -> None:
    of = {(asset.kind, asset.variety): asset for asset in assets_of(FIRST)}
    stock, bank = of["acoes", "listed"], of["acoes", "bank"]
    older = without_label(stock.with_label("Dív Líq / Patrim", "Div Br/ Patrim"), "EV / EBITDA")
    fillers = {"vlr_ind_margem_liq": ("0,0%", 0), "vlr_ind_ebit_sobre_ativo": ("0,0%", 0)}
    dashes = ("vlr_firma", "vlr_ind_giro_ativos", "vlr_ind_margem_bruta", "vlr_ind_roic", "vlr_liquidez_corr")
    filled = bank.with_cells({**fillers, **dict.fromkeys(dashes, ("-", None))})
    fund = of["fiis", "real_estate"].with_cell("tipo_mandato", "")
    on_asset = of["fiis", "financial"].with_cell("tipo_mandato", "")

    for day in ((stock, fund), (filled, on_asset), (older, fund), (stock, filled, older, fund, on_asset)):
        rows = judged(day, FIRST)
        assert reasons(rows) == ""
        assert rows[-1].situacao is Verdict.OK


def test_a_core_label_that_single_pages_lack_is_a_remark() -> None:
    def one(asset: SampleAsset) -> SampleAsset:
        return asset.with_label("P/L", "P/L (novo)") if asset.ticker == "PETR4" else asset

    for rows in both(one):
        assert remarks(rows) == {
            (SOR_ACOES, "rotulo_ausente", "P/L"): "aviso",
            (SOR_ACOES, "rotulo_novo", "P/L (novo)"): "aviso",
        }
        assert "como PETR4" in reasons(rows)


def test_a_new_label_is_a_remark_with_its_name() -> None:
    for rows in both(lambda asset: with_new_label(asset, "P/FCF")):
        assert remarks(rows) == {
            (SOR_ACOES, "rotulo_novo", "P/FCF"): "aviso",
            (SOR_FIIS, "rotulo_novo", "P/FCF"): "aviso",
        }
        assert 'O rótulo "P/FCF" não tem coluna, e está em ' in reasons(rows)
        assert rows[-1].situacao is Verdict.WARNING


def test_a_renamed_common_label_is_a_remark_on_the_thirty_first_day() -> None:
    first, last = both(lambda asset: asset.with_label("Dív. Bruta", "Dívida"))

    assert (SOT_ACOES, "preenchimento", "vlr_divida_bruta") not in remarks(first)
    assert remarks(last)[SOT_ACOES, "preenchimento", "vlr_divida_bruta"] == "aviso"


def test_half_a_listing_is_a_failure_if_there_is_a_reference() -> None:
    rows = judged(assets_of(LAST)[::2], LAST)

    assert remarks(judged(assets_of(FIRST)[::2], FIRST)) == {}
    found = remarks(rows)
    assert found[SOR_ACOES, "papeis_listados", None] == found[SOT_ACOES, "linhas", None] == "falha"
    listed = len([asset for asset in assets_of(LAST)[::2] if asset.kind == "acoes"])
    assert f"A listagem tem {listed} ações; o normal é " in reasons(rows)


def test_rows_of_a_listing_that_name_no_asset_are_a_remark() -> None:
    day = good_day(FIRST)
    listed = replace(day.ledger.listing, unreadable={Kind.ACOES: 2, Kind.FIIS: 0})
    rows = run_checks(with_ledger(day, replace(day.ledger, listing=listed)))

    assert remarks(rows) == {(SOR_ACOES, "listagem_ilegivel", None): "aviso"}
    assert "Linhas sem código de ativo na listagem de ações: 2." in reasons(rows)


@pytest.mark.parametrize("day", [FIRST, LAST])
def test_a_listing_without_funds_is_a_failure(day: date) -> None:
    found = remarks(judged(stocks(day), day))

    assert found[SOR_FIIS, "papeis_listados", None] == found[SOT_FIIS, "linhas", None] == "falha"


LATE = {(SOT_ACOES, "sessao_repetida", None): "aviso", (SOT_FIIS, "sessao_repetida", None): "aviso"}


@pytest.mark.parametrize(("kind", "table"), [("acoes", SOT_ACOES), ("fiis", SOT_FIIS)])
def test_yesterdays_session_of_one_kind_alone_is_a_remark(kind: str, table: str) -> None:
    before = session_of(LAST - timedelta(days=1))

    def late(asset: SampleAsset) -> SampleAsset:
        return on_session(asset, before) if asset.kind == kind and last_quote(asset) > before else asset

    assert remarks(changed(LAST, late))[table, "sessao_repetida", None] == "aviso"


def test_yesterdays_session_of_almost_all_funds_is_a_remark() -> None:
    before = session_of(LAST - timedelta(days=1))
    funds = [asset.ticker for asset in assets_of(LAST) if asset.kind == "fiis" and last_quote(asset) > before]
    late = set(funds[2:])

    rows = changed(LAST, lambda asset: on_session(asset, before) if asset.ticker in late else asset)

    assert remarks(rows) == {(SOT_FIIS, "sessao", None): "aviso"}


def test_yesterdays_session_on_a_trading_day_is_a_remark_and_on_a_holiday_it_is_ok() -> None:
    before = session_of(LAST - timedelta(days=1))
    rows = changed(LAST, lambda asset: on_session(asset, before) if last_quote(asset) > before else asset)
    holiday = next(day for day in weekdays(30) if not is_trading_day(number_of(day)))

    assert remarks(rows) == LATE
    assert f"O site ainda mostra o pregão de {before:%d/%m/%Y} nas páginas de ações." in reasons(rows)
    assert remarks(judged_good(holiday)) == {}
    shown = next(row for row in judged_good(holiday) if row.medida == "sessao_repetida")
    assert shown.valor == shown.referencia == number_of(session_of(holiday))


def scaled(column: str, factor: Decimal) -> Change:
    def change(asset: SampleAsset) -> SampleAsset:
        cell = asset.cells_by_column().get(column)
        if cell is None or not isinstance(cell.value, Decimal):
            return asset
        value = (cell.value * factor).quantize(Decimal("0.01"))
        return asset.with_cell(column, brazilian(value) + ("%" if "%" in cell.text else ""), value)

    return change


def test_a_shifted_decimal_comma_is_a_failure_from_the_first_day_if_a_product_shows_it() -> None:
    first, last = both(scaled("vlr_ind_vpa", Decimal(10)))

    assert remarks(first) == {(SOT_ACOES, "p_sobre_vp_vezes_vpa", "vlr_ind_p_sobre_vp"): "falha"}
    assert remarks(last)[SOT_ACOES, "mediana", "vlr_ind_vpa"] == "falha"


def test_values_of_three_hundred_digits_are_judged_like_others() -> None:
    first, last = both(
        lambda asset: asset.with_cell("vlr_mercado", "9" * 308) if asset.kind == "acoes" else asset
    )

    assert remarks(first)[SOT_ACOES, "cotacao_vezes_papeis", "vlr_cot"] == "falha"
    assert remarks(last)[SOT_ACOES, "mediana", "vlr_mercado"] == "falha"
    assert max(len(row.motivo or "") for row in last) < 300
    assert all(isfinite(row.valor or 0) for row in (*first, *last))


def test_two_columns_that_are_swapped_are_a_failure() -> None:
    def swapped(asset: SampleAsset) -> SampleAsset:
        if asset.kind != "acoes":
            return asset
        cells = asset.cells_by_column()
        one = cells["vlr_ind_p_sobre_l"]
        two = asset.with_cell("vlr_ind_p_sobre_l", cells["vlr_ind_vpa"].text, cells["vlr_ind_vpa"].value)
        return two.with_cell("vlr_ind_vpa", one.text, one.value)

    first, last = both(swapped)

    for rows in (first, last):
        found = remarks(rows)
        assert found[SOT_ACOES, "p_sobre_vp_vezes_vpa", "vlr_ind_p_sobre_vp"] == "falha"
        assert found[SOT_ACOES, "p_sobre_l_vezes_lpa", "vlr_ind_p_sobre_l"] == "falha"


def test_prices_times_a_thousand_are_a_failure() -> None:
    rows = changed(FIRST, scaled("vlr_cot", Decimal(1000)))

    assert remarks(rows)[SOT_ACOES, "preco_fora_52_semanas", "vlr_cot"] == "falha"


def test_prices_that_differ_from_the_listing_are_a_failure_from_the_first_day() -> None:
    rows = judged(assets_of(FIRST), FIRST, listed={asset.ticker: 7777.77 for asset in assets_of(FIRST)})

    assert remarks(rows) == {(table, "preco_listagem", "vlr_cot"): "falha" for table in (SOT_ACOES, SOT_FIIS)}


@pytest.mark.parametrize("table", [SOT_ACOES, SOT_FIIS])
def test_a_third_of_a_kind_with_yesterdays_session_and_prices_is_a_failure(table: str) -> None:
    before = {asset.ticker: asset for asset in assets_of(session_of(LAST - timedelta(days=1)))}
    of_kind = [asset.ticker for asset in assets_of(LAST) if SOT[Kind(asset.kind)] == table]
    stale = {ticker: before[ticker] for ticker in of_kind[::3] if ticker in before}
    shown = [stale.get(asset.ticker, asset) for asset in assets_of(LAST)]
    listed = {asset.ticker: asset.expected_sot()["vlr_cot"] for asset in assets_of(LAST)}

    assert remarks(judged(shown, LAST, listed=listed)) == {(table, "preco_listagem", "vlr_cot"): "falha"}


@pytest.mark.parametrize("day", [FIRST, LAST])
def test_a_refused_kind_is_a_failure_and_one_refused_asset_is_a_remark(day: date) -> None:
    assets = assets_of(day)
    funds = [asset.ticker for asset in assets if asset.kind == "fiis"]

    one = judged(assets, day, refused=["PETR4"])
    every = judged(assets, day, refused=funds)

    assert remarks(one) == {(SOR_ACOES, "papeis_faltando", None): "aviso"}
    one_stock = f"De {len(stocks(day))} ações da listagem, 1 sem leitura"
    assert f"{one_stock}: PETR4 (o site recusou o pedido)." in reasons(one)
    assert remarks(every)[SOR_FIIS, "papeis_faltando", None] == "falha"
    every_fund = f"De {len(funds)} fundos da listagem, {len(funds)} sem leitura"
    assert f"{every_fund}: {min(funds)} (o site recusou o pedido)" in reasons(every)


def test_pages_that_were_not_archived_are_a_remark() -> None:
    good = good_day(FIRST)
    ledger = good.ledger
    lost = tuple((replace(entry, archived=False), at) for entry, at in ledger.batches)
    assets = sum(len(entry.assets) for entry, _ in lost)

    of_assets = run_checks(with_ledger(good, replace(ledger, batches=lost)))
    unlisted = replace(ledger, listing=replace(ledger.listing, archived=False))
    of_listings = run_checks(with_ledger(good, unlisted))

    for rows, what in ((of_assets, f"{assets} de ativos"), (of_listings, "2 de listagens")):
        assert remarks(rows) == {(None, "paginas_nao_guardadas", None): "aviso"}
        assert f"(sem elas, o dia não pode ser relido): {what}." in reasons(rows)


def test_unreadable_cells_are_named() -> None:
    def one(asset: SampleAsset) -> SampleAsset:
        return asset.with_cell("vlr_cot", "n/d") if asset.ticker == "PETR4" else asset

    every = both(lambda asset: asset.with_cell("vlr_cot", "n/d") if asset.kind == "acoes" else asset)
    for rows in both(one):
        assert remarks(rows) == {(SOT_ACOES, "ilegiveis", "vlr_cot"): "aviso"}
        assert 'como "n/d" de PETR4' in reasons(rows)
    for rows in every:
        assert remarks(rows)[SOT_ACOES, "ilegiveis", "vlr_cot"] == "falha"


def test_pending_objects_and_failed_compactions_fail_the_day() -> None:
    good = good_day(FIRST)
    text = "objetos que não chegaram de um a outro: 1 (0f3a)"

    rows = run_checks(
        replace(
            good, state=replace(good.state, not_through=(text,)), failed_compactions=("PartitionBusy: busy",)
        )
    )

    assert remarks(rows) == {(None, "objetos_pendentes", None): "falha", (None, "dedup", None): "falha"}
    assert f"Há {text}." in reasons(rows)


def test_more_dead_letters_than_the_day_before_are_a_remark() -> None:
    good = good_day(FIRST)
    dead = run_checks(replace(good, dead_letters=3))

    assert remarks(dead) == {(None, "fila_morta", None): "aviso"}
    again = replace(good, dead_letters=3, earlier={number_of(FIRST) - 1: dead})
    assert (None, "fila_morta", None) not in remarks(run_checks(again))
    assert reasons(dead).startswith("Mensagens nas filas de falhas: 3 (antes: 0).")


def test_a_bad_day_is_no_reference_until_reference_from_accepts_it() -> None:
    change = scaled("vlr_ind_margem_bruta", Decimal(10))
    moved = (SOT_ACOES, "mediana", "vlr_ind_margem_bruta")
    known = {**history(), number_of(LAST): changed(LAST, change)}
    later = LAST + timedelta(days=1)
    moved_again = [change(asset) for asset in assets_of(later)]

    again = judged(moved_again, later, earlier=known)
    accepted = judged(moved_again, later, earlier=known, reference_from=number_of(later))

    assert remarks(known[number_of(LAST)]) == {moved: "falha"}
    assert f"A mediana de vlr_ind_margem_bruta em {SOT_ACOES} é" in reasons(known[number_of(LAST)])
    assert remarks(again) == {moved: "falha"}
    assert remarks(accepted) == {}


def test_reference_from_hides_references_but_neither_the_last_session_nor_older_dead_letters() -> None:
    before = session_of(LAST - timedelta(days=1))
    late = [on_session(asset, before) if last_quote(asset) > before else asset for asset in assets_of(LAST)]
    last_day = weekdays(30)[-1]
    dead = run_checks(replace(good_day(last_day), earlier=history(last_day), dead_letters=3))
    known = {**history(), number_of(last_day): dead}

    rows = judged(late, LAST, earlier=known, dead_letters=3, reference_from=number_of(LAST))

    assert remarks(rows) == LATE
    assert {row.medida for row in rows if row.referencia is not None} == {
        *("sessao_repetida", "fila_morta", "papeis_faltando", "rotulo_novo", "rotulo_ausente", "releitura")
    }


def read_as(outcome: Outcome, number: int, **more: Any) -> AssetEntry:
    return AssetEntry(outcome, number, object="a" if outcome is Outcome.READ else None, **more)


def judged_with(*batches: BatchEntry, rounds: int = 1) -> Rows:
    """Add `batches` and `rounds` to the ledger of the good first day, and assess the day."""
    good = good_day(FIRST)
    asked = {Kind.ACOES: [asset.ticker for asset in stocks(FIRST)]}
    ledger = replace(
        good.ledger,
        rounds=tuple(Round(number, moment_text(NOW), asked) for number in range(rounds)),
        batches=(*good.ledger.batches, *((batch, NOW) for batch in batches)),
    )
    return run_checks(with_ledger(good, ledger))


def test_the_labels_of_a_page_count_until_a_later_page_of_its_asset_is_read() -> None:
    odd = read_as(Outcome.READ, 0, fetched_at="2026-10-05T22:00:00Z", unknown_labels=("Novo",))
    later = read_as(Outcome.READ, 0, fetched_at="2026-10-05T23:00:00Z")

    first, second = (BatchEntry(Kind.ACOES, {"PETR4": entry}) for entry in (odd, later))

    assert remarks(judged_with(first)) == {(SOR_ACOES, "rotulo_novo", "Novo"): "aviso"}
    assert remarks(judged_with(first, second)) == {}


def test_labels_beyond_the_named_ones_are_counted() -> None:
    many = tuple(f"Novo {number:02}" for number in range(20))
    cut = read_as(Outcome.READ, 0, fetched_at="2026-10-05T22:00:00Z", unknown_labels=many, unknown_count=3000)
    other = read_as(Outcome.READ, 0, fetched_at="2026-10-05T22:00:00Z", unknown_labels=("Novo 20",))

    rows = judged_with(BatchEntry(Kind.ACOES, {"PETR4": cut, "VALE3": other}))

    named = [row for row in rows if row.medida == "rotulo_novo" and row.situacao is not Verdict.OK]
    assert {row.coluna for row in named} == {None, *many}
    assert "há mais rótulos sem coluna do que os mostrados: 3.000 na de PETR4." in reasons(rows)


def test_an_asset_that_the_newest_round_could_not_read_again_is_a_remark() -> None:
    everyone = [asset.ticker for asset in stocks(FIRST)]
    odd = everyone[0]
    again = {ticker: read_as(Outcome.READ, 1) for ticker in everyone if ticker != odd}
    failed = BatchEntry(Kind.ACOES, {**again, odd: read_as(Outcome.FAILED, 1)})
    mended = BatchEntry(Kind.ACOES, {odd: read_as(Outcome.READ, 1)})

    rows = judged_with(failed, rounds=2)
    whole = judged_with(failed, mended, rounds=2)

    assert remarks(rows) == {(SOR_ACOES, "releitura", None): "aviso"}
    many = len(everyone)
    assert (
        reasons(rows).split("\n")[0]
        == f"Ativos pedidos de novo que ficaram com a leitura anterior: 1 de {many} ações ({odd})."
    )
    assert remarks(whole) == {}


def test_an_asset_not_read_again_stays_a_remark_after_a_round_of_other_assets() -> None:
    odd, *others = (asset.ticker for asset in stocks(FIRST))
    day = good_day(FIRST)
    rounds = [Round(0, moment_text(NOW), {Kind.ACOES: [odd, *others]}), Round(1, "", {Kind.ACOES: [odd]})]
    rounds.append(Round(2, "", {Kind.ACOES: others}))
    again = {ticker: read_as(Outcome.READ, 2) for ticker in others}
    batches = [BatchEntry(Kind.ACOES, again), BatchEntry(Kind.ACOES, {odd: read_as(Outcome.REFUSED, 1)})]
    known = (*day.ledger.batches, *((batch, NOW) for batch in batches))
    rows = run_checks(with_ledger(day, replace(day.ledger, rounds=tuple(rounds), batches=known)))

    assert remarks(rows) == {(SOR_ACOES, "releitura", None): "aviso"}


def test_foreign_objects_are_named() -> None:
    good = good_day(FIRST)
    keys = ("t/anomesdia_exec=20261005/", "t/anomesdia_exec=20261005/_SUCCESS")

    rows = run_checks(replace(good, state=replace(good.state, foreign_keys=keys)))

    assert remarks(rows) == {(None, "objetos_estranhos", None): "aviso"}
    assert "o Athena lê os que não começam com _ ou ponto" in reasons(rows)
    assert f"ou falhar: 2 ({', '.join(keys)})." in reasons(rows)


def test_days_missing_in_the_catalog_are_counted_and_the_reason_says_how_to_register_them() -> None:
    table, other = LakeTable("lake", "db_sot", SOT_ACOES), LakeTable("lake", "db_sot", SOT_FIIS)
    good = good_day(FIRST)

    rows = run_checks(replace(good, unregistered={table: (20261001, 20261002), other: ()}))

    assert remarks(rows) == {(SOT_ACOES, "dias_sem_registro", None): "aviso"}
    assert reasons(rows).split("\n")[0] == (
        "Dias que estão no bucket e não no catálogo, que nenhuma consulta vê: 2; "
        f"no Athena, no banco db_sot, rode MSCK REPAIR TABLE {SOT_ACOES}."
    )


def test_an_unreadable_text_counts_only_in_the_best_reading() -> None:
    good = good_day(FIRST)
    texts = good.sor[Kind.ACOES].to_pylist()
    emptied = [{**row, "vlr_ind_roe": "-"} if row["nome_papel"] == "PETR4" else row for row in texts]
    one = next(row for row in texts if row["nome_papel"] == "PETR4")
    # 30-09-2026 is the older date, but sorts after 05-10-2026 as text.
    older = {**one, "datetime_exec": "30-09-2026 23:59:00", "vlr_ind_roe": "n/d"}
    schema = good.sor[Kind.ACOES].schema
    sor = {**good.sor, Kind.ACOES: pa.Table.from_pylist([*emptied, older], schema=schema)}
    newest = prepare(pa.Table.from_pylist(emptied, schema=schema), Kind.ACOES, number_of(FIRST)).table
    sot = {**good.sot, Kind.ACOES: newest}

    assert remarks(run_checks(replace(good, sor=sor, sot=sot))) == {}


def test_a_day_without_a_listing_is_a_failure_that_says_why() -> None:
    good = good_day(FIRST)
    ledger = replace(good.ledger, listing=None)

    rows = run_checks(replace(good, state=replace(good.state, ledger=ledger, sor_ids=frozenset())))

    assert remarks(rows)[None, "listagem", None] == "falha"
    assert f"Não há listagem de {FIRST:%d/%m/%Y}." in reasons(rows)


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_and_of_batches_changes_nothing(order: Random) -> None:
    day = good_day(LAST)
    batches = list(day.ledger.batches)
    order.shuffle(batches)

    def mixed(table: pa.Table) -> pa.Table:
        return table.take(pa.array(order.sample(range(len(table)), len(table))))

    shuffled = replace(
        with_ledger(day, replace(day.ledger, batches=tuple(batches))),
        sor={kind: mixed(table) for kind, table in day.sor.items()},
        sot={kind: mixed(table) for kind, table in day.sot.items()},
        spec=mixed(day.spec),
        earlier=history(),
    )
    assert run_checks(shuffled) == judged_good(LAST)


@pytest.mark.parametrize(
    ("value", "reference", "expected"),
    [
        (0.05, -0.05, "ok"),  # almost zero, among values from -10 to 10
        (0.9, -0.4, "ok"),
        (2.0, -2.0, "falha"),
        (2.0, 0.3, "falha"),
        (0.0, 5.0, "ok"),  # zero has no sign and is not a multiple of another value
        (5.0, 0.0, "ok"),
    ],
)
def test_a_median_near_zero_among_values_of_both_signs_is_not_judged(
    value: float, reference: float, expected: str
) -> None:
    values = [step / 10 for step in range(-100, 101)]

    assert _moved(value, reference, values).value == expected
    if value and reference:
        assert _moved(value, reference, [abs(one) + 1 for one in values]).value != "ok"
