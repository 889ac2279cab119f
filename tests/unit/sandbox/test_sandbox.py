"""Output and checks of the local run, without an emulator."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from sandbox import answers
from sandbox.checks import NotExact, check_tickers
from sandbox.console import Console
from sandbox.lake import Lake, Table

TABLES = (
    Table("sor", "db_sor", "sor_acoes", layer="sor", kind="acoes"),
    Table("sor", "db_sor", "sor_fiis", layer="sor", kind="fiis"),
    Table("sot", "db_sot", "sot_acoes", layer="sot", kind="acoes"),
    Table("sot", "db_sot", "sot_fiis", layer="sot", kind="fiis"),
    Table("spec", "db_spec", "spec_ativos", layer="spec", kind=None),
)
TICKER_COLUMNS = ("nome_papel", "fii", "nome_papel", "fii", "codigo_ticker_ativo")


def lake() -> Lake:
    quality = Table("spec", "db_spec", "spec_quality", layer="spec", kind=None)
    return Lake(TABLES, quality, "", {}, {}, {}, (), "", "", "", "")


def day_with(*tickers: tuple[str, ...], **known: Any) -> Any:
    """Return a day. Each item of `tickers` lists the tickers in one of the five tables."""
    rows = {
        one: pa.table({column: list(held)})
        for one, column, held in zip(TABLES, TICKER_COLUMNS, tickers, strict=True)
    }
    return SimpleNamespace(
        number=20261123,
        lake=lake(),
        partitions=SimpleNamespace(read=lambda one, day: rows[one]),
        failed_tickers=lambda: known.get("failed", {"acoes": [], "fiis": []}),
        tickers_without_page=lambda: known.get("without_page", []),
        tickers_not_listed=lambda: known.get("not_listed", []),
    )


@pytest.mark.parametrize(
    ("day", "difference"),
    [
        (day_with(("PETR4",), (), ("PETR4",), (), ()), "spec: PETR4 is missing"),
        (day_with(("PETR4",) * 2, (), ("PETR4",) * 2, (), ("PETR4",)), "sot: PETR4 occurs 2 times"),
        (day_with(("PETR4", "VALE3"), (), ("PETR4",), (), ("PETR4",)), "sor: VALE3 was not requested"),
        (day_with((), (), (), (), (), not_listed=["PETR4"]), "the site does not list PETR4"),
    ],
    ids=["missing", "twice after the dedup", "not asked for", "not listed"],
)
def test_a_ticker_that_is_not_exactly_once_in_every_layer_is_named(day: Any, difference: str) -> None:
    with pytest.raises(NotExact, match=rf"^The lake is not exact:\n  - {difference}$"):
        check_tickers(day, ["PETR4"])


def test_tickers_that_failed_or_have_no_page_may_be_missing() -> None:
    body = json.dumps({"ticker": "VALE3", "kind": "acoes", "anomesdia_exec": 20261123})
    day = day_with(
        ("PETR4",), (), ("PETR4",), (), ("PETR4",), failed={"acoes": [body]}, without_page=["SUMI3"]
    )

    check_tickers(day, ["PETR4", "VALE3", "SUMI3"])


def test_a_long_list_of_differences_is_shortened() -> None:
    lines = str(NotExact([f"difference {number}" for number in range(100)])).splitlines()

    assert len(lines) < 30
    assert "80 more" in lines[-1]


def test_numbers_are_aligned_to_the_right_and_nulls_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    Console().table(["name", "price", "nothing"], [["PETR4", "9.5", None], ["VALE3", "-10", None]])

    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "name    price   nothing",
        "───────────────────────",
        "PETR4     9.5   -",
        "VALE3     -10   -",
    ]


def test_no_cell_is_cut_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    cells = ["x" * 200, "[y]" * 60]

    Console().table(["a", "b"], [cells])

    assert capsys.readouterr().out.splitlines()[-1].split() == cells


def test_progress_is_printed_only_now_and_then_without_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console()
    for step in ("one", "two", "three"):
        console.progress(step)
    console.say("done [not markup]")

    said = re.sub(r"^ +\d+ s  ", "", capsys.readouterr().out, flags=re.M)
    assert said == "one\nthree\ndone [not markup]\n"


def test_progress_in_a_terminal_shows_the_time_and_ends_as_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    console = Console()
    for step in ("one", "two [of two]"):
        console.progress(step)
    console.say("done")

    said = capsys.readouterr().out
    assert "0:00:00" in said
    assert "two [of two]" in said
    assert said.endswith("done\n")


def test_the_example_query_reads_a_view_in_the_database_of_the_lake() -> None:
    assert " FROM db_spec.vw_ativos_negociados " in answers.example_query(day_with((), (), (), (), ()))
