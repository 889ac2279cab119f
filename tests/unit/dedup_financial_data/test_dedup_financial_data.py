from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from assess_day.load import state_of
from dedup_financial_data import handler as stage
from dedup_financial_data.compaction import PartitionBusy, compact
from lake_rows import put_part
from moto_lake import DAY, Lake
from pynvest_lake import aws
from pynvest_lake.contract import SOR_ACOES, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS
from pynvest_lake.storage import COMPACT, PART, list_day, object_id
from world import Killed

MOMENT = datetime(2026, 11, 23, 18, 50)
STARTED = {"input": {}, "started_at": "2026-11-23T22:00:00.123Z"}


def sot_row(ticker: str, minutes: int = 0, price: float = 1.0) -> dict[str, Any]:
    return {"nome_papel": ticker, "datetime_exec": MOMENT + timedelta(minutes=minutes), "vlr_cot": price}


def land(
    lake: Lake,
    name: object,
    *tickers: str,
    minutes: int = 0,
    price: float = 1.0,
    day: int = DAY,
) -> None:
    """Process a batch of stocks through all three layers."""
    put_part(lake, SOR_ACOES, name, *({"nome_papel": ticker} for ticker in tickers), day=day)
    put_part(lake, SOT_ACOES, name, *(sot_row(ticker, minutes, price) for ticker in tickers), day=day)
    specialized(lake, name, *tickers, day=day)


def specialized(lake: Lake, name: object, *tickers: str, day: int = DAY) -> None:
    put_part(
        lake,
        SPEC_ATIVOS,
        name,
        *({"codigo_ticker_ativo": ticker, "datetime_exec": MOMENT} for ticker in tickers),
        day=day,
    )


def held(lake: Lake, table: str = SOT_ACOES, day: int = DAY) -> list[tuple[str, float]]:
    """Return ticker and price of each row of a partition."""
    column = "codigo_ticker_ativo" if table == SPEC_ATIVOS else "nome_papel"
    return sorted((row[column], row["vlr_cot"]) for row in lake.rows(table, day))


def forms(lake: Lake, table: str = SOT_ACOES, day: int = DAY) -> list[str]:
    return [item.form for item in list_day(lake.s3, lake.tables[table], day)]


@pytest.fixture
def dedup(lake: Lake, context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that compacts the SoT table of stocks. With ``spec=True``, it compacts Spec."""

    def run(event: dict[str, Any] = STARTED, spec: bool = False) -> dict[str, Any]:
        own, down = (SPEC_ATIVOS, ()) if spec else (SOT_ACOES, (SPEC_ATIVOS,))
        sources = (SOT_ACOES, SOT_FIIS) if spec else (SOR_ACOES,)
        monkeypatch.setenv("TABLE", lake.table_setting(own))
        monkeypatch.setenv("SOURCE_TABLES", lake.setting(*sources))
        monkeypatch.setenv("DOWNSTREAM_TABLES", lake.setting(*down))
        return stage.handler(event, context)

    return run


def test_one_object_has_the_newest_row_of_each_ticker(lake: Lake, dedup: Any) -> None:
    land(lake, "first", "AAAA3", "BBBB4", price=1.0)
    land(lake, "second", "AAAA3", minutes=5, price=2.0)

    result = dedup()

    assert held(lake) == [("AAAA3", 2.0), ("BBBB4", 1.0)]
    assert forms(lake) == [COMPACT]
    assert lake.partitions(SOT_ACOES) == [str(DAY)]
    assert (result["objects_read"], result["rows"], result["duplicates"]) == (2, 2, 1)


def test_strays_are_compacted_even_on_a_day_without_objects(lake: Lake, dedup: Any) -> None:
    land(lake, "yesterday", "AAAA3", day=20261122)
    land(lake, "yesterday again", "AAAA3", minutes=5, day=20261122)

    result = dedup(spec=True)

    assert (result["objects_read"], result["rows"], lake.partitions(SPEC_ATIVOS)) == (0, 0, [])
    assert len(held(lake, SPEC_ATIVOS, day=20261122)) == 1


def test_one_object_without_duplicates_is_not_rewritten(lake: Lake, dedup: Any) -> None:
    land(lake, "only", "AAAA3", "BBBB4")
    before = lake.keys(SOT_ACOES)

    result = dedup()

    assert lake.keys(SOT_ACOES) == before
    assert result["written"] is False


def test_one_object_with_duplicates_is_compacted(lake: Lake, dedup: Any) -> None:
    land(lake, "only", "AAAA3", "AAAA3")

    dedup()

    assert held(lake) == [("AAAA3", 1.0)]


@pytest.mark.parametrize("moment", ["GetObject", "PutObject", "DeleteObject"])
def test_an_object_that_is_overwritten_during_the_compaction_is_compacted_again(
    lake: Lake, moment: str
) -> None:
    land(lake, "one", "AAAA3")
    land(lake, "two", "BBBB4")
    table, calls = lake.tables[SOT_ACOES], []

    def overwrite(**_: Any) -> None:
        calls.append(moment)
        if len(calls) == 1:
            key = table.part(DAY, object_id("one")).key
            lake.s3.meta.events.unregister(f"before-call.s3.{moment}", overwrite)
            lake.s3.delete_object(Bucket=table.bucket, Key=key)
            put_part(lake, SOT_ACOES, "one", sot_row("AAAA3", 5, 2.0), sot_row("CCCC3", 5, 3.0))

    lake.s3.meta.events.register(f"before-call.s3.{moment}", overwrite)
    compact(lake.s3, table, DAY, "nome_papel", None)

    assert held(lake) == [("AAAA3", 2.0), ("BBBB4", 1.0), ("CCCC3", 3.0)]
    assert forms(lake) == [COMPACT]


def test_at_equal_times_the_row_of_the_object_with_the_greater_id_is_kept(lake: Lake, dedup: Any) -> None:
    land(lake, "x", "AAAA3", price=1.0)
    land(lake, "y", "AAAA3", price=2.0)

    dedup()

    assert object_id("x") > object_id("y")
    assert held(lake) == [("AAAA3", 1.0)]


def test_at_equal_times_a_part_is_preferred_to_a_compact_object(lake: Lake, dedup: Any) -> None:
    land(lake, "x", "AAAA3", price=1.0)
    land(lake, "another", "BBBB4")
    dedup()
    land(lake, "read from the same page by a newer version", "AAAA3", price=2.0)

    dedup()

    assert held(lake) == [("AAAA3", 2.0), ("BBBB4", 1.0)]


def test_the_next_run_compacts_the_object_of_a_repeated_event(lake: Lake, dedup: Any) -> None:
    land(lake, "first", "AAAA3")
    land(lake, "second", "BBBB4")
    dedup()
    rows_before = held(lake)
    put_part(lake, SOT_ACOES, "first", sot_row("AAAA3"))
    specialized(lake, "first", "AAAA3")

    dedup()

    assert held(lake) == rows_before
    assert forms(lake) == [COMPACT]


def test_strays_of_the_last_six_days_are_compacted_and_older_ones_are_not(lake: Lake, dedup: Any) -> None:
    for day in (20261117, 20261116):
        land(lake, "first", "AAAA3", day=day)
        land(lake, "second", "AAAA3", minutes=5, price=2.0, day=day)

    result = dedup()

    assert held(lake, day=20261117) == [("AAAA3", 2.0)]
    assert len(held(lake, day=20261116)) == 2
    assert list(result["strays"]) == ["20261117"]


def test_parts_that_are_not_in_spec_stay_and_the_others_are_compacted(lake: Lake, dedup: Any) -> None:
    for day in (DAY, 20261120):
        land(lake, "first", "AAAA3", day=day)
        land(lake, "second", "BBBB4", day=day)
        put_part(lake, SOT_ACOES, "unspecialized", sot_row("CCCC3"), day=day)

    dedup()

    for day in (DAY, 20261120):
        assert sorted(forms(lake, day=day)) == [COMPACT, PART]
        assert [ticker for ticker, _ in held(lake, day=day)] == ["AAAA3", "BBBB4", "CCCC3"]


def before_call(lake_client: Any, operation: str, action: Any) -> None:
    """Run `action` directly before the first call of `operation`."""
    done: list[bool] = []

    def once(**_: Any) -> None:
        if not done:
            done.append(True)
            action()

    lake_client.meta.events.register(f"before-call.s3.{operation}", once)


def kill() -> None:
    raise Killed


def compact_all(s3: Any, lake: Lake) -> None:
    compact(s3, lake.tables[SOT_ACOES], DAY, "nome_papel", None)


def test_an_object_that_arrives_during_a_run_is_compacted_by_the_next_run(lake: Lake, dedup: Any) -> None:
    land(lake, "first", "AAAA3")
    land(lake, "second", "BBBB4")
    before_call(aws.client("s3"), "PutObject", lambda: land(lake, "late", "CCCC3"))

    dedup()

    assert [ticker for ticker, _ in held(lake)] == ["AAAA3", "BBBB4", "CCCC3"]
    dedup()
    assert [ticker for ticker, _ in held(lake)] == ["AAAA3", "BBBB4", "CCCC3"]
    assert forms(lake) == [COMPACT]


def test_rows_that_stage_1_removes_meanwhile_do_not_come_back(lake: Lake, dedup: Any) -> None:
    """Stage 1 deletes the day's objects directly before the compaction writes its object."""
    land(lake, "first", "AAAA3")
    land(lake, "second", "BBBB4")

    def clear() -> None:
        for key in lake.keys(SOT_ACOES):
            lake.s3.delete_object(Bucket=lake.tables[SOT_ACOES].bucket, Key=key)

    before_call(aws.client("s3"), "PutObject", clear)

    dedup()

    assert forms(lake) == []


def test_a_run_after_a_kill_between_write_and_deletes_gives_the_same_rows(lake: Lake, dedup: Any) -> None:
    land(lake, "first", "AAAA3", "BBBB4", price=1.0)
    land(lake, "second", "AAAA3", minutes=5, price=2.0)
    before_call(aws.client("s3"), "DeleteObject", kill)
    with pytest.raises(Killed):
        dedup()
    assert len(forms(lake)) == 3

    dedup()

    assert held(lake) == [("AAAA3", 2.0), ("BBBB4", 1.0)]
    assert forms(lake) == [COMPACT]


def test_an_object_that_s3_refuses_to_delete_is_an_error(lake: Lake, dedup: Any) -> None:
    land(lake, "first", "AAAA3")
    land(lake, "second", "BBBB4")

    def refuse() -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no rights"}}, "DeleteObject")

    before_call(aws.client("s3"), "DeleteObject", refuse)

    with pytest.raises(ClientError, match="AccessDenied"):
        dedup()


@pytest.mark.parametrize("operation", ["GetObject", "PutObject", "DeleteObject"])
def test_two_concurrent_runs_leave_one_object_with_every_row(lake: Lake, operation: str) -> None:
    for name in ("first", "second", "third"):
        land(lake, name, f"{name[:4].upper()}3")
    before_call(aws.client("s3"), operation, lambda: compact_all(lake.s3, lake))

    compact_all(aws.client("s3"), lake)

    assert len(held(lake)) == 3
    assert set(forms(lake)) == {COMPACT}
    compact_all(lake.s3, lake)
    assert (len(held(lake)), forms(lake)) == (3, [COMPACT])


def test_a_partition_that_keeps_changing_is_an_error_and_loses_nothing(lake: Lake) -> None:
    land(lake, "first", "AAAA3")
    land(lake, "second", "BBBB4")
    count = iter(range(1000))

    def another_arrives(**_: Any) -> None:
        put_part(lake, SOT_ACOES, f"late {next(count)}", sot_row("CCCC3"))

    aws.client("s3").meta.events.register("before-call.s3.PutObject", another_arrives)

    with pytest.raises(PartitionBusy, match=rf"another process writes to .*{DAY}/"):
        compact_all(aws.client("s3"), lake)

    assert {ticker for ticker, _ in held(lake)} == {"AAAA3", "BBBB4", "CCCC3"}


def sor(lake: Lake, name: object, ticker: str, price: str, *, day: int = DAY, minute: int = 0) -> None:
    """Write a reading into SoR, but not into SoT."""
    moment = f"23-11-2026 19:{minute:02}:00"
    put_part(
        lake, SOR_ACOES, name, {"nome_papel": ticker, "vlr_cot": price, "datetime_exec": moment}, day=day
    )


FROM_SOR = {"input": {"anomesdia_exec": DAY, "source": "sor"}, "started_at": STARTED["started_at"]}


def test_a_rebuild_from_sor_writes_the_best_readings_and_a_second_one_changes_nothing(
    lake: Lake, dedup: Any
) -> None:
    land(lake, "wrongly prepared", "AAAA3", price=-1.0)
    sor(lake, "old", "AAAA3", "1,00")
    sor(lake, "new", "AAAA3", "2,00", minute=5)
    sor(lake, "lost on the way", "BBBB4", "3,00")

    for spec, duplicates in ((False, 2), (True, 0)):
        result = dedup(FROM_SOR, spec=spec)
        assert (result["written"], result["duplicates"]) == (True, duplicates)
    prices = [("AAAA3", 2.0), ("BBBB4", 3.0)]
    assert (held(lake), held(lake, SPEC_ATIVOS)) == (prices, prices)
    assert (forms(lake), forms(lake, SPEC_ATIVOS)) == ([COMPACT], [COMPACT])
    assert not state_of(lake.s3, lake.tables.values(), lake.ledger.read(DAY)).not_through

    for spec in (False, True):
        assert dedup(FROM_SOR, spec=spec)["written"] is False
    assert lake.partitions(SPEC_ATIVOS) == [str(DAY)]


def test_a_rebuild_from_sor_removes_rows_only_after_their_replacement_is_written(
    lake: Lake, dedup: Any
) -> None:
    land(lake, "there", "AAAA3", price=1.0)
    sor(lake, "there too", "AAAA3", "2,00", minute=59)
    before_call(aws.client("s3"), "PutObject", kill)

    with pytest.raises(Killed):
        dedup(FROM_SOR)
    assert held(lake) == [("AAAA3", 1.0)]

    dedup(FROM_SOR)
    assert held(lake) == [("AAAA3", 2.0)]


def test_a_rebuild_from_sor_replaces_a_damaged_object(lake: Lake, dedup: Any) -> None:
    table = lake.tables[SOT_ACOES]
    sor(lake, "one", "AAAA3", "2,00")
    damaged = table.compact(DAY, object_id("damaged"))
    lake.s3.put_object(Bucket=table.bucket, Key=damaged.key, Body=b"garbage")

    assert dedup(FROM_SOR)["written"] is True

    assert (held(lake), forms(lake)) == ([("AAAA3", 2.0)], [COMPACT])
    assert not set(list_day(lake.s3, table, DAY)) & {damaged}


def test_a_rebuild_from_sor_does_not_change_a_day_without_sor_objects(lake: Lake, dedup: Any) -> None:
    put_part(lake, SOT_ACOES, "there", sot_row("AAAA3"))

    assert dedup(FROM_SOR)["written"] is False

    assert held(lake) == [("AAAA3", 1.0)]
