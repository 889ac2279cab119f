"""The ledger, the rounds and the archived pages make days on the emulator complete."""

from __future__ import annotations

import gzip
import json
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest
from faulty_lake import FaultyLake, recent_day, until

from pynvest_lake.archive import Archive, prefix
from pynvest_lake.ledger import moment_of
from sandbox.day import Day
from sandbox.lake import Table
from sandbox.site import GHOSTS, Fault

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("told_no_more")]

STAGE_1 = "check-and-delete-partitions"
ALL_READ = "Ativos que faltam: nenhum"


@pytest.fixture(scope="module")
def kept_day(applied_faulty_lake: FaultyLake) -> Day:
    """Return a past day whose run has finished and whose pages are kept. After each test, the day's tables
    are exact."""
    day = applied_faulty_lake.day()
    day.ask(recent_day())
    day.wait()
    applied_faulty_lake.compact(day)
    applied_faulty_lake.check(day)
    applied_faulty_lake.check_told("digest", day.number, ALL_READ)
    return day


@pytest.fixture
def day(kept_day: Day, faulty: FaultyLake) -> Day:
    """Return the past day; the site now answers with status 500."""
    for path in ("*", "/resultado.php", "/fii_resultado.php"):
        faulty.site.set_fault(path, Fault("status", status=500))
    return kept_day


def moments(faulty: FaultyLake, day: Day) -> dict[str, object]:
    """Return the time at which each asset was read, as the Spec table stores it."""
    rows = day.partitions.read(faulty.table("spec"), day.number).to_pylist()
    return {row["codigo_ticker_ativo"]: row["datetime_exec"] for row in rows}


def rows(day: Day, table: Table) -> list[dict[str, object]]:
    """Return the rows of a table without `datetime_leitura`, which differs between runs."""
    read = day.partitions.read(table, day.number).to_pylist()
    return [{column: value for column, value in row.items() if column != "datetime_leitura"} for row in read]


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


def test_a_kept_day_is_run_again_from_its_pages_alone_and_a_second_time_changes_nothing(
    faulty: FaultyLake, day: Day
) -> None:
    before = moments(faulty, day)
    tables = [table for table in faulty.lake.tables if table.layer != "sor"]
    left = []
    for _ in range(2):
        assert faulty.run_from_pages(day.number)["status"] == "SUCCEEDED"
        faulty.check(day)
        assert faulty.told() == []  # for a past day that is read again, only a failure sends a notice
        left.append([rows(day, table) for table in tables])

    assert moments(faulty, day) == before  # the fetch times of the pages
    assert left[0] == left[1]
    assert faulty.site.requests == []


def test_an_asset_whose_page_is_damaged_stays_as_it_was_in_a_run_from_pages(
    faulty: FaultyLake, day: Day
) -> None:
    archive = Archive(faulty.s3, faulty.lake.work_bucket)
    lost = faulty.assets[0].ticker
    for key in archive.keys(day.number):
        pages = archive.read(key).pages
        lines = [page.to_line()[:40] if page.ticker == lost else page.to_line() for page in pages]
        body = gzip.compress("".join(f"{line}\n" for line in lines).encode())
        faulty.s3.delete_object(Bucket=faulty.lake.work_bucket, Key=key)
        faulty.s3.put_object(Bucket=faulty.lake.work_bucket, Key=key, Body=body, IfNoneMatch="*")
    started_at = time.time()

    ended = faulty.run_from_pages(day.number)

    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    (said,) = faulty.log("get-tickers", started_at, '"tickers queued"')
    assert len(json.loads(said)["problems"]) == 1
    faulty.check(day)


def test_a_past_day_is_not_cleared_from_the_site(faulty: FaultyLake, day: Day) -> None:
    refused = faulty.invoke(STAGE_1, {"anomesdia_exec": day.number})

    assert refused["errorType"] == "DayRefused"
    faulty.check(day)


def test_an_asset_whose_function_is_killed_at_every_receive_is_asked_for_again_by_the_round(
    faulty: FaultyLake, number: int
) -> None:
    deadly = next(asset.ticker for asset in faulty.assets if asset.kind == "acoes")
    faulty.site.set_fault(deadly, Fault("hang", seconds=30))
    day = faulty.day()
    day.ask(number)
    for receive in range(1, 3):
        asked = until(
            lambda receive=receive: sum(one.ticker == deadly for one in faulty.site.requests) >= receive,
            f"receive {receive}",
        )
        assert asked
        assert faulty.kill("get-financial-data-for-acoes")
        faulty.site.clear_log()
        if receive == 1:
            until(lambda: any(one.ticker == deadly for one in faulty.site.requests), "the next receive")
    until(  # the other messages of its batch go there, too
        lambda: deadly in [json.loads(body)["ticker"] for body in day.failed_tickers()["acoes"]],
        "the message in the dead-letter queue",
    )
    assert deadly not in faulty.outcomes(number)
    faulty.site.clear_faults()

    faulty.compact(day, rounds=[0])

    faulty.check_told("digest", number, ALL_READ, "Mensagens mortas nas filas: ")
    faulty.check(day)


def test_a_round_while_the_first_run_still_works_queues_nothing(faulty: FaultyLake, number: int) -> None:
    late = faulty.assets[0].ticker  # late by seconds, or until its message returns
    faulty.site.set_fault(late, Fault("status", status=503, times=1, retry_after=6))
    day = faulty.day()
    day.ask(number)
    until(lambda: late in {request.ticker for request in faulty.site.requests}, f"{late} to be requested")

    answer = faulty.invoke("get-tickers", {"anomesdia_exec": number, "only_missing": True})
    faulty.compact(day)

    assert answer["still_asked"] > 0
    assert len(faulty.ledger(number).rounds) == 1
    faulty.check_told("digest", number, ALL_READ)
    faulty.check(day)


def test_half_a_listing_is_mended_by_the_next_round(faulty: FaultyLake, number: int) -> None:
    before = faulty.day()
    before.ask(number)
    before.wait()
    faulty.site.set_fault("/resultado.php", Fault("half", times=1))
    day = faulty.day()
    started_at = time.time()
    day.ask(number + 1)
    day.wait()
    assert len(faulty.keys(faulty.table("sor", "acoes"), day.number)) > 0

    faulty.compact(day, rounds=[0])

    stocks = sum(asset.kind == "acoes" for asset in faulty.assets)
    said = f"na listagem: {(stocks + 1) // 2}, e {stocks + len(GHOSTS['acoes'])} na anterior"
    assert faulty.log("assess-day", started_at, f'"{said}"')
    faulty.check_told("digest", day.number, ALL_READ)
    faulty.check(day)


def test_a_day_whose_pages_cannot_be_kept_is_exact_all_the_same(faulty: FaultyLake, number: int) -> None:
    day = faulty.day()
    with ExitStack() as denials:
        for name in ("get-tickers", "get-financial-data-for-acoes", "get-financial-data-for-fiis"):
            pages = f"arn:aws:s3:::{faulty.lake.work_bucket}/pages/*"
            denials.enter_context(faulty.denying(name, "s3:PutObject", pages))
        day.ask(number)
        day.wait()
    faulty.compact(day)

    assert Archive(faulty.s3, faulty.lake.work_bucket).keys(number) == []
    assert {entry.archived for entry, _ in faulty.ledger(number).batches} == {False}
    faulty.check_told("digest", number, "de ativos e 2 de listagens.")
    faulty.check(day)


def test_a_workflow_that_is_started_twice_at_once_leaves_an_exact_day(
    faulty: FaultyLake, number: int
) -> None:
    day = faulty.day()
    day.ask(number)

    executions = [faulty.start_workflow(anomesdia_exec=number) for _ in range(2)]

    assert {faulty.end_of(execution)["status"] for execution in executions} == {"SUCCEEDED"}
    assert [ALL_READ in text for _, text in faulty.told()] == [True, True]
    faulty.check(day)


def test_a_page_whose_label_was_renamed_is_kept_with_its_label(faulty: FaultyLake, recent: int) -> None:
    one = next(asset.ticker for asset in faulty.assets if asset.kind == "acoes")
    faulty.site.set_fault(one, Fault("renamed_label", label="P/L"))
    day = faulty.day()
    day.ask(recent, tickers=[one])
    day.wait()

    ((entry, _),) = faulty.ledger(recent).batches
    assert entry.assets[one].lacking_labels == ("P/L",)
    archive = Archive(faulty.s3, faulty.lake.work_bucket)
    pages = [page for key in archive.keys(recent) for page in archive.read(key).pages]
    (kept,) = [page for page in pages if page.ticker == one]
    assert b"P/L (novo)" in kept.body
    assert replace(kept, body=b"").url.endswith(f"papel={one}")
    assert all(key.startswith(prefix(recent)) for key in archive.keys(recent))
