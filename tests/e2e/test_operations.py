"""The procedures in docs/operations.md work. The tests send the same API calls as the commands."""

from __future__ import annotations

import gzip
import json
import time
from datetime import datetime, timedelta, timezone

import pytest
from faulty_lake import FaultyLake, FromPages, until

from lake_rows import raw_s3_event
from pynvest_lake.archive import Archive
from pynvest_lake.catalog import register_partition
from report.athena import Athena
from sandbox.checks import NotExact
from sandbox.day import Day

pytestmark = pytest.mark.e2e


def test_repeated_events_after_the_compaction_change_nothing(faulty: FaultyLake, good_today: Day) -> None:
    for kind in ("acoes", "fiis"):
        bucket = faulty.tables[f"sor_{kind}"].bucket
        events = [raw_s3_event((bucket, key)) for key in faulty.keys(f"sor_{kind}", good_today.number)]
        before = faulty.keys(f"sot_{kind}", good_today.number)
        for event in reversed(events):
            faulty.invoke(f"prep-financial-data-for-{kind}", event)
        assert faulty.keys(f"sot_{kind}", good_today.number) == before

    faulty.check(good_today)


def test_a_day_that_the_site_refuses_after_a_good_probe_is_restored_from_its_pages(
    faulty: FaultyLake, today_from_pages: FromPages
) -> None:
    assert "is missing" in today_from_pages.lacking
    assert today_from_pages.ended["status"] == "SUCCEEDED", today_from_pages.ended.get("cause")
    faulty.check(today_from_pages.day)


def test_a_partial_run_keeps_a_good_day_complete(faulty: FaultyLake, good_today: Day) -> None:
    good_today.start(tickers=[faulty.assets[0].ticker])

    faulty.finished(good_today)


def test_every_stage_that_a_person_starts_refuses_a_future_day(faulty: FaultyLake, good_today: Day) -> None:
    to_come = {"anomesdia_exec": 20990102}

    for name, event in (
        ("check-and-delete-partitions", to_come),
        ("check-and-delete-partitions", {**to_come, "source": "pages"}),
        ("get-tickers", {**to_come, "only_missing": True}),
    ):
        assert faulty.invoke(name, event)["errorType"] == "DayRefused"
    assert '"Error":"DayRefused"' in faulty.end_of(faulty.start_workflow(**to_come))["cause"]
    assert [faulty.keys(key, to_come["anomesdia_exec"]) for key in faulty.tables] == [[]] * 6
    faulty.check(good_today)


def test_a_run_from_pages_keeps_the_row_of_an_asset_with_a_damaged_page(
    faulty: FaultyLake, good_today: Day
) -> None:
    day = good_today
    archive = Archive(faulty.s3, faulty.lake.work_bucket)
    lost = faulty.assets[0].ticker
    damaged = 0
    for key in archive.keys(day.number):
        pages = archive.read(key).pages
        damaged += sum(page.ticker == lost for page in pages)
        lines = [page.to_line()[:40] if page.ticker == lost else page.to_line() for page in pages]
        body = gzip.compress("".join(f"{line}\n" for line in lines).encode())
        faulty.s3.delete_object(Bucket=faulty.lake.work_bucket, Key=key)
        faulty.s3.put_object(Bucket=faulty.lake.work_bucket, Key=key, Body=body, IfNoneMatch="*")
    started_at = time.time()

    ended = faulty.run_from_pages(day.number)

    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    (said,) = faulty.log("get-tickers", started_at, '"tickers queued"')
    assert len(json.loads(said)["problems"]) == damaged > 0
    faulty.check(day)


def test_failed_events_are_in_the_failure_queue_and_the_day_is_rebuilt_from_sor(
    faulty: FaultyLake, number: int
) -> None:
    day, function = faulty.day(), "prep-financial-data-for-fiis"
    url = faulty.lake.failure_queues[f"{faulty.function(function)}-dlq"]
    with faulty.without(function, "s3:PutObject"):
        day.ask(number)
        until(lambda: faulty.drained(day), "every ticker to be read")
        objects = len(faulty.parts("sor_fiis", number))
        failures = []
        until(lambda: failures.extend(faulty.take(url)) or len(failures) == objects, "the failed objects")

    failure = json.loads(failures[0])
    record = failure["requestPayload"]["Records"][0]
    assert f"anomesdia_exec={number}/" in record["s3"]["object"]["key"].replace("%3D", "=")
    assert "AccessDenied" in failure["responsePayload"]["errorMessage"]

    faulty.compact(day, source="sor")
    faulty.check(day)


def test_deleted_objects_are_restored(faulty: FaultyLake, good_today: Day) -> None:
    day = good_today
    # S3 stores times in whole seconds: in the next second, all earlier writes have an earlier time.
    accident = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=1)
    until(lambda: datetime.now(timezone.utc) >= accident, "the next second")
    for table in faulty.lake.tables:
        faulty.delete(table.bucket, table.prefix(day.number))
        faulty.unregister(table, day.number)
    with pytest.raises(NotExact):
        faulty.check(day)

    for table in faulty.lake.tables:
        versions = faulty.s3.list_object_versions(Bucket=table.bucket, Prefix=table.prefix(day.number))
        markers = [
            {"Key": marker["Key"], "VersionId": marker["VersionId"]}
            for marker in versions["DeleteMarkers"]
            if marker["IsLatest"] and marker["LastModified"] >= accident
        ]
        faulty.s3.delete_objects(Bucket=table.bucket, Delete={"Objects": markers})
    faulty.compact(day)
    for table in faulty.lake.tables:
        if table.layer == "sor":
            register_partition(faulty.glue, table, day.number)

    faulty.check(day)


def test_days_missing_in_the_catalog_are_named_and_registered_again(
    faulty: FaultyLake, good_today: Day
) -> None:
    day = good_today
    for table in faulty.tables.values():
        faulty.unregister(table, day.number)

    faulty.invoke("assess-day", assessment := {"step": "assess", "input": {"anomesdia_exec": day.number}})
    lost = unregistered(faulty, day)
    athena = Athena(faulty.emulator.client("athena"), faulty.lake.workgroup)
    for table in faulty.tables.values():
        athena.ask(f"MSCK REPAIR TABLE {table.database}.{table.name}")
    faulty.invoke("assess-day", assessment)

    assert {name for name, _ in lost} == {table.name for table in faulty.tables.values()}
    for table in faulty.tables.values():
        assert f"no banco {table.database}, rode MSCK REPAIR TABLE {table.name}." in dict(lost)[table.name]
    assert unregistered(faulty, day) == []
    faulty.check(day)


def unregistered(faulty: FaultyLake, day: Day) -> list[tuple[str, str]]:
    rows = day.partitions.read(faulty.lake.quality, day.number).to_pylist()
    return [
        (row["tabela"], row["motivo"])
        for row in rows
        if row["medida"] == "dias_sem_registro" and row["situacao"] != "ok"
    ]
