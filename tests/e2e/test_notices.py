"""Each execution of the workflow sends exactly one notice."""

from __future__ import annotations

import json
import time

import pytest
from faulty_lake import FaultyLake, until

pytestmark = pytest.mark.e2e

WORKFLOW = "pynvest-sfn-dedup-sot-spec-tables"


def test_a_state_that_fails_finally_is_reported_once_with_its_error(faulty: FaultyLake, number: int) -> None:
    ended = faulty.end_of(faulty.start_workflow(anomesdia_exec=number, rounds="sixty"))

    assert (ended["status"], ended["error"]) == ("FAILED", "StateFailed")
    ((subject, text),) = faulty.take_notices()
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


def test_an_aborted_execution_is_reported_once_by_the_rule(faulty: FaultyLake, number: int) -> None:
    started_at = time.time()
    execution = faulty.start_workflow(anomesdia_exec=number)
    until(lambda: faulty.log("assess-day", started_at, "day looked at"), "the workflow to wait for its day")

    faulty.states.stop_execution(executionArn=execution)

    ((_, text),) = until(faulty.take_notices, "the notice")
    assert faulty.end_of(execution)["status"] == "ABORTED"
    assert f"a execução {execution.rsplit(':', 1)[1]} do fluxo" in text
    assert "Estado: ABORTED" in text
    assert faulty.take_notices() == []


def test_a_failure_that_the_workflow_cannot_report_is_reported_once_by_the_rule(
    faulty: FaultyLake, number: int
) -> None:
    workflow = faulty.outputs["workflow_arn"]
    definition = faulty.states.describe_state_machine(stateMachineArn=workflow)["definition"]
    silent = json.loads(definition)
    silent["States"]["TellFailure"]["Parameters"]["TopicArn"] += "-of-nobody"
    del silent["States"]["TellFailure"]["Retry"]  # the retries take more than three minutes
    faulty.states.update_state_machine(stateMachineArn=workflow, definition=json.dumps(silent))

    try:
        ended = faulty.end_of(faulty.start_workflow(anomesdia_exec=number, rounds="sixty"))
    finally:
        faulty.states.update_state_machine(stateMachineArn=workflow, definition=definition)

    ((_, text),) = until(faulty.take_notices, "the notice")
    assert ended["status"] == "FAILED"
    assert f"a execução {ended['name']} do fluxo" in text
    assert "Estado: FAILED" in text
    assert faulty.take_notices() == []


def test_only_the_workflow_may_publish_notices(faulty: FaultyLake) -> None:
    topic = faulty.outputs["notices"]["topic_arn"]

    assert [role for role in faulty.roles() if faulty.may(role, topic, "sns:Publish")] == [WORKFLOW]
