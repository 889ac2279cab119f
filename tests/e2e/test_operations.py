"""Runs the procedures of docs/operations.md with the same API calls as the commands in these procedures."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from faulty_lake import FaultyLake, past_day, until

from report.athena import Athena
from sandbox.checks import NotExact
from sandbox.day import Day
from sandbox.lake import Table

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
    url = faulty.failure_queue(function)
    with faulty.without(function, "s3:PutObject"):
        day.ask(number)
        until(lambda: faulty.drained(day), "every ticker to be read")
        objects = len(faulty.parts(faulty.table("sor", "fiis"), number))
        failures = []
        until(lambda: failures.extend(faulty.take(url)) or len(failures) == objects, "the failed objects")

    failure = json.loads(failures[0])
    record = failure["requestPayload"]["Records"][0]
    assert f"anomesdia_exec={number}/" in record["s3"]["object"]["key"].replace("%3D", "=")
    assert "AccessDenied" in failure["responsePayload"]["errorMessage"]

    faulty.compact(day, source="sor")
    faulty.check(day)


def test_deleted_objects_are_restored(faulty: FaultyLake, day: Day) -> None:
    accident = datetime.now(timezone.utc).replace(microsecond=0)
    for table in faulty.lake.tables:
        for key in faulty.keys(table, day.number):
            faulty.s3.delete_object(Bucket=table.bucket, Key=key)
        faulty.glue.delete_partition(
            DatabaseName=table.database, TableName=table.name, PartitionValues=[str(day.number)]
        )
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
            add_partition(faulty, table, day.number)

    faulty.check(day)


def add_partition(faulty: FaultyLake, table: Table, day: int) -> None:
    """Do what ``ALTER TABLE … ADD IF NOT EXISTS PARTITION`` does; the emulator lacks this statement."""
    storage = faulty.glue.get_table(DatabaseName=table.database, Name=table.name)["Table"][
        "StorageDescriptor"
    ]
    faulty.glue.batch_create_partition(
        DatabaseName=table.database,
        TableName=table.name,
        PartitionInputList=[
            {
                "Values": [str(day)],
                "StorageDescriptor": storage | {"Location": f"s3://{table.bucket}/{table.prefix(day)}"},
            }
        ],
    )


def test_days_that_the_catalog_lost_are_named_and_registered_again(faulty: FaultyLake, day: Day) -> None:
    for table in faulty.every_table().values():
        faulty.glue.delete_partition(
            DatabaseName=table.database, TableName=table.name, PartitionValues=[str(day.number)]
        )

    faulty.invoke("assess-day", assessment := {"step": "assess", "input": {"anomesdia_exec": day.number}})
    lost = unregistered(faulty, day)
    athena = Athena(faulty.emulator.client("athena"), faulty.lake.workgroup)
    for table in faulty.every_table().values():
        athena.ask(f"MSCK REPAIR TABLE {table.database}.{table.name}")
    faulty.invoke("assess-day", assessment)

    assert {name for name, _ in lost} == {table.name for table in faulty.every_table().values()}
    for table in faulty.every_table().values():
        assert f"no banco {table.database}, rode MSCK REPAIR TABLE {table.name}." in dict(lost)[table.name]
    assert unregistered(faulty, day) == []
    assert all(faulty.has_partition(table, day.number) for table in faulty.every_table().values())
    faulty.check(day)


def unregistered(faulty: FaultyLake, day: Day) -> list[tuple[str, str]]:
    """Return table and text of each remark about days that are missing from the catalog."""
    rows = day.partitions.read(faulty.lake.quality, day.number).to_pylist()
    return [
        (row["tabela"], row["motivo"])
        for row in rows
        if row["medida"] == "dias_sem_registro" and row["situacao"] != "ok"
    ]
