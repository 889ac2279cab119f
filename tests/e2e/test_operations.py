"""Runs the procedures of docs/operations.md with the same API calls as the commands in these procedures."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from faulty_lake import FaultyLake, past_day, until

from pynvest_lake.catalog import register_partition
from report.athena import Athena
from sandbox.checks import NotExact
from sandbox.day import Day

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def day(applied_faulty_lake: FaultyLake) -> Day:
    """Return a finished past day. A test may change the day, and then repairs it."""
    day = applied_faulty_lake.day()
    day.ask(past_day())
    day.wait()
    applied_faulty_lake.compact(day)
    applied_faulty_lake.check(day)
    return day


def test_what_a_stage_could_not_do_is_told_by_its_failure_queue_and_made_anew_from_sor(
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


def test_deleted_objects_are_restored(faulty: FaultyLake, day: Day) -> None:
    # S3 stores whole seconds, so let the second of earlier deletions pass.
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


def test_days_that_the_catalog_lost_are_named_and_registered_again(faulty: FaultyLake, day: Day) -> None:
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
    """Return table and text of each remark about days that are missing from the catalog."""
    rows = day.partitions.read(faulty.lake.quality, day.number).to_pylist()
    return [
        (row["tabela"], row["motivo"])
        for row in rows
        if row["medida"] == "dias_sem_registro" and row["situacao"] != "ok"
    ]
