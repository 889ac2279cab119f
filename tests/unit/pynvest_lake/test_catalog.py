from __future__ import annotations

from typing import Any

import pytest

from moto_lake import DAY, Lake
from pynvest_lake.catalog import ATTEMPTS, PartitionNotRegistered, register_partition
from pynvest_lake.contract import SPEC_ATIVOS, table_schema


def answer_with(lake: Lake, code: str, times: int) -> list[int]:
    """Let calls of BatchCreatePartition answer an error instead of doing anything."""
    calls: list[int] = []

    def answer(**_: Any) -> tuple[Any, dict[str, Any]] | None:
        calls.append(1)
        if len(calls) > times:
            return None
        detail = {"ErrorCode": code, "ErrorMessage": "busy"}
        return type("Http", (), {"status_code": 200}), {"Errors": [{"ErrorDetail": detail}]}

    lake.glue.meta.events.register("before-call.glue.BatchCreatePartition", answer)
    return calls


def test_a_partition_has_the_days_location_and_the_contracts_columns(lake: Lake) -> None:
    table = lake.tables[SPEC_ATIVOS]

    register_partition(lake.glue, table, DAY)

    found = lake.glue.get_partition(
        DatabaseName=table.database, TableName=table.table, PartitionValues=[str(DAY)]
    )["Partition"]["StorageDescriptor"]
    assert found["Location"] == f"s3://lake-spec/{SPEC_ATIVOS}/anomesdia_exec={DAY}/"
    assert [column["Name"] for column in found["Columns"]] == table_schema(SPEC_ATIVOS).names


def test_a_partition_that_exists_already_is_no_error(lake: Lake) -> None:
    register_partition(lake.glue, lake.tables[SPEC_ATIVOS], DAY)
    register_partition(lake.glue, lake.tables[SPEC_ATIVOS], DAY)

    assert lake.partitions(SPEC_ATIVOS) == [str(DAY)]


def test_a_table_that_another_function_changes_at_the_moment_is_tried_again(lake: Lake) -> None:
    calls = answer_with(lake, "ConcurrentModificationException", times=2)

    register_partition(lake.glue, lake.tables[SPEC_ATIVOS], DAY, wait_seconds=0)

    assert len(calls) == 3
    assert lake.partitions(SPEC_ATIVOS) == [str(DAY)]


@pytest.mark.parametrize(
    ("code", "attempts"), [("ConcurrentModificationException", ATTEMPTS), ("AccessDeniedException", 1)]
)
def test_a_partition_that_the_catalog_never_takes_is_an_error_that_names_it(
    lake: Lake, code: str, attempts: int
) -> None:
    calls = answer_with(lake, code, times=100)

    with pytest.raises(
        PartitionNotRegistered, match=f"partition {DAY} of db_spec.{SPEC_ATIVOS}: {code}: busy"
    ):
        register_partition(lake.glue, lake.tables[SPEC_ATIVOS], DAY, wait_seconds=0)

    assert len(calls) == attempts


def test_a_missing_table_is_an_error(lake: Lake) -> None:
    lake.glue.delete_table(DatabaseName="db_spec", Name=SPEC_ATIVOS)

    with pytest.raises(lake.glue.exceptions.EntityNotFoundException):
        register_partition(lake.glue, lake.tables[SPEC_ATIVOS], DAY)
