"""On the emulator, a day with faults ends with exact tables, and each fault leads to one notice.

Faults that need only one function are tested on moto, in the tests of each stage.
"""

from __future__ import annotations

import json
import time
from datetime import date, datetime, timedelta, timezone

import pytest
from faulty_lake import FaultyLake, until

from b3.days import date_of, day_at, number_of
from lake_rows import raw_s3_event
from pynvest_lake.ledger import moment_of
from sandbox import checks
from sandbox.site import GHOSTS, Fault, SampleAsset

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("told_no_more")]

ALL_READ = "Ativos que faltam: nenhum"


def test_bad_tickers_alone_are_missing_and_named_and_a_round_completes_the_day(
    faulty: FaultyLake, number: int
) -> None:
    down, silent, garbled, flaky = [asset.ticker for asset in faulty.assets if asset.kind == "acoes"][:4]
    faulty.site.set_fault(down, Fault("status", status=500))
    faulty.site.set_fault(silent, Fault("hang", seconds=30))
    faulty.site.set_fault(garbled, Fault("other_layout"))
    faulty.site.set_fault(flaky, Fault("status", status=503, times=2))
    malformed = ["not JSON", json.dumps({"ticker": "a b", "kind": "fiis", "anomesdia_exec": number})]
    started_at = time.time()

    day = faulty.day()
    day.ask(number)
    for body in malformed:
        faulty.sqs.send_message(QueueUrl=faulty.lake.ticker_queues["fiis"], MessageBody=body)
    ended = faulty.end_of(faulty.start_workflow(anomesdia_exec=number))
    day.wait()

    assert (ended["status"], ended["error"]) == ("FAILED", "DayNotGood")
    came = {down: "failed", silent: "failed", garbled: "layout"}
    missing = ", ".join(f"{ticker} ({came[ticker]})" for ticker in sorted(came))
    listed = sum(asset.kind == "acoes" for asset in faulty.assets) + len(GHOSTS["acoes"])
    assert f"De {listed} ações da listagem, 3 sem leitura: {missing}." in ended["cause"]
    told = [f"não entregou a página (2): {', '.join(sorted((down, silent)))}", f"desconhecido (1): {garbled}"]
    faulty.check_told("failure", number, *told)
    faulty.check(day, without=(down, silent, garbled))
    said = faulty.outcomes(number)
    assert [said[ticker] for ticker in (down, silent, garbled)] == ["failed", "failed", "layout"]
    # A message goes to a dead-letter queue only if no function could report that the message failed.
    dead = until(lambda: (found := day.failed_tickers())["fiis"] and found, "the malformed messages")
    assert (dead["acoes"], sorted(dead["fiis"])) == ([], sorted(malformed))
    reasons = " ".join(faulty.log("get-financial-data-for-fiis", started_at, "malformed"))
    assert "JSONDecodeError" in reasons
    assert "ticker is 'a b'" in reasons
    # A listed asset without a page is no failure.
    assert day.tickers_without_page() == sorted(ticker for kind in GHOSTS for ticker in GHOSTS[kind])
    assert [request.ticker for request in faulty.site.requests].count(flaky) > 2

    faulty.site.clear_faults()
    faulty.site.clear_log()
    faulty.compact(day, rounds=[0])

    faulty.check_told("digest", number, ALL_READ)
    faulty.check(day)
    assert {request.ticker for request in faulty.site.requests if request.ticker} == {down, silent, garbled}


def test_an_evening_that_begins_with_a_refusal_ends_exact_without_a_hand(faulty: FaultyLake) -> None:
    """Start the schedules' targets with the schedules' inputs, but wait seconds instead of hours."""
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
    faulty.check_told("digest", day.number, ALL_READ)
    faulty.check(day)
    rounds = faulty.ledger(day.number).rounds
    assert len([one for one in rounds if moment_of(one.started_at).timestamp() >= int(started_at)]) == 2


def test_a_run_that_crosses_midnight_is_one_day_and_an_event_that_comes_again_long_after_changes_nothing(
    faulty: FaultyLake, recent: int
) -> None:
    """Messages and keys contain the day of the run, although the stages' clocks show another day."""
    today = day_at(datetime.now(timezone.utc))
    todays = {key: faulty.keys(key, today) for key in faulty.tables}
    day = faulty.day()
    day.ask(recent)
    day.wait()
    faulty.compact(day)

    faulty.check_told("digest", recent, ALL_READ)
    faulty.check(day)
    assert todays == {key: faulty.keys(key, today) for key in faulty.tables}

    for kind in ("acoes", "fiis"):
        bucket = faulty.tables[f"sor_{kind}"].bucket
        events = [raw_s3_event((bucket, key)) for key in faulty.keys(f"sor_{kind}", recent)]
        before = faulty.keys(f"sot_{kind}", recent)
        for event in [*reversed(events), *events]:
            faulty.invoke(f"prep-financial-data-for-{kind}", event)
        assert faulty.keys(f"sot_{kind}", recent) == before
    faulty.check(day)
    faulty.compact(day)

    faulty.check_told("digest", recent, ALL_READ)
    faulty.check(day)


def test_a_site_that_is_late_is_read_anew_once_its_session_has_moved(faulty: FaultyLake, number: int) -> None:
    monday = date_of(number)
    wednesday, thursday = monday + timedelta(days=2), monday + timedelta(days=3)
    faulty.site.session = wednesday
    before = faulty.day()
    before.ask(number_of(wednesday))
    before.wait()
    faulty.compact(before)
    faulty.check_told("digest", before.number, ALL_READ)

    day = faulty.day()
    day.ask(number_of(thursday))
    day.wait()  # the site still shows Wednesday's session
    faulty.site.session = thursday
    faulty.compact(day, rounds=[0])

    faulty.check_told("digest", day.number, ALL_READ)
    assets = [on(asset, thursday) for asset in faulty.assets]
    for table in faulty.lake.tables:
        of_table = [asset for asset in assets if table.kind in (asset.kind, None)]
        expected = {one.ticker: checks.expected_row(one, table.layer, day.number) for one in of_table}
        rows = checks.rows_by_ticker(day, table)
        if table.layer == "sor":  # SoR keeps every reading: the newest reading is the last
            rows = {ticker: [max(read, key=session_text)] for ticker, read in rows.items()}
        assert checks.row_differences(table, expected, rows) == []
        assert checks.partition_differences(day, table, faulty.glue, has_assets=True) == []
    assert len(faulty.ledger(number_of(thursday)).rounds) == 2


def session_text(row: checks.Row) -> str:
    """Return the session of a SoR row as a sortable value; a later session has a greater value."""
    return "".join(reversed(row["dt_ult_cot"].split("/")))


def on(asset: SampleAsset, session: date) -> SampleAsset:
    """Return an asset as the site shows it in a session; an asset that no longer trades is unchanged."""
    shown = asset.cells_by_column()["dt_ult_cot"].value
    if number_of(shown) != asset.day:  # type: ignore[arg-type]
        return asset
    return asset.with_cell("dt_ult_cot", f"{session:%d/%m/%Y}", session)
