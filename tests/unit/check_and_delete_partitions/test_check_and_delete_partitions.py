from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import awswrangler
import boto3
import pytest
import time_machine

from b3.days import DayRefused
from b3.kind import Kind
from check_and_delete_partitions import handler as stage
from check_and_delete_partitions import partitions
from check_and_delete_partitions.partitions import NotDeleted, remove_day
from dedup_financial_data.compaction import compact
from lake_rows import put_part, raw_s3_event
from moto_lake import DAY, LAYERS, WORK_BUCKET, Lake, later, set_environment
from pynvest_lake import aws
from pynvest_lake.archive import ArchivedPage
from pynvest_lake.catalog import register_partition
from pynvest_lake.contract import SOR_ACOES, SOT_ACOES, SPEC_ATIVOS
from pynvest_lake.ledger import AssetEntry, BatchEntry, DayLedger, Listing, Outcome, listing_key
from pynvest_lake.storage import LakeTable, arrived_ids, list_day

PAST, TOMORROW = 20261120, 20261124


class Stage1:
    """Stage 1, with a record of the calls to stage 2 and to the workflow.

    ``invoked`` contains the payloads of asynchronous calls to stage 2. ``started`` contains the requests to
    start the workflow. ``probe`` is stage 2's answer to a probe of the site.
    """

    def __init__(self, lake: Lake, context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
        self._lake, self._context, self._monkeypatch = lake, context, monkeypatch
        self.invoked: list[dict[str, Any]] = []
        self.started: list[dict[str, Any]] = []
        self.probe: Mapping[str, Any] = {"probe": True, "answer": "read"}
        self.error: Mapping[str, Any] = {}
        aws.client("lambda").meta.events.register("before-call.lambda.Invoke", self._invoke)
        workflow = aws.client("stepfunctions").meta.events
        workflow.register("before-call.stepfunctions.StartExecution", self._start)

    def run(self, event: dict[str, Any], fetch_from: str = "site") -> dict[str, Any]:
        set_environment(self._monkeypatch, self._lake, FETCH_FROM=fetch_from)
        return stage.handler(event, self._context)

    def _invoke(self, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        assert params["url_path"] == "/2015-03-31/functions/get-tickers/invocations"
        body = json.loads(params["body"])
        if body == {"probe": True}:
            payload = io.BytesIO(json.dumps(self.probe).encode())
            return SimpleNamespace(status_code=200), {"StatusCode": 200, "Payload": payload, **self.error}
        assert params["headers"]["X-Amz-Invocation-Type"] == "Event"
        self.invoked.append(body)
        return SimpleNamespace(status_code=202), {"StatusCode": 202}

    def _start(self, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        self.started.append(json.loads(params["body"]))
        name = self.started[-1].get("name")
        if name and [one.get("name") for one in self.started].count(name) > 1:
            error = {"Code": "ExecutionAlreadyExists", "Message": "Execution Already Exists"}
            return SimpleNamespace(status_code=400), {"Error": error}
        return SimpleNamespace(status_code=200), {"executionArn": "arn", "startDate": 0}


@pytest.fixture
def stage1(lake: Lake, context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Stage1:
    return Stage1(lake, context, monkeypatch)


@pytest.fixture(autouse=True)
def late_on_the_day(lake: Lake) -> Iterator[None]:
    """Set the clock to 23:58 in São Paulo; in UTC the next day has begun."""
    with time_machine.travel(datetime(2026, 11, 24, 2, 58, tzinfo=timezone.utc), tick=True):
        yield


def test_an_object_that_an_earlier_run_writes_meanwhile_stays_in_all_later_layers(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = [SOR_ACOES, SOT_ACOES, SPEC_ATIVOS]
    remove_partition = partitions._remove_partition

    def remove_and_land(glue: Any, table: LakeTable, day: int) -> bool:
        removed = remove_partition(glue, table, day)
        for name in path[path.index(table.table) :]:
            put_part(lake, name, table.table)
        return removed

    monkeypatch.setattr(partitions, "_remove_partition", remove_and_land)

    remove_day(lake.s3, lake.glue, [lake.tables[name] for name in reversed(path)], DAY)

    ids = [arrived_ids(lake.s3, list_day(lake.s3, lake.tables[name], DAY)) for name in path]
    assert len(ids[0]) == 1
    assert ids[0] <= ids[1] <= ids[2]


def test_a_partition_that_is_not_deleted_is_an_error(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    register_partition(lake.glue, lake.tables[SOT_ACOES], DAY)
    monkeypatch.setattr(awswrangler.catalog, "delete_partitions", lambda **_: None)

    with pytest.raises(NotDeleted, match=f"partition {DAY} of db_sot.{SOT_ACOES}"):
        remove_day(lake.s3, lake.glue, [lake.tables[SOT_ACOES]], DAY)


def test_awswrangler_is_not_loaded_for_an_empty_day(
    lake: Lake, stage1: Stage1, monkeypatch: pytest.MonkeyPatch
) -> None:
    partitions._awswrangler.cache_clear()
    monkeypatch.delitem(sys.modules, "awswrangler")

    stage1.run({"anomesdia_exec": DAY})

    assert "awswrangler" not in sys.modules
    assert len(stage1.invoked) == 1


@pytest.fixture
def s3_keeps(lake: Lake) -> Iterator[Callable[[str, int], None]]:
    """Let DeleteObjects keep some keys, and answer 200 with an `InternalError` per key, as AWS documents."""
    left: dict[str, int] = {}

    def answer(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        keys = re.findall(r"<Key>(.*?)</Key>", params["body"].decode())
        kept = [key for key in keys if left.get(key, 0) > 0]
        for key in kept:
            left[key] -= 1
        for key in set(keys) - set(kept):
            lake.s3.delete_object(Bucket=lake.tables[key.partition("/")[0]].bucket, Key=key)
        errors = [{"Key": key, "Code": "InternalError", "Message": "Please try again."} for key in kept]
        return SimpleNamespace(status_code=200), {"Errors": errors}

    partitions._awswrangler()  # creates the default session
    assert boto3.DEFAULT_SESSION is not None
    boto3.DEFAULT_SESSION.events.register("before-call.s3.DeleteObjects", answer)
    yield left.__setitem__
    boto3.DEFAULT_SESSION.events.unregister("before-call.s3.DeleteObjects", answer)


def test_objects_that_s3_keeps_at_first_are_deleted_later(lake: Lake, s3_keeps: Any) -> None:
    kept = put_part(lake, SOT_ACOES, 1)
    put_part(lake, SOT_ACOES, 2)
    s3_keeps(kept.key, partitions.ATTEMPTS - 1)

    removed = remove_day(lake.s3, lake.glue, [lake.tables[SOT_ACOES]], DAY)

    assert (removed["objects_deleted"], lake.keys(SOT_ACOES)) == (2, [])


def test_an_object_that_is_not_deleted_is_an_error_and_nothing_is_started(
    lake: Lake, stage1: Stage1, s3_keeps: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = put_part(lake, SOT_ACOES, 1)
    put_part(lake, SOT_ACOES, 2)
    s3_keeps(kept.key, 1000)

    with pytest.raises(NotDeleted, match=f"1 of 2 objects of .* are still there .* such as {kept.key}"):
        stage1.run({"anomesdia_exec": DAY})

    assert stage1.invoked == []


def test_there_is_no_wait_if_a_day_is_deleted_at_once(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "FIRST_WAIT_SECONDS", 1000)
    put_part(lake, SOT_ACOES, 1)
    register_partition(lake.glue, lake.tables[SOT_ACOES], DAY)

    removed = remove_day(lake.s3, lake.glue, [lake.tables[SOT_ACOES]], DAY)

    assert (removed["objects_deleted"], removed["partitions_deleted"]) == (1, 1)


def test_an_object_that_an_earlier_run_writes_meanwhile_is_no_error(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = put_part(lake, SOT_ACOES, 1)
    delete = awswrangler.s3.delete_objects

    def delete_and_land(paths: list[str]) -> None:
        delete(paths)
        put_part(lake, SOT_ACOES, 1, {"nome_papel": "AAAA3"})

    monkeypatch.setattr(awswrangler.s3, "delete_objects", delete_and_land)

    removed = remove_day(lake.s3, lake.glue, [lake.tables[SOT_ACOES]], DAY)

    assert (removed["objects_deleted"], lake.keys(SOT_ACOES)) == (1, [old.key])


def test_an_object_that_a_compaction_writes_meanwhile_is_removed(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_part(lake, SPEC_ATIVOS, 1, {"codigo_ticker_ativo": "ITUB4"})
    put_part(lake, SPEC_ATIVOS, 2, {"codigo_ticker_ativo": "VALE3"})
    table, delete = lake.tables[SPEC_ATIVOS], awswrangler.s3.delete_objects

    def compact_and_delete(paths: list[str]) -> None:
        if any(".part." in path for path in paths):
            compact(lake.s3, table, DAY, "codigo_ticker_ativo", None)
        delete(paths)

    monkeypatch.setattr(awswrangler.s3, "delete_objects", compact_and_delete)

    remove_day(lake.s3, lake.glue, [table], DAY)

    assert lake.keys(SPEC_ATIVOS) == []


def test_a_partition_that_an_earlier_run_registers_again_is_no_error(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = lake.tables[SOT_ACOES]
    register_partition(lake.glue, table, DAY)
    delete = awswrangler.catalog.delete_partitions

    def delete_and_register(**arguments: Any) -> None:
        delete(**arguments)
        with later():
            register_partition(lake.glue, table, DAY)

    monkeypatch.setattr(awswrangler.catalog, "delete_partitions", delete_and_register)

    removed = remove_day(lake.s3, lake.glue, [table], DAY)

    assert removed["partitions_deleted"] == 1
    assert lake.partitions(SOT_ACOES) == [str(DAY)]


def test_a_persons_empty_event_means_today_in_sao_paulo(stage1: Stage1) -> None:
    assert stage1.run({})["anomesdia_exec"] == 20261123


def page(ticker: str | None, kind: str = "acoes") -> ArchivedPage:
    return ArchivedPage(ticker, kind, "https://site", "2026-11-20T21:45:07Z", 200, None, b"<html></html>")


LISTINGS = [page(None, "acoes"), page(None, "fiis")]


@pytest.mark.parametrize(
    ("event", "fetch_from", "said"),
    [
        ({"anomesdia": DAY}, "site", "expected only anomesdia_exec"),
        ({"anomesdia_exec": DAY, "remove": True}, "site", "is not after today"),
        ({"anomesdia_exec": PAST}, "site", f"{PAST} is past, and the site shows"),
        ({"anomesdia_exec": PAST, "source": "pages"}, "site", f"no pages of {PAST}"),
        ({"anomesdia_exec": TOMORROW}, "site", f"{TOMORROW} is after today, {DAY}"),
        ({"anomesdia_exec": TOMORROW, "source": "pages"}, "site", "is after today"),
        ({"anomesdia_exec": TOMORROW, "tickers": ["PETR4"]}, "site", "is after today"),
        ({}, "pages", "this lake does not ask the site"),
    ],
)
def test_a_refused_event_clears_and_starts_nothing(
    lake: Lake, stage1: Stage1, event: dict[str, Any], fetch_from: str, said: str
) -> None:
    kept = [put_part(lake, SOT_ACOES, 1, day=day) for day in (PAST, DAY, TOMORROW)]

    with pytest.raises(ValueError, match=said):
        stage1.run(event, fetch_from)

    assert [lake.keys(SOT_ACOES, item.day) for item in kept] == [[item.key] for item in kept]
    assert (stage1.invoked, stage1.started) == ([], [])


def test_only_the_given_future_day_is_removed_from_tables_and_ledger(lake: Lake, stage1: Stage1) -> None:
    for table in LAYERS:
        for day in (20300101, 20300102):
            put_part(lake, table, 1, day=day)
            register_partition(lake.glue, lake.tables[table], day)
    lake.ledger.write_listing(20300101, Listing({Kind.ACOES: {"PETR4": None}}))

    result = stage1.run({"anomesdia_exec": 20300101, "remove": True})

    assert (result["objects_deleted"], result["partitions_deleted"]) == (6, 6)
    assert result["tables"] == dict.fromkeys(LAYERS, 1)
    for table in LAYERS:
        assert (lake.keys(table, 20300101), len(lake.keys(table, 20300102))) == ([], 1)
        assert lake.partitions(table) == ["20300102"]
    assert lake.ledger.read(20300101) == DayLedger(20300101, None, (), ())
    assert stage1.invoked == []


@pytest.mark.parametrize(
    ("said", "more", "why"),
    [
        ({"probe": True, "answer": "refused", "why": "status 403"}, {}, "status 403"),
        ({"errorMessage": "timed out"}, {"FunctionError": "Unhandled"}, "timed out"),
    ],
)
def test_a_manual_run_keeps_a_good_day_if_the_site_does_not_answer(
    lake: Lake, stage1: Stage1, said: dict[str, Any], more: dict[str, Any], why: str
) -> None:
    kept = put_part(lake, SOT_ACOES, "today", {"nome_papel": "AAAA3"})
    stage1.probe, stage1.error = said, more

    assert stage1.run({})["refused"] == why
    assert lake.keys(SOT_ACOES) == [kept.key]
    assert stage1.invoked == []


def test_a_half_cleared_day_is_cleared_even_if_the_site_refuses(lake: Lake, stage1: Stage1) -> None:
    put_part(lake, SOR_ACOES, "left", {"nome_papel": "AAAA3"})
    round_at(lake, 21)
    aws.client("s3").delete_object(Bucket=WORK_BUCKET, Key=listing_key(DAY))  # stage 1 deletes this key first
    stage1.probe = {"probe": True, "answer": "refused", "why": "status 403"}

    assert stage1.run({})["objects_deleted"] == 1
    assert stage1.invoked == [{"anomesdia_exec": DAY}]


def test_a_partial_run_clears_nothing(lake: Lake, stage1: Stage1) -> None:
    kept = put_part(lake, SOT_ACOES, "today", {"nome_papel": "AAAA3"})

    stage1.run({"anomesdia_exec": DAY, "tickers": ["PETR4", "HGLG11"]})

    assert stage1.invoked == [{"anomesdia_exec": DAY, "tickers": ["PETR4", "HGLG11"]}]
    assert lake.keys(SOT_ACOES) == [kept.key]


SCHEDULED = {"scheduled_at": "2026-11-23T21:45:00Z"}


def round_at(lake: Lake, hour: int, *tickers: str, is_partial: bool = False) -> None:
    """Start a round of `tickers`, and write a listing. A partial listing has only `tickers`."""
    began = datetime(2026, 11, 23, hour, 45, tzinfo=timezone.utc)
    lake.ledger.start_round(DAY, {Kind.ACOES: tickers}, began, number=0)
    listed = tickers if is_partial else ("PETR4", "VALE3")
    lake.ledger.write_listing(DAY, Listing({Kind.ACOES: dict.fromkeys(listed)}, is_partial=is_partial))


@pytest.mark.parametrize(
    ("hour", "tickers", "is_partial"),
    [
        (20, ["PETR4", "VALE3"], False),
        (22, ["PETR4"], True),
        (22, ["PETR4"], False),
    ],
    ids=["before", "partial", "partial after a whole run"],
)
def test_the_schedule_clears_its_own_day_without_a_probe(
    lake: Lake, stage1: Stage1, hour: int, tickers: list[str], is_partial: bool
) -> None:
    put_part(lake, SOT_ACOES, "before the close", {"nome_papel": "AAAA3"})
    round_at(lake, hour, *tickers, is_partial=is_partial)
    stage1.probe = {"probe": True, "answer": "refused", "why": "status 403"}

    assert stage1.run(SCHEDULED)["objects_deleted"] == 1
    assert lake.keys(SOT_ACOES) == []


def test_the_schedule_does_nothing_if_the_day_was_started_after_its_time(lake: Lake, stage1: Stage1) -> None:
    kept = put_part(lake, SOT_ACOES, "evening", {"nome_papel": "AAAA3"})
    round_at(lake, 21, "PETR4", "VALE3")

    assert "ignored" in stage1.run(SCHEDULED)
    assert lake.keys(SOT_ACOES) == [kept.key]
    assert stage1.invoked == []


def test_the_scheduled_time_decides_the_day_and_not_the_clock(stage1: Stage1) -> None:
    after_midnight = datetime(2026, 11, 24, 3, 30, tzinfo=timezone.utc)
    with time_machine.travel(after_midnight, tick=True), pytest.raises(DayRefused, match="20261123 is past"):
        stage1.run(SCHEDULED)


def test_clearing_a_day_removes_its_ledger_except_the_rounds_and_no_other_day(
    lake: Lake, stage1: Stage1
) -> None:
    for day in (DAY, PAST):
        lake.ledger.write_listing(day, Listing({Kind.ACOES: {"PETR4": None}}))
        lake.ledger.start_round(day, {}, datetime(2026, 11, 23, tzinfo=timezone.utc), number=0)
        lake.ledger.write_batch(day, BatchEntry(Kind.ACOES, {"PETR4": AssetEntry(Outcome.REFUSED)}))

    stage1.run({"anomesdia_exec": DAY})

    left = lake.ledger.read(DAY)
    assert (left.listing, len(left.rounds), left.batches) == (None, 1, ())
    assert lake.ledger.read(PAST).listing is not None


def test_the_listing_is_removed_before_the_tables_and_the_rest_of_the_ledger_after_them(
    lake: Lake, stage1: Stage1, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.ledger.write_listing(DAY, Listing({}))
    lake.ledger.start_round(DAY, {}, datetime(2026, 11, 23, tzinfo=timezone.utc), number=0)
    seen: list[DayLedger] = []

    def remove_nothing(*_: Any, **__: Any) -> dict[str, Any]:
        seen.append(lake.ledger.read(DAY))
        return {}

    monkeypatch.setattr(stage, "remove_day", remove_nothing)

    stage1.run({"anomesdia_exec": DAY})

    assert [(at_that_time.listing, len(at_that_time.rounds)) for at_that_time in seen] == [(None, 1)]


def test_a_run_from_pages_starts_the_workflow_and_clears_nothing(lake: Lake, stage1: Stage1) -> None:
    kept = put_part(lake, SOR_ACOES, "past", {"nome_papel": "PETR4"}, day=PAST)
    lake.archive.put(PAST, [*LISTINGS, page("PETR4")])

    stage1.run({"anomesdia_exec": PAST, "source": "pages"})

    assert lake.keys(SOR_ACOES, PAST) == [kept.key]
    assert [json.loads(request["input"]) for request in stage1.started] == [
        {"anomesdia_exec": PAST, "source": "pages"}
    ]
    assert stage1.invoked == []


HASH = "0f" * 16


def manifest(lake: Lake, day: int = DAY) -> dict[str, Any]:
    with time_machine.travel(datetime.strptime(str(day), "%Y%m%d").replace(tzinfo=timezone.utc), tick=False):
        lake.archive.put(day, LISTINGS)
    return raw_s3_event((WORK_BUCKET, f"pages/anomesdia_exec={day}/{HASH}.manifest.json"))


def test_a_manifest_starts_the_workflow_once(lake: Lake, stage1: Stage1) -> None:
    stage1.run(manifest(lake), fetch_from="pages")
    again = stage1.run(manifest(lake), fetch_from="pages")

    assert [request["name"] for request in stage1.started] == [f"{DAY}-{HASH}"] * 2
    assert json.loads(stage1.started[0]["input"]) == {"anomesdia_exec": DAY, "source": "pages"}
    assert "already started the day" in again["ignored"]


def test_a_manifest_starts_nothing_if_the_functions_read_the_site(lake: Lake, stage1: Stage1) -> None:
    kept = put_part(lake, SOT_ACOES, "evening", {"nome_papel": "AAAA3"})

    assert "fetch_from" in stage1.run(manifest(lake))["ignored"]
    assert lake.keys(SOT_ACOES) == [kept.key]
    assert (stage1.invoked, stage1.started) == ([], [])


@pytest.mark.parametrize(
    ("day", "was_run", "starts"),
    [
        (20261123, True, True),  # today
        (20261120, False, True),
        (20261120, True, False),
        (20261122, False, False),  # a Sunday
        (20261113, False, False),  # more than seven days ago
    ],
)
def test_a_manifest_starts_the_workflow_for_today_or_a_recent_trading_day_without_a_run(
    lake: Lake, stage1: Stage1, day: int, was_run: bool, starts: bool
) -> None:
    if was_run:
        lake.ledger.start_round(day, {}, datetime.now(timezone.utc), number=0)

    stage1.run(manifest(lake, day), fetch_from="pages")

    assert bool(stage1.started) is starts
