"""Runs the procedures of docs/operations.md with the same API calls as the commands in these procedures."""

from __future__ import annotations

import io
import json
import time
from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from faulty_lake import FaultyLake, past_day, until

from report.athena import Athena
from sandbox.checks import NotExact
from sandbox.day import Day
from sandbox.lake import Table
from sandbox.site import Fault

pytestmark = pytest.mark.e2e

PROBED_PAGES = 2
"""Pages of assets that stage 1 uses to probe the site: one page per kind."""


@pytest.fixture(scope="module")
def day(applied_faulty_lake: FaultyLake) -> Day:
    """Return a finished past day. A test may change the day, and then repairs it."""
    day = applied_faulty_lake.day()
    day.ask(past_day())
    return finished(applied_faulty_lake, day)


@pytest.fixture(scope="module")
def good_today(applied_faulty_lake: FaultyLake) -> Day:
    """Run today's day to its end, and return the day. A test may change the day, and then repairs it."""
    day = applied_faulty_lake.day()
    day.start()
    return finished(applied_faulty_lake, day)


def finished(lake: FaultyLake, day: Day) -> Day:
    """Wait until the day has ended, compact and check the day, and return the day."""
    day.wait()
    lake.compact(day)
    lake.check(day)
    return day


def spoil(faulty: FaultyLake, table: Table, day: int) -> None:
    """Write wrong prices into a table's objects for a day, to imitate a defect."""
    for key in faulty.keys(table, day):
        body = faulty.s3.get_object(Bucket=table.bucket, Key=key)["Body"].read()
        rows = pq.read_table(io.BytesIO(body))
        column = rows.schema.get_field_index("vlr_cot")
        wrong = pa.array([-1.0] * len(rows), rows.schema.field(column).type)
        buffer = io.BytesIO()
        pq.write_table(rows.set_column(column, rows.schema.field(column), wrong), buffer)
        faulty.s3.put_object(Bucket=table.bucket, Key=key, Body=buffer.getvalue())


def test_today_is_run_again(faulty: FaultyLake, good_today: Day) -> None:
    """Run a day again, as operators do when the failure queues of stages 1 and 2 hold messages."""
    day = good_today
    objects = sum(len(faulty.keys(table, day.number)) for table in faulty.lake.tables)
    started_at = time.time()

    day.start(anomesdia_exec=day.number)
    finished(faulty, day)

    said = json.loads(faulty.log("check-and-delete-partitions", started_at, '"day cleared and started"')[0])
    # Stage 1 deletes the objects of the five asset tables and the quality table's only object.
    assert (said["objects_deleted"], said["partitions_deleted"]) == (objects + 1, 6)


def test_a_site_that_refuses_leaves_a_good_day_as_it_is(faulty: FaultyLake, good_today: Day) -> None:
    faulty.site.set_fault("*", Fault("status", status=403))

    said = faulty.invoke("check-and-delete-partitions", {})

    assert "the site refuses this address" in said["refused"]
    faulty.check(good_today)


def test_a_day_whose_site_refuses_after_a_good_probe_comes_back_from_its_pages(
    faulty: FaultyLake, good_today: Day
) -> None:
    day = good_today
    faulty.site.block_after(PROBED_PAGES + 10)
    day.start(anomesdia_exec=day.number)
    day.wait()
    faulty.site.clear_faults()
    faulty.forget_refusals()
    with pytest.raises(NotExact):
        faulty.check(day)

    ended = faulty.run_from_pages(day.number)

    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    faulty.check(day)


def test_a_partial_run_over_a_good_day_leaves_it_whole(faulty: FaultyLake, good_today: Day) -> None:
    good_today.start(tickers=[faulty.assets[0].ticker])

    finished(faulty, good_today)


def test_a_day_to_come_is_refused_by_every_stage_that_a_person_starts(faulty: FaultyLake) -> None:
    to_come = {"anomesdia_exec": 20990102}

    for name, event in (
        ("check-and-delete-partitions", to_come),
        ("check-and-delete-partitions", {**to_come, "source": "pages"}),
        ("get-tickers", {**to_come, "only_missing": True}),
    ):
        assert faulty.invoke(name, event)["errorType"] == "DayRefused"
    assert faulty.end_of(faulty.start_workflow(**to_come))["error"] == "DayRefused"
    assert [faulty.keys(table, to_come["anomesdia_exec"]) for table in faulty.every_table().values()] == [
        []
    ] * 6


@pytest.mark.parametrize("kinds", [("acoes",), ("fiis",), ("acoes", "fiis")])
@pytest.mark.usefixtures("today")
def test_a_partial_run_of_a_new_day_holds_its_tickers_only(
    faulty: FaultyLake, kinds: tuple[str, ...]
) -> None:
    wanted = [max(asset.ticker for asset in faulty.assets if asset.kind == kind) for kind in kinds]
    day = faulty.day()

    day.start(tickers=wanted)
    day.wait()
    faulty.compact(day)

    faulty.check(day, without=tuple(p.ticker for p in faulty.assets if p.ticker not in wanted))


def test_a_past_day_is_added_to_by_hand(faulty: FaultyLake, number: int) -> None:
    faulty.site.block_after(6)
    day = faulty.day()
    day.ask(number)
    day.wait()
    faulty.site.clear_faults()
    faulty.forget_refusals()

    answer = faulty.invoke("get-tickers", {"anomesdia_exec": number, "only_missing": True})
    assert answer["round"] == 1
    day.wait()
    faulty.compact(day)

    faulty.check(day)


@pytest.mark.parametrize(
    ("function", "layer", "kind"),
    [("prep-financial-data-for-fiis", "sot", "fiis"), ("specialize-financial-data", "spec", None)],
)
def test_what_stages_4_and_5_could_not_do_is_told_by_their_failure_queue_and_made_anew_from_sor(
    faulty: FaultyLake, number: int, function: str, layer: str, kind: str | None
) -> None:
    day = faulty.day()
    sources = [source for source, target in faulty.lake.derivations() if target.layer == layer]
    if kind:
        sources = [source for source in sources if source.kind == kind]
    url = faulty.failure_queue(function)
    with faulty.without(function, "s3:PutObject"):
        day.ask(number)
        until(lambda: faulty.drained(day), "every ticker to be read")
        objects = sum(len(faulty.parts(source, number)) for source in sources)
        failures = []
        until(lambda: failures.extend(faulty.take(url)) or len(failures) == objects, "the failed objects")

    failure = json.loads(failures[0])
    record = failure["requestPayload"]["Records"][0]
    assert f"anomesdia_exec={number}/" in record["s3"]["object"]["key"].replace("%3D", "=")
    assert "AccessDenied" in failure["responsePayload"]["errorMessage"]

    faulty.compact(day, source="sor")
    faulty.check(day)


def test_a_past_day_is_made_anew_from_sor(faulty: FaultyLake, day: Day) -> None:
    for table in faulty.lake.tables:
        if table.layer != "sor":  # wrong rows, as if there were a defect
            spoil(faulty, table, day.number)
    with pytest.raises(NotExact):
        faulty.check(day)

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


def test_a_holidays_partition_holds_the_last_session_once_more(faulty: FaultyLake, day: Day) -> None:
    holiday = faulty.day()
    after = datetime.strptime(str(day.number), "%Y%m%d") + timedelta(days=1)
    holiday.ask(int(after.strftime("%Y%m%d")))
    holiday.wait()
    faulty.compact(holiday)

    table = faulty.table("spec")
    sessions = [
        {
            row["codigo_ticker_ativo"]: row["dt_ult_cot"]
            for row in run.partitions.read(table, run.number).to_pylist()
        }
        for run in (day, holiday)
    ]
    assert sessions[0] == sessions[1]
    assert len(sessions[1]) == len(faulty.assets)


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
