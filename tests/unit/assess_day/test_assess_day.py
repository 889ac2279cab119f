from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from assess_day import handler as stage
from assess_day.errors import DayNotWhole
from lake_rows import put_part
from moto_lake import DAY, LAYERS, WORK_BUCKET, Lake
from pynvest_lake.contract import SOR_ACOES, SOT_ACOES, SPEC_ATIVOS
from pynvest_lake.kinds import Kind
from pynvest_lake.ledger import BatchEntry, Ledger, Listing, PaperEntry
from pynvest_lake.outcomes import Outcome

NOW = datetime.now(timezone.utc)


@pytest.fixture
def assess(lake: Lake, context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(step: str = "look", **event: Any) -> dict[str, Any]:
        monkeypatch.setenv("LAKE_TABLES", lake.setting(*LAYERS))
        monkeypatch.setenv("WORK_BUCKET", WORK_BUCKET)
        monkeypatch.setenv("TICKERS_QUEUE_URLS", json.dumps(lake.queue_urls))
        monkeypatch.setenv("QUEUE_PATIENCE_SECONDS", "2160")
        monkeypatch.setenv("LOOK_INTERVAL_SECONDS", "30")
        monkeypatch.setenv("SCHEDULE_TIMEZONE", "America/Sao_Paulo")
        monkeypatch.setenv("FETCH_FROM", "site")
        event = {"input": {"anomesdia_exec": DAY}, "started_at": "2026-11-23T22:00:00.123Z", **event}
        result: dict[str, Any] = stage.handler({"step": step, **event}, context)
        return result

    return run


def queue(lake: Lake, *tickers: str, day: int = DAY, at: datetime = NOW) -> None:
    ledger = Ledger(lake.s3, WORK_BUCKET)
    ledger.write_listing(day, Listing({Kind.ACOES: dict.fromkeys(tickers)}))
    ledger.start_round(day, {Kind.ACOES: tickers}, at, number=0)


def land(lake: Lake, *tickers: str, through: tuple[str, ...] = (SOT_ACOES, SPEC_ATIVOS)) -> None:
    item = put_part(lake, SOR_ACOES, tickers)
    for table in through:
        put_part(lake, table, tickers)
    read = {ticker: PaperEntry(Outcome.READ, object=item.id) for ticker in tickers}
    Ledger(lake.s3, WORK_BUCKET).write_batch(DAY, BatchEntry(Kind.ACOES, read))


def test_a_whole_day_is_assessed_as_such(lake: Lake, assess: Any) -> None:
    queue(lake, "PETR4", "VALE3")
    land(lake, "PETR4")
    land(lake, "VALE3")

    seen = assess()

    assert (seen["anomesdia_exec"], seen["settled"], seen["whole"]) == (DAY, True, True)
    assert "round_seconds" not in seen
    assert assess("assess") == {"anomesdia_exec": DAY, "whole": True}


def test_a_paper_without_an_answer_is_looked_for_again(lake: Lake, assess: Any) -> None:
    queue(lake, "PETR4", "VALE3")
    land(lake, "PETR4")

    first = assess()
    later = assess(progress={"looks": 40, "rounds_done": 0})

    assert (first["settled"], first["look_again_seconds"]) == (False, 30)
    assert first["progress"] == {"looks": 1, "rounds_done": 0}
    assert later["look_again_seconds"] == 300


def test_an_object_that_is_not_through_is_looked_for_again(lake: Lake, assess: Any) -> None:
    queue(lake, "PETR4")
    land(lake, "PETR4", through=(SOT_ACOES,))

    seen = assess()

    assert seen["settled"] is False
    assert f"1 objects of {SOT_ACOES} are not in {SPEC_ATIVOS}" in seen["waiting_for"][0]


def test_rounds_are_taken_one_after_the_other_while_there_is_a_reason(lake: Lake, assess: Any) -> None:
    queue(lake, "PETR4", at=NOW - timedelta(days=1))
    given = {"anomesdia_exec": DAY, "rounds": [60, 0.5]}

    first = assess(input=given)
    second = assess(input=given, progress=first["progress"])
    third = assess(input=given, progress=second["progress"])

    assert [seen.get("round_seconds") for seen in (first, second, third)] == [3600, 30, None]
    assert third["progress"] == {"looks": 0, "rounds_done": 2}


def test_what_a_day_lacks_in_the_end_fails_the_workflow_and_is_named(lake: Lake, assess: Any) -> None:
    queue(lake, "PETR4", "VALE3", at=NOW - timedelta(days=1))
    land(lake, "PETR4")

    with pytest.raises(DayNotWhole, match=f"{DAY} is not whole. 1 of 2 listed papers are missing: VALE3"):
        assess("assess")


def test_a_fold_that_failed_fails_the_workflow(lake: Lake, assess: Any) -> None:
    queue(lake, "PETR4")
    land(lake, "PETR4")

    with pytest.raises(DayNotWhole, match="a fold failed: PartitionBusy: something else writes"):
        assess(
            "assess",
            folds=[{"error": "PartitionBusy", "cause": "something else writes"}, {"result": {}}],
            spec_folds=[{"result": {}}],
        )


def test_the_day_is_that_of_the_workflows_start_in_its_zone(lake: Lake, assess: Any) -> None:
    seen = assess(input={}, started_at="2026-11-24T02:59:59.999Z")

    assert seen["anomesdia_exec"] == 20261123
    assert seen["reasons"] == ("there is no listing of 20261123",)


def test_half_a_listing_is_held_against_the_newest_earlier_one(lake: Lake, assess: Any) -> None:
    queue(lake, *(f"AAA{number}" for number in range(10, 20)), day=20261120)
    queue(lake, "PETR4")
    land(lake, "PETR4")

    seen = assess()

    assert seen["reasons"] == ("the listing of acoes has 1 papers, the one before it 10",)
    assert seen["whole"] is True


@pytest.mark.parametrize("rounds", ["60", [-1], [1441], ["60"], [True], {"a": 1}])
def test_rounds_that_are_none_are_refused(lake: Lake, assess: Any, rounds: object) -> None:
    with pytest.raises(ValueError, match="expected a list of minutes from 0 to 1440"):
        assess(input={"rounds": rounds})


def test_an_input_with_anything_else_is_refused(lake: Lake, assess: Any) -> None:
    with pytest.raises(ValueError, match="event has anomesdia, expected no fields but anomesdia_exec"):
        assess(input={"anomesdia": DAY})
