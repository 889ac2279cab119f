"""Each execution sends one notice of the day; the topic sends the notice to the queue of the tests."""

from __future__ import annotations

import time

import pytest
from faulty_lake import FaultyLake, until

from sandbox.site import Fault

pytestmark = pytest.mark.e2e

WORKFLOW = "pynvest-sfn-dedup-sot-spec-tables"


def test_a_state_that_fails_for_good_is_told_once_with_its_error(faulty: FaultyLake, number: int) -> None:
    ended = faulty.end_of(faulty.start_workflow(anomesdia_exec=number, rounds="sixty"))

    assert (ended["status"], ended["error"]) == ("FAILED", "ValueError")
    ((subject, text),) = faulty.told()
    assert subject == f"{WORKFLOW}: FALHA na etapa Look"
    lines = text.split("\n")
    assert lines[:4] == [
        subject,
        "",
        "O fluxo do dia parou antes de avaliar o dia.",
        f"Execução: {ended['name']}",
    ]
    assert lines[4].startswith('Erro: {"Error":"ValueError"')
    assert "rounds is 'sixty', expected a list of minutes" in lines[4]
    assert lines[-2].startswith("O que fazer: ")
    assert len(lines) < 40


def test_a_good_day_is_one_digest_an_execution(faulty: FaultyLake, number: int) -> None:
    day = faulty.day()
    day.ask(number)
    day.wait()
    faulty.compact(day)

    ((subject, text),) = faulty.told()
    date = f"{number % 100:02}/{number // 100 % 100:02}/{number // 10000}"
    assert subject.startswith(f"pynvest {date}: ")
    assert f"Ativos lidos: {len(faulty.assets)} (12 ações e 8 FIIs)" in text.split("\n")
    assert "Ativos que faltam: nenhum" in text.split("\n")

    faulty.compact(day)
    assert faulty.told() == [(subject, text)]


def test_a_day_that_lacks_an_asset_is_told_once_and_once_more_when_it_is_mended(
    faulty: FaultyLake, number: int
) -> None:
    down = faulty.assets[0].ticker
    faulty.site.set_fault(down, Fault("status", status=500))
    day = faulty.day()
    day.ask(number)
    day.wait()
    faulty.end_of(faulty.start_workflow(anomesdia_exec=number))

    ((_, text),) = faulty.told()
    assert f"  - o site não entregou a página (1): {down}" in text.split("\n")

    faulty.site.clear_faults()
    faulty.compact(day, rounds=[0])
    ((_, text),) = faulty.told()
    assert "Ativos que faltam: nenhum" in text.split("\n")


@pytest.mark.usefixtures("today")
def test_a_partial_run_is_not_told(faulty: FaultyLake) -> None:
    day = faulty.day()
    day.start(tickers=[faulty.assets[0].ticker])
    day.wait()
    faulty.compact(day)

    assert faulty.told() == []


def test_an_execution_that_is_aborted_is_told_once_by_the_rule(faulty: FaultyLake, number: int) -> None:
    started_at = time.time()
    execution = faulty.start_workflow(anomesdia_exec=number)
    until(lambda: faulty.log("assess-day", started_at, "day looked at"), "the workflow to wait for its day")

    faulty.states.stop_execution(executionArn=execution)

    ((_, text),) = until(faulty.told, "the notice")
    assert faulty.end_of(execution)["status"] == "ABORTED"
    assert f"a execução {execution.rsplit(':', 1)[1]} do fluxo" in text
    assert "Estado: ABORTED" in text
    assert faulty.told() == []


def test_nobody_else_may_tell(faulty: FaultyLake) -> None:
    topic = faulty.outputs["notices"]["topic_arn"]

    assert [role for role in faulty.roles() if faulty.may(role, topic, "sns:Publish")] == [WORKFLOW]
