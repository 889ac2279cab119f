"""Partitions of the lake's tables in the Glue catalog.

This module calls the SDK. awswrangler would add a third of a second to each cold start of stages 3 to 6, and
nothing else in these stages needs it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from b3.days import PARTITION_KEY, parse_day
from pynvest_lake.aws import attempts
from pynvest_lake.contract import table_schema
from pynvest_lake.storage import LakeTable

ATTEMPTS = 5
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


def register_partition(glue: Any, table: LakeTable, day: int) -> None:
    """Create a day's partition in the catalog, unless it exists.

    If another function changes the table at the same moment, the call is repeated.

    Raises
    ------
    botocore.exceptions.ClientError
        The catalog did not create the partition.
    """
    partition = {
        "Values": [str(day)],
        "StorageDescriptor": {
            "Columns": [
                {"Name": column.name, "Type": column.type} for column in table_schema(table.table).columns
            ],
            "Location": table.location(day),
            "InputFormat": f"{_PARQUET}.MapredParquetInputFormat",
            "OutputFormat": f"{_PARQUET}.MapredParquetOutputFormat",
            "SerdeInfo": {
                "SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe",
                "Parameters": {"serialization.format": "1"},
            },
        },
    }
    for attempt in attempts(ATTEMPTS):
        try:
            glue.create_partition(
                DatabaseName=table.database, TableName=table.table, PartitionInput=partition
            )
        except glue.exceptions.AlreadyExistsException:
            return
        except glue.exceptions.ConcurrentModificationException:
            if attempt == ATTEMPTS:
                raise
        else:
            return


def days_without_partition(s3: Any, glue: Any, table: LakeTable) -> tuple[int, ...]:
    """Return the table's days that are in the bucket but not in the catalog. Queries cannot see them."""
    # List the bucket before the catalog. If the catalog were listed first, a day that is registered between
    # the two calls would count as missing. One call lists up to a thousand days, even if the days have many
    # objects.
    start = f"{table.root}{PARTITION_KEY}="
    listed = s3.get_paginator("list_objects_v2").paginate(Bucket=table.bucket, Prefix=start, Delimiter="/")
    values = {
        item["Prefix"].removeprefix(start).removesuffix("/")
        for page in listed
        for item in page.get("CommonPrefixes", [])
    }
    pages = glue.get_paginator("get_partitions").paginate(
        DatabaseName=table.database, TableName=table.table, ExcludeColumnSchema=True
    )
    values -= {partition["Values"][0] for page in pages for partition in page["Partitions"]}
    days = []
    for value in sorted(values):
        with suppress(ValueError):  # foreign keys name no day
            if str(parse_day(int(value))) == value:
                days.append(int(value))
    return tuple(days)
