"""On the emulator, the verdict decides whether the workflow fails, even if the site is a session behind."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from faulty_lake import FaultyLake

from pynvest_lake.storage import object_id
from sandbox import checks
from sandbox.day import Day
from sandbox.site import Fault, SampleAsset

pytestmark = pytest.mark.e2e


def remarks(faulty: FaultyLake, day: int) -> set[tuple[str, str | None, str]]:
    """Return measure, column and situation of each quality row that is not ok."""
    table = faulty.lake.quality
    (stored,) = faulty.keys(table, day)
    assert stored.endswith(f"{object_id('quality')}.part.parquet")
    assert faulty.has_partition(table, day)
    rows = faulty.day().partitions.read(table, day).to_pylist()
    return {(row["medida"], row["coluna"], row["situacao"]) for row in rows if row["situacao"] != "ok"}


def run(faulty: FaultyLake, number: int) -> Day:
    day = faulty.day()
    day.ask(number)
    day.wait()
    return day


def test_a_renamed_essential_label_fails_the_workflow_with_its_name_after_the_tables_are_whole(
    faulty: FaultyLake, number: int
) -> None:
    for asset in faulty.assets:
        faulty.site.set_fault(asset.ticker, Fault("renamed_label", label="Valor de mercado"))

    day = run(faulty, number)
    ended = faulty.end_of(faulty.start_workflow(anomesdia_exec=number))

    assert (ended["status"], ended["error"]) == ("FAILED", "DayNotGood")
    assert 'O rótulo "Valor de mercado" falta em 12 de 12 páginas de ações' in ended["cause"]
    assert {("rotulo_ausente", "Valor de mercado", "falha"), ("dia", None, "falha")} <= remarks(
        faulty, number
    )
    renamed = [asset.with_label("Valor de mercado", "Valor de mercado (novo)") for asset in faulty.assets]
    checks.check_assets(day, renamed, faulty.glue)

    with faulty.setting("assess-day", QUALITY_GATE="record"):
        faulty.compact(day)
    assert ("dia", None, "falha") in remarks(faulty, number)


def test_a_renamed_rare_label_is_a_remark_and_the_workflow_succeeds(faulty: FaultyLake, number: int) -> None:
    bank = next(asset.ticker for asset in faulty.assets if asset.variety == "bank")
    faulty.site.set_fault(bank, Fault("renamed_label", label="Depósitos"))

    day = run(faulty, number)
    faulty.compact(day)

    assert ("rotulo_novo", "Depósitos (novo)", "aviso") in remarks(faulty, number)


def test_all_of_one_kind_refused_fails_the_workflow(faulty: FaultyLake, number: int) -> None:
    funds = [asset.ticker for asset in faulty.assets if asset.kind == "fiis"]
    for ticker in funds:
        faulty.site.set_fault(ticker, Fault("status", status=403))

    run(faulty, number)
    ended = faulty.end_of(faulty.start_workflow(anomesdia_exec=number))
    faulty.forget_refusals()

    assert (ended["status"], ended["error"]) == ("FAILED", "DayNotGood")
    assert "fundos da listagem" in ended["cause"]
    assert f"{min(funds)} (refused)" in ended["cause"]


def test_a_site_that_is_late_is_read_anew_once_its_session_has_moved(faulty: FaultyLake, number: int) -> None:
    monday = datetime.strptime(str(number), "%Y%m%d").date()
    wednesday, thursday = monday + timedelta(days=2), monday + timedelta(days=3)
    faulty.site.session = wednesday
    faulty.compact(run(faulty, as_number(wednesday)))

    day = run(faulty, as_number(thursday))  # the site still shows Wednesday's session
    faulty.site.session = thursday
    faulty.compact(day, rounds=[0])

    assets = [on(asset, thursday) for asset in faulty.assets]
    for table in faulty.lake.tables:
        of_table = [asset for asset in assets if table.kind in (asset.kind, None)]
        expected = {one.ticker: checks.expected_row(one, table.layer, day.number) for one in of_table}
        rows = checks.rows_by_ticker(day, table)
        if table.layer == "sor":  # SoR keeps every reading: the newest reading is the last
            rows = {ticker: [max(read, key=session_text)] for ticker, read in rows.items()}
        assert checks.row_differences(table, expected, rows) == []
        assert checks.partition_differences(day, table, faulty.glue, has_assets=True) == []
    assert len(faulty.ledger(as_number(thursday)).rounds) == 2
    assert not [one for one in remarks(faulty, as_number(thursday)) if one[0] == "sessao_repetida"]


def session_text(row: checks.Row) -> str:
    """Return the session of a SoR row as a sortable value; a later session has a greater value."""
    return "".join(reversed(row["dt_ult_cot"].split("/")))


def as_number(day: date) -> int:
    return int(f"{day:%Y%m%d}")


def on(asset: SampleAsset, session: date) -> SampleAsset:
    """Return an asset as the site shows it in a session; an asset that no longer trades is unchanged."""
    shown = asset.cells_by_column()["dt_ult_cot"].value
    if as_number(shown) != asset.day:  # type: ignore[arg-type]
        return asset
    return asset.with_cell("dt_ult_cot", f"{session:%d/%m/%Y}", session)
