"""On the emulator, a day with faults ends with exact tables, and each fault leads to one notice.

Faults that need only one function are tested on moto, in the tests of each stage.
"""

from __future__ import annotations

import json
import time

import pytest
from faulty_lake import FaultyLake, until

from pynvest_lake.ledger import moment_of
from sandbox.site import GHOSTS, Fault

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("no_other_notice")]

ALL_READ = "Ativos que faltam: nenhum"


def test_only_bad_tickers_are_missing_and_a_round_completes_the_day(faulty: FaultyLake, number: int) -> None:
    down, silent, garbled, flaky = [asset.ticker for asset in faulty.assets if asset.kind == "acoes"][:4]
    faulty.site.set_fault(down, Fault("status", status=500))
    faulty.site.set_fault(silent, Fault("hang", seconds=30))
    faulty.site.set_fault(garbled, Fault("other_layout"))
    faulty.site.set_fault(flaky, Fault("status", status=503, times=2))
    malformed = ["not JSON", json.dumps({"ticker": "a b", "kind": "fiis", "anomesdia_exec": number})]

    day = faulty.day()
    day.ask(number)
    for body in malformed:
        faulty.sqs.send_message(QueueUrl=faulty.lake.ticker_queues["fiis"], MessageBody=body)
    ended = faulty.end_of(faulty.start_workflow(anomesdia_exec=number))
    day.wait()

    assert (ended["status"], ended["error"]) == ("FAILED", "DayNotGood")
    failed, layout = "o site não entregou a página", "página de formato desconhecido"
    came = {down: failed, silent: failed, garbled: layout}
    missing = ", ".join(f"{ticker} ({came[ticker]})" for ticker in sorted(came))
    listed = sum(asset.kind == "acoes" for asset in faulty.assets) + len(GHOSTS["acoes"])
    assert f"De {listed} ações da listagem, 3 sem leitura: {missing}." in ended["cause"]
    told = [f"não entregou a página (2): {', '.join(sorted((down, silent)))}", f"desconhecido (1): {garbled}"]
    faulty.check_notice("failure", number, *told)
    faulty.check(day, without=(down, silent, garbled))
    # Only malformed messages go to the dead-letter queue. The functions themselves report the failed assets.
    dead = until(lambda: (found := day.failed_tickers())["fiis"] and found, "the malformed messages")
    assert (dead["acoes"], sorted(dead["fiis"])) == ([], sorted(malformed))
    assert [request.ticker for request in faulty.site.requests].count(flaky) > 2

    faulty.site.clear_faults()
    faulty.site.clear_log()
    faulty.compact(day, rounds=[0])

    faulty.check_notice("digest", number, ALL_READ)
    faulty.check(day)
    assert {request.ticker for request in faulty.site.requests if request.ticker} == {down, silent, garbled}


def test_an_evening_that_begins_with_a_refusal_recovers_by_itself(faulty: FaultyLake) -> None:
    """Start the targets of both schedules, with the schedules' inputs, within seconds instead of hours."""
    fault = Fault("status", status=403)
    faulty.site.set_fault("*", fault)
    faulty.site.set_fault("/resultado.php", fault)
    faulty.site.set_fault("/fii_resultado.php", fault)
    day = faulty.day()
    started_at = time.time()
    day.start()
    until(
        lambda: any(
            one.reason and moment_of(one.started_at).timestamp() >= int(started_at)
            for one in faulty.ledger(day.number).rounds
        ),
        "a round without a listing",
    )
    schedule = faulty.client("scheduler").get_schedule(Name=faulty.lake.dedup_schedule)
    execution = faulty.states.start_execution(
        stateMachineArn=schedule["Target"]["Arn"], input=schedule["Target"]["Input"]
    )["executionArn"]
    until(lambda: faulty.log("assess-day", started_at, "round_seconds"), "the workflow to wait for a round")
    faulty.site.clear_faults()

    ended = faulty.end_of(execution)

    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    faulty.check_notice("digest", day.number, ALL_READ)
    faulty.check(day)
    rounds = faulty.ledger(day.number).rounds
    assert len([one for one in rounds if moment_of(one.started_at).timestamp() >= int(started_at)]) == 2
