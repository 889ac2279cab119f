from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import awswrangler
import boto3
import pytest
from check_and_delete_partitions.kept_pages import PagesLacking

from check_and_delete_partitions import handler as stage
from check_and_delete_partitions import partitions
from check_and_delete_partitions.partitions import ObjectsNotDeleted, PartitionNotDeleted, remove_day
from lake_rows import put_part, raw_s3_event
from moto_lake import DAY, LAYERS, WORK_BUCKET, Lake, later
from pynvest_lake import aws
from pynvest_lake.archive import Archive, KeptPage
from pynvest_lake.catalog import register_partition
from pynvest_lake.completeness import holding
from pynvest_lake.contract import SOR_ACOES, SOT_ACOES, SPEC_ATIVOS
from pynvest_lake.kinds import Kind
from pynvest_lake.ledger import BatchEntry, DayLedger, Ledger, Listing, PaperEntry
from pynvest_lake.outcomes import Outcome
from pynvest_lake.storage import LakeTable


@pytest.fixture
def invoked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Record the requests to invoke a function, and answer them as Lambda does."""
    requests: list[dict[str, Any]] = []

    def answer(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        requests.append({"path": params["url_path"], "headers": params["headers"], "body": params["body"]})
        return SimpleNamespace(status_code=202), {"StatusCode": 202}

    aws.client("lambda").meta.events.register("before-call.lambda.Invoke", answer)
    return requests


@pytest.fixture(autouse=True)
def late_on_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the stage's clock show 23:58 in São Paulo, where it is the next day already in UTC."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2026, 11, 24, 2, 58, tzinfo=timezone.utc)

    monkeypatch.setattr(stage, "datetime", Clock)


@pytest.fixture
def clear(
    lake: Lake, context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, invoked: list[dict[str, Any]]
) -> Any:
    def run(event: dict[str, Any]) -> dict[str, Any]:
        monkeypatch.setenv("LAKE_TABLES", lake.setting(*LAYERS))
        monkeypatch.setenv("WORK_BUCKET", WORK_BUCKET)
        monkeypatch.setenv("GET_TICKERS_FUNCTION_NAME", "get-tickers")
        monkeypatch.setenv("WORKFLOW_ARN", "arn:aws:states:sa-east-1:123456789012:stateMachine:dedup")
        monkeypatch.setenv("FETCH_FROM", "site")
        monkeypatch.setenv("SCHEDULE_TIMEZONE", "America/Sao_Paulo")
        result: dict[str, Any] = stage.handler(event, context)
        return result

    return run


def test_a_day_is_removed_from_all_six_tables_and_other_days_stay(lake: Lake) -> None:
    for table in LAYERS:
        for day in (DAY, DAY - 1):
            put_part(lake, table, 1, day=day)
            register_partition(lake.glue, lake.tables[table], day)

    removed = remove_day(lake.s3, lake.glue, lake.tables.values(), DAY)

    assert [(item.objects, item.partition) for item in removed] == [(1, True)] * 6
    for table in LAYERS:
        assert lake.keys(table) == []
        assert len(lake.keys(table, DAY - 1)) == 1
        assert lake.partitions(table) == [str(DAY - 1)]


def test_objects_without_a_partition_are_removed(lake: Lake) -> None:
    put_part(lake, SOR_ACOES, 1)

    removed = remove_day(lake.s3, lake.glue, [lake.tables[SOR_ACOES]], DAY)

    assert (removed[0].objects, removed[0].partition, lake.keys(SOR_ACOES)) == (1, False, [])


def test_a_partition_without_objects_is_removed(lake: Lake) -> None:
    register_partition(lake.glue, lake.tables[SOT_ACOES], DAY)

    removed = remove_day(lake.s3, lake.glue, [lake.tables[SOT_ACOES]], DAY)

    assert (removed[0].objects, removed[0].partition, lake.partitions(SOT_ACOES)) == (0, True, [])


def test_what_functions_of_an_earlier_run_write_meanwhile_never_lacks_its_successors(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = [SOR_ACOES, SOT_ACOES, SPEC_ATIVOS]
    remove_partition = partitions._remove_partition

    def remove_and_land(glue: Any, table: LakeTable, day: int, wait_seconds: float) -> bool:
        """Let an object land in the table that has just been emptied, and go its way from there."""
        removed = remove_partition(glue, table, day, wait_seconds)
        for name in path[path.index(table.table) :]:
            put_part(lake, name, table.table)
        return removed

    monkeypatch.setattr(partitions, "_remove_partition", remove_and_land)

    remove_day(lake.s3, lake.glue, [lake.tables[name] for name in reversed(path)], DAY)

    ids = [set(holding(lake.s3, lake.tables[name], DAY).sources) for name in path]
    assert len(ids[0]) == 1
    assert ids[0] <= ids[1] <= ids[2]


def test_a_partition_that_stays_is_an_error(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    register_partition(lake.glue, lake.tables[SOT_ACOES], DAY)
    monkeypatch.setattr(awswrangler.catalog, "delete_partitions", lambda **_: None)

    with pytest.raises(PartitionNotDeleted, match=f"partition {DAY} of db_sot.{SOT_ACOES}"):
        remove_day(lake.s3, lake.glue, [lake.tables[SOT_ACOES]], DAY, wait_seconds=0)


def test_awswrangler_is_not_loaded_for_a_day_of_which_nothing_is_there(
    lake: Lake, clear: Any, invoked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    partitions._awswrangler.cache_clear()
    monkeypatch.delitem(sys.modules, "awswrangler")

    clear({"anomesdia_exec": DAY})

    assert "awswrangler" not in sys.modules
    assert len(invoked) == 1


@pytest.fixture
def s3_keeps(lake: Lake) -> Iterator[Callable[[str, int], None]]:
    """Let S3 keep a key for a while, answering 200 with an `InternalError` for it, as it documents."""
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

    assert boto3.DEFAULT_SESSION is not None
    boto3.DEFAULT_SESSION.events.register("before-call.s3.DeleteObjects", answer)
    yield left.__setitem__
    boto3.DEFAULT_SESSION.events.unregister("before-call.s3.DeleteObjects", answer)


def test_objects_that_s3_keeps_at_first_are_deleted_again(lake: Lake, s3_keeps: Any) -> None:
    kept = put_part(lake, SOT_ACOES, 1)
    put_part(lake, SOT_ACOES, 2)
    s3_keeps(kept.key, partitions.ATTEMPTS - 1)

    removed = remove_day(lake.s3, lake.glue, [lake.tables[SOT_ACOES]], DAY, wait_seconds=0)

    assert (removed[0].objects, lake.keys(SOT_ACOES)) == (2, [])


def test_an_object_that_stays_is_an_error_and_nothing_is_started(
    lake: Lake, clear: Any, s3_keeps: Any, invoked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "time", SimpleNamespace(sleep=lambda seconds: None))
    kept = put_part(lake, SOT_ACOES, 1)
    put_part(lake, SOT_ACOES, 2)
    s3_keeps(kept.key, 1000)

    with pytest.raises(
        ObjectsNotDeleted, match=f"1 of 2 objects of .* are still there .* such as {kept.key}"
    ):
        clear({"anomesdia_exec": DAY})

    assert invoked == []


def test_an_object_that_an_earlier_runs_function_writes_meanwhile_is_no_error(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = put_part(lake, SOT_ACOES, 1)
    delete = awswrangler.s3.delete_objects

    def delete_and_land(paths: list[str]) -> None:
        delete(paths)
        put_part(lake, SOT_ACOES, 1, {"nome_papel": "AAAA3"})

    monkeypatch.setattr(awswrangler.s3, "delete_objects", delete_and_land)

    removed = remove_day(lake.s3, lake.glue, [lake.tables[SOT_ACOES]], DAY, wait_seconds=0)

    assert (removed[0].objects, lake.keys(SOT_ACOES)) == (1, [old.key])


@pytest.mark.parametrize("registered", [True, False])
def test_a_catalog_that_leaves_the_question_unprocessed_is_asked_for_that_partition_alone(
    lake: Lake, registered: bool
) -> None:
    if registered:
        register_partition(lake.glue, lake.tables[SOT_ACOES], DAY)

    def answer(**_: Any) -> tuple[Any, dict[str, Any]]:
        unprocessed = [{"Values": [str(DAY)]}]
        return SimpleNamespace(status_code=200), {"Partitions": [], "UnprocessedKeys": unprocessed}

    lake.glue.meta.events.register("before-call.glue.BatchGetPartition", answer)

    removed = remove_day(lake.s3, lake.glue, [lake.tables[SOT_ACOES]], DAY, wait_seconds=0)

    assert (removed[0].partition, lake.partitions(SOT_ACOES)) == (registered, [])


def test_a_partition_that_an_earlier_runs_function_registers_anew_is_no_error(
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

    assert removed[0].partition
    assert lake.partitions(SOT_ACOES) == [str(DAY)]


def test_a_table_that_is_missing_is_an_error(lake: Lake) -> None:
    lake.glue.delete_table(DatabaseName="db_sot", Name=SOT_ACOES)

    with pytest.raises(lake.glue.exceptions.EntityNotFoundException):
        remove_day(lake.s3, lake.glue, [lake.tables[SOT_ACOES]], DAY)


def test_stage_2_is_started_asynchronously_with_the_day(clear: Any, invoked: list[dict[str, Any]]) -> None:
    clear({"anomesdia_exec": DAY})

    assert [request["path"] for request in invoked] == ["/2015-03-31/functions/get-tickers/invocations"]
    assert invoked[0]["headers"]["X-Amz-Invocation-Type"] == "Event"
    assert json.loads(invoked[0]["body"]) == {"anomesdia_exec": DAY}


def test_tickers_of_a_trial_run_are_handed_on(clear: Any, invoked: list[dict[str, Any]]) -> None:
    clear({"anomesdia_exec": DAY, "tickers": ["PETR4", "HGLG11"]})

    assert json.loads(invoked[0]["body"])["tickers"] == ["PETR4", "HGLG11"]


def test_the_schedules_empty_event_means_today_in_sao_paulo(clear: Any) -> None:
    assert clear({})["anomesdia_exec"] == 20261123


@pytest.mark.parametrize("day", ["20261123", 2026, 20261341, None])
def test_a_day_that_is_none_is_refused(clear: Any, day: object, invoked: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="expected a day as a number YYYYMMDD"):
        clear({"anomesdia_exec": day})

    assert invoked == []


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"anomesdia": DAY}, "event has anomesdia, expected no fields but anomesdia_exec, tickers"),
        ({"tickers": []}, r"tickers is \[\], expected a list of tickers"),
        ({"tickers": "PETR4"}, "tickers is 'PETR4', expected a list of tickers"),
        ({"tickers": ["petr4"]}, "ticker is 'petr4', expected 4 to 12 capital letters and digits"),
    ],
)
def test_an_event_that_was_mistyped_clears_nothing(
    lake: Lake, clear: Any, invoked: list[dict[str, Any]], event: dict[str, Any], said: str
) -> None:
    kept = put_part(lake, SOT_ACOES, "today", {"nome_papel": "AAAA3"})

    with pytest.raises(ValueError, match=said):
        clear(event)

    assert lake.keys(SOT_ACOES) == [kept.key]
    assert invoked == []


@pytest.fixture
def started(lake: Lake) -> list[dict[str, Any]]:
    """Record what the workflow is started with, and answer as Step Functions does."""
    requests: list[dict[str, Any]] = []

    def answer(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        requests.append(json.loads(params["body"]))
        return SimpleNamespace(status_code=200), {"executionArn": "arn", "startDate": 0}

    aws.client("stepfunctions").meta.events.register("before-call.stepfunctions.StartExecution", answer)
    return requests


def page(ticker: str | None, kind: str = "acoes") -> KeptPage:
    return KeptPage(ticker, kind, "https://site", "2026-11-20T21:45:07Z", 200, None, b"<html></html>")


LISTINGS = [page(None, "acoes"), page(None, "fiis")]
PAST = 20261120


@pytest.mark.parametrize("day", [20261122, 20261101])
def test_a_past_day_is_not_cleared_from_the_site(
    lake: Lake, clear: Any, invoked: list[Any], day: int
) -> None:
    kept = put_part(lake, SOT_ACOES, "past", {"nome_papel": "AAAA3"}, day=day)

    with pytest.raises(
        stage.OrderRefused, match=f"{day} is past, and the site shows the latest session only"
    ):
        clear({"anomesdia_exec": day})

    assert lake.keys(SOT_ACOES, day) == [kept.key]
    assert invoked == []


@pytest.mark.parametrize("more", [{}, {"source": "pages"}])
def test_a_day_to_come_is_refused(clear: Any, invoked: list[Any], more: dict[str, Any]) -> None:
    with pytest.raises(stage.OrderRefused, match="20261124 is to come: today is 20261123"):
        clear({"anomesdia_exec": 20261124, **more})

    assert invoked == []


def test_the_days_ledger_goes_with_it_and_other_days_stay(lake: Lake, clear: Any) -> None:
    ledger = Ledger(lake.s3, WORK_BUCKET)
    for day in (DAY, PAST):
        ledger.write_listing(day, Listing({Kind.ACOES: {"PETR4": None}}))
        ledger.start_round(day, {}, datetime(2026, 11, 23, tzinfo=timezone.utc), number=0)
        ledger.write_batch(day, BatchEntry(Kind.ACOES, {"PETR4": PaperEntry(Outcome.REFUSED)}))

    clear({"anomesdia_exec": DAY})

    assert ledger.read(DAY) == DayLedger(DAY, None, (), ())
    assert ledger.read(PAST).listing is not None


def test_the_listing_goes_before_the_tables_and_the_rest_of_the_ledger_after_them(
    lake: Lake, clear: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(lake.s3, WORK_BUCKET)
    ledger.write_listing(DAY, Listing({}))
    ledger.start_round(DAY, {}, datetime(2026, 11, 23, tzinfo=timezone.utc), number=0)
    seen: list[DayLedger] = []

    def remove_nothing(*_: Any, **__: Any) -> list[Any]:
        seen.append(ledger.read(DAY))
        return []

    monkeypatch.setattr(stage, "remove_day", remove_nothing)

    clear({"anomesdia_exec": DAY})

    assert [(at_that_time.listing, len(at_that_time.rounds)) for at_that_time in seen] == [(None, 1)]


def test_a_day_whose_pages_are_kept_is_run_from_them(lake: Lake, clear: Any, invoked: list[Any]) -> None:
    put_part(lake, SOR_ACOES, "past", {"nome_papel": "PETR4"}, day=PAST)
    Archive(lake.s3, WORK_BUCKET).put(PAST, [*LISTINGS, page("PETR4")])

    clear({"anomesdia_exec": PAST, "source": "pages"})

    assert lake.keys(SOR_ACOES, PAST) == []
    assert json.loads(invoked[0]["body"]) == {"anomesdia_exec": PAST, "source": "pages"}


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ([], "the archive has no listing of acoes and fiis"),
        ([LISTINGS[0], page("PETR4")], "the archive has no listing of fiis"),
        ([*LISTINGS, page("PETR4")], "lacks those of 1 of 2 papers that SoR holds: VALE3"),
        ([*LISTINGS, page("PETR4"), page("VALE3", "fiis")], "lacks those of 1 of 2 papers"),
    ],
)
def test_an_archive_that_lacks_pages_leaves_the_day_as_it_was(
    lake: Lake, clear: Any, invoked: list[Any], pages: list[KeptPage], said: str
) -> None:
    kept = put_part(lake, SOR_ACOES, "past", {"nome_papel": "PETR4"}, {"nome_papel": "VALE3"}, day=PAST)
    if pages:
        Archive(lake.s3, WORK_BUCKET).put(PAST, pages)

    with pytest.raises(PagesLacking, match=said):
        clear({"anomesdia_exec": PAST, "source": "pages"})

    assert lake.keys(SOR_ACOES, PAST) == [kept.key]
    assert invoked == []


def test_a_damaged_archive_leaves_the_day_as_it_was_and_says_what_is_damaged(lake: Lake, clear: Any) -> None:
    kept = put_part(lake, SOR_ACOES, "past", {"nome_papel": "PETR4"}, day=PAST)
    archive = Archive(lake.s3, WORK_BUCKET)
    archive.put(PAST, LISTINGS)
    key = archive.put(PAST, [page("PETR4")])
    lake.s3.put_object(Bucket=WORK_BUCKET, Key=key, Body=b"garbage")

    with pytest.raises(PagesLacking, match=f"VALE3|PETR4.*1 damaged, such as s3://{WORK_BUCKET}/{key}"):
        clear({"anomesdia_exec": PAST, "source": "pages"})

    assert lake.keys(SOR_ACOES, PAST) == [kept.key]


def test_partial_does_without_the_pages_that_are_lacking(lake: Lake, clear: Any, invoked: list[Any]) -> None:
    put_part(lake, SOR_ACOES, "past", {"nome_papel": "PETR4"}, {"nome_papel": "VALE3"}, day=PAST)
    Archive(lake.s3, WORK_BUCKET).put(PAST, [*LISTINGS, page("PETR4")])

    clear({"anomesdia_exec": PAST, "source": "pages", "partial": True})

    assert lake.keys(SOR_ACOES, PAST) == []
    assert json.loads(invoked[0]["body"]) == {"anomesdia_exec": PAST, "source": "pages"}


MANIFEST_EVENT = raw_s3_event((WORK_BUCKET, f"pages/anomesdia_exec={DAY}/{'0f' * 16}.manifest.json"))


def test_a_collectors_manifest_runs_its_day_from_the_pages_and_starts_the_workflow(
    lake: Lake, clear: Any, invoked: list[Any], started: list[dict[str, Any]]
) -> None:
    Archive(lake.s3, WORK_BUCKET).put(DAY, LISTINGS)

    clear(MANIFEST_EVENT)

    assert json.loads(invoked[0]["body"]) == {"anomesdia_exec": DAY, "source": "pages"}
    assert [json.loads(request["input"]) for request in started] == [{"anomesdia_exec": DAY}]


def test_a_lake_that_rests_on_a_collector_does_not_ask_the_site(
    clear: Any, invoked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = stage.read_settings

    def of_pages(*arguments: Any) -> Any:
        return replace(settings(*arguments), fetch_from="pages")

    monkeypatch.setattr(stage, "read_settings", of_pages)

    with pytest.raises(stage.OrderRefused, match="this lake does not ask the site"):
        clear({})

    assert invoked == []


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"source": "site"}, "source is 'site', expected 'pages'"),
        ({"source": "pages", "partial": 1}, "partial is 1, expected true or false"),
        ({"partial": True}, "partial is True, expected true or false beside"),
        ({"Records": []}, "event has Records, expected one, of S3 for a collector's manifest"),
        (
            raw_s3_event((WORK_BUCKET, "pages/x.jsonl.gz")),
            "'pages/x.jsonl.gz' is no manifest of a collector, expected",
        ),
    ],
)
def test_an_order_that_is_none_is_refused(
    clear: Any, invoked: list[Any], event: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        clear(event)

    assert invoked == []
