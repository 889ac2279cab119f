from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from check_and_delete_partitions import handler as stage
from check_and_delete_partitions import partitions
from check_and_delete_partitions.partitions import ObjectsNotDeleted, PartitionNotDeleted, remove_day
from dedup_financial_data.completeness import holding
from lake_rows import put_part
from moto_lake import DAY, LAYERS, Lake
from pynvest_lake import aws
from pynvest_lake.catalog import register_partition
from pynvest_lake.contract import SOR_ACOES, SOT_ACOES, SPEC_ATIVOS
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


@pytest.fixture
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
        monkeypatch.setenv("GET_TICKERS_FUNCTION_NAME", "get-tickers")
        monkeypatch.setenv("SCHEDULE_TIMEZONE", "America/Sao_Paulo")
        result: dict[str, Any] = stage.handler(event, context)
        return result

    return run


def test_a_day_is_removed_from_all_five_tables_and_other_days_stay(lake: Lake) -> None:
    for table in LAYERS:
        for day in (DAY, DAY - 1):
            put_part(lake, table, 1, day=day)
            register_partition(lake.glue, lake.tables[table], day)

    removed = remove_day(lake.s3, lake.glue, lake.tables.values(), DAY)

    assert [(item.objects, item.partition) for item in removed] == [(1, True)] * 5
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
    monkeypatch.setattr(partitions.wr.catalog, "delete_partitions", lambda **_: None)

    with pytest.raises(PartitionNotDeleted, match=f"partition {DAY} of db_sot.{SOT_ACOES}"):
        remove_day(lake.s3, lake.glue, [lake.tables[SOT_ACOES]], DAY, wait_seconds=0)


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
    delete = partitions.wr.s3.delete_objects

    def delete_and_land(paths: list[str]) -> None:
        delete(paths)
        put_part(lake, SOT_ACOES, 1, {"nome_papel": "AAAA3"})

    monkeypatch.setattr(partitions.wr.s3, "delete_objects", delete_and_land)

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
    delete = partitions.wr.catalog.delete_partitions

    def delete_and_register(**arguments: Any) -> None:
        delete(**arguments)
        time.sleep(1.1)  # the catalog tells times in seconds
        register_partition(lake.glue, table, DAY)

    monkeypatch.setattr(partitions.wr.catalog, "delete_partitions", delete_and_register)

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


@pytest.mark.usefixtures("late_on_the_day")
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
@pytest.mark.usefixtures("late_on_the_day")
def test_an_event_that_was_mistyped_clears_nothing(
    lake: Lake, clear: Any, invoked: list[dict[str, Any]], event: dict[str, Any], said: str
) -> None:
    kept = put_part(lake, SOT_ACOES, "today", {"nome_papel": "AAAA3"})

    with pytest.raises(ValueError, match=said):
        clear(event)

    assert lake.keys(SOT_ACOES) == [kept.key]
    assert invoked == []
