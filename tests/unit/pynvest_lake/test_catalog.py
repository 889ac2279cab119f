from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from moto_lake import DAY, Lake, list_keys
from pynvest_lake.catalog import (
    ATTEMPTS,
    days_without_partition,
    register_partition,
)
from pynvest_lake.contract import SPEC_ATIVOS, table_schema


def answer_with(lake: Lake, code: str, times: int) -> list[int]:
    """Let the first `times` calls of CreatePartition return an error and create no partition."""
    calls: list[int] = []

    def answer(**_: Any) -> tuple[Any, dict[str, Any]] | None:
        calls.append(1)
        if len(calls) > times:
            return None
        return type("Http", (), {"status_code": 400}), {"Error": {"Code": code, "Message": "busy"}}

    lake.glue.meta.events.register("before-call.glue.CreatePartition", answer)
    return calls


def test_a_partition_has_the_days_location_and_the_contracts_columns(lake: Lake) -> None:
    table = lake.tables[SPEC_ATIVOS]

    register_partition(lake.glue, table, DAY)

    found = lake.glue.get_partition(
        DatabaseName=table.database, TableName=table.table, PartitionValues=[str(DAY)]
    )["Partition"]["StorageDescriptor"]
    assert found["Location"] == f"s3://lake-spec/{SPEC_ATIVOS}/anomesdia_exec={DAY}/"
    assert [column["Name"] for column in found["Columns"]] == table_schema(SPEC_ATIVOS).arrow.names


def test_a_partition_that_exists_already_is_no_error(lake: Lake) -> None:
    register_partition(lake.glue, lake.tables[SPEC_ATIVOS], DAY)
    register_partition(lake.glue, lake.tables[SPEC_ATIVOS], DAY)

    assert lake.partitions(SPEC_ATIVOS) == [str(DAY)]


def test_a_conflict_with_another_change_of_the_table_is_retried(lake: Lake) -> None:
    calls = answer_with(lake, "ConcurrentModificationException", times=2)

    register_partition(lake.glue, lake.tables[SPEC_ATIVOS], DAY)

    assert len(calls) == 3
    assert lake.partitions(SPEC_ATIVOS) == [str(DAY)]


@pytest.mark.parametrize(
    ("code", "attempts"), [("ConcurrentModificationException", ATTEMPTS), ("AccessDeniedException", 1)]
)
def test_a_partition_that_the_catalog_never_accepts_is_an_error(lake: Lake, code: str, attempts: int) -> None:
    calls = answer_with(lake, code, times=100)

    with pytest.raises(ClientError, match=code):
        register_partition(lake.glue, lake.tables[SPEC_ATIVOS], DAY)

    assert len(calls) == attempts


def test_days_in_the_bucket_but_not_in_the_catalog_are_found(lake: Lake) -> None:
    table = lake.tables[SPEC_ATIVOS]
    for day in (20261119, 20261120, DAY):
        lake.s3.put_object(Bucket=table.bucket, Key=f"{table.prefix(day)}any.parquet", Body=b"")
    for day in (20261118, 20261120):
        register_partition(lake.glue, table, day)

    assert days_without_partition(lake.s3, lake.glue, table) == (20261119, DAY)


def test_keys_without_a_day_of_the_table_are_ignored(lake: Lake) -> None:
    table = lake.tables[SPEC_ATIVOS]
    for key in (
        "_SUCCESS",
        "anomesdia_exec=none/a",
        "anomesdia_exec=20261399/a",
        "anomesdia_exec=020261123/a",
    ):
        lake.s3.put_object(Bucket=table.bucket, Key=f"{table.root}{key}", Body=b"")
    lake.s3.put_object(Bucket=table.bucket, Key=f"another/{table.prefix(DAY)}a", Body=b"")

    assert days_without_partition(lake.s3, lake.glue, table) == ()


def test_one_call_of_s3_or_of_the_catalog_lists_many_days(lake: Lake) -> None:
    table = lake.tables[SPEC_ATIVOS]
    for day in (20261119, 20261120, DAY):
        for name in "abc":
            lake.s3.put_object(Bucket=table.bucket, Key=f"{table.prefix(day)}{name}", Body=b"")
    list_keys(lake, at_once=2)
    calls: list[str] = []
    for client in (lake.s3, lake.glue):
        client.meta.events.register("before-call", lambda model, **_: calls.append(model.name))

    assert len(days_without_partition(lake.s3, lake.glue, table)) == 3
    assert Counter(calls) == {"ListObjectsV2": 2, "GetPartitions": 1}
