from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from lake_rows import bus_event, put_part, raw_s3_event, rows, s3_event
from moto_lake import DAY, Lake
from prep_financial_data import handler as prep_stage
from pynvest_lake import aws
from pynvest_lake.contract import SOR_ACOES, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS
from pynvest_lake.storage import object_id, read, write
from specialize_financial_data import handler as specialize_stage
from world import Killed

PETR4 = {"nome_papel": "PETR4"}


@pytest.fixture
def prep(lake: Lake, context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(event: dict[str, Any]) -> dict[str, Any]:
        monkeypatch.setenv("TICKER_KIND", "acoes")
        monkeypatch.setenv("SOURCE_TABLES", lake.setting(SOR_ACOES))
        monkeypatch.setenv("TARGET_TABLE", lake.table_setting(SOT_ACOES))
        return prep_stage.handler(event, context)

    return run


@pytest.fixture
def specialize(lake: Lake, context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(event: dict[str, Any]) -> dict[str, Any]:
        monkeypatch.setenv("SOURCE_TABLES", lake.setting(SOT_ACOES, SOT_FIIS))
        monkeypatch.setenv("TARGET_TABLE", lake.table_setting(SPEC_ATIVOS))
        return specialize_stage.handler(event, context)

    return run


def test_an_object_goes_through_both_stages_under_its_own_id(lake: Lake, prep: Any, specialize: Any) -> None:
    source = put_part(lake, SOR_ACOES, 1, PETR4 | {"vlr_cot": "31,87", "pct_var_dia": "-1,31%"})

    prepared = prep(s3_event(source))
    typed = lake.tables[SOT_ACOES].part(DAY, source.id)
    specialized = specialize(s3_event(typed))

    spec = lake.tables[SPEC_ATIVOS].part(DAY, source.id)
    row = read(lake.s3, spec).rows.to_pylist()[0]
    assert (row["codigo_ticker_ativo"], row["vlr_cot"], row["pct_var_dia"]) == ("PETR4", 31.87, -0.0131)
    assert prepared == {"objects": 1, "rows": 1, "gone": 0, "there": 0, "unreadable_cells": 0}
    assert specialized == {"objects": 1, "rows": 1, "gone": 0, "there": 0}
    assert lake.partitions(SOT_ACOES) == lake.partitions(SPEC_ATIVOS) == [str(DAY)]


def test_a_repeated_event_after_compaction_changes_nothing(lake: Lake, prep: Any, specialize: Any) -> None:
    source = put_part(lake, SOR_ACOES, 1, PETR4)
    typed = put_part(lake, SOT_ACOES, 1, {"nome_papel": "PETR4"})
    for table in (SOT_ACOES, SPEC_ATIVOS):
        whole = lake.tables[table].compact(DAY, object_id("compact"))
        write(lake.s3, whole, rows(table, {}), [source.id])
    lake.s3.delete_object(Bucket=typed.table.bucket, Key=typed.key)

    assert prep(s3_event(source))["there"] == 1
    assert specialize(s3_event(typed))["there"] == 1

    assert [len(lake.keys(table)) for table in (SOT_ACOES, SPEC_ATIVOS)] == [1, 1]


def test_a_damaged_object_of_the_day_does_not_stop_others(lake: Lake, prep: Any) -> None:
    source = put_part(lake, SOR_ACOES, 1, PETR4)
    damaged = lake.tables[SOT_ACOES].compact(DAY, object_id("compact"))
    lake.s3.put_object(Bucket=damaged.table.bucket, Key=damaged.key, Body=b"garbage")

    assert prep(s3_event(source))["objects"] == 1


def test_an_object_of_a_day_after_today_is_refused(lake: Lake, prep: Any) -> None:
    source = put_part(lake, SOR_ACOES, 1, PETR4, day=20300101)

    with pytest.raises(ValueError, match="20300101 is after today"):
        prep(s3_event(source))

    assert lake.keys(SOT_ACOES, 20300101) == []


def test_unreadable_cells_are_counted_and_logged(
    lake: Lake, prep: Any, caplog: pytest.LogCaptureFixture
) -> None:
    source = put_part(lake, SOR_ACOES, 1, PETR4 | {"vlr_cot": "caro", "num_acoes": "1,5"})

    assert prep(s3_event(source))["unreadable_cells"] == 2

    cells = [record for record in caplog.records if hasattr(record, "column")]
    assert {(cell.table, cell.ticker, cell.column, cell.text) for cell in cells} == {
        (SOT_ACOES, "PETR4", "vlr_cot", "caro"),
        (SOT_ACOES, "PETR4", "num_acoes", "1,5"),
    }


def test_an_object_that_is_gone_is_counted_and_the_others_are_prepared(lake: Lake, prep: Any) -> None:
    gone = lake.tables[SOR_ACOES].part(DAY, object_id("gone"))
    there = put_part(lake, SOR_ACOES, "there", PETR4)

    result = prep(s3_event(gone, there))

    assert (result["gone"], result["objects"]) == (1, 1)


def test_foreign_records_are_reported_after_the_others_were_prepared(lake: Lake, prep: Any) -> None:
    there = put_part(lake, SOR_ACOES, 1, PETR4)
    event = raw_s3_event(
        ("somebody-elses", "key"),
        (there.table.bucket, there.key),
        (there.table.bucket, f"{SOR_ACOES}/readme.txt"),
        (there.table.bucket, lake.tables[SOR_ACOES].compact(DAY, object_id(1)).key),
    )

    with pytest.raises(ValueError) as error:
        prep(event)

    said = str(error.value)
    assert len(lake.keys(SOT_ACOES)) == 1
    assert (
        f"s3://somebody-elses/key is in no table of this function, expected s3://lake-sor/{SOR_ACOES}/"
        in said
    )
    assert "readme.txt is no object of the table" in said
    assert "is a compact object, expected a part" in said


def test_an_unreadable_object_is_reported_after_the_others_were_processed(
    lake: Lake, prep: Any, specialize: Any
) -> None:
    good = put_part(lake, SOR_ACOES, 1, PETR4)
    for table in (SOR_ACOES, SOT_ACOES):
        bad = lake.tables[table].part(DAY, object_id(2))
        lake.s3.put_object(Bucket=bad.table.bucket, Key=bad.key, Body=b"garbage")
        event = raw_s3_event(
            (bad.table.bucket, bad.key), (bad.table.bucket, lake.tables[table].part(DAY, good.id).key)
        )

        with pytest.raises(ValueError, match=f"{bad.uri} is no Parquet object"):
            (prep if table == SOR_ACOES else specialize)(event)

    assert lake.keys(SPEC_ATIVOS) == [lake.tables[SPEC_ATIVOS].part(DAY, good.id).key]


def test_an_event_from_the_bus_is_one_object(lake: Lake, prep: Any) -> None:
    there = put_part(lake, SOR_ACOES, 1, PETR4)

    assert prep(bus_event(there.table.bucket, there.key))["objects"] == 1
    assert len(lake.keys(SOT_ACOES)) == 1


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({}, "expected an event of S3"),
        ({"Records": None}, "expected an event of S3"),
        ({"Records": [{"body": "x"}]}, "expected an event of S3: KeyError"),
        ({"source": "aws.s3"}, "expected an event of S3: KeyError"),
        (bus_event("somebody-elses", "key"), "somebody-elses/key is in no table of this function"),
    ],
)
def test_other_events_are_refused(prep: Any, event: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        prep(event)


def test_the_test_event_of_s3_is_accepted(prep: Any) -> None:
    assert prep({"Service": "Amazon S3", "Event": "s3:TestEvent"})["objects"] == 0


def test_a_retry_after_a_kill_between_object_and_partition_succeeds(lake: Lake, prep: Any) -> None:
    event = s3_event(put_part(lake, SOR_ACOES, 1, PETR4))

    def kill(**_: Any) -> None:
        raise Killed

    events = aws.client("glue").meta.events
    events.register("before-call.glue.CreatePartition", kill)
    with pytest.raises(Killed):
        prep(event)
    events.unregister("before-call.glue.CreatePartition", kill)
    assert lake.partitions(SOT_ACOES) == []
    before = lake.keys(SOT_ACOES)

    prep(event)

    assert lake.keys(SOT_ACOES) == before
    assert lake.partitions(SOT_ACOES) == [str(DAY)]


def test_the_sdk_retries_if_s3_asks_to_slow_down(lake: Lake, prep: Any) -> None:
    source = put_part(lake, SOR_ACOES, 1, PETR4)
    left = [503, 503]

    def slow_down(request: Any, **_: Any) -> AWSResponse | None:
        if request.method != "PUT" or not left:
            return None
        body = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
        return AWSResponse(request.url, left.pop(), {}, SimpleNamespace(stream=lambda **_: iter([body])))

    aws.client("s3").meta.events.register_first("before-send.s3", slow_down)

    result = prep(s3_event(source))

    assert result["objects"] == 1
    assert left == []
