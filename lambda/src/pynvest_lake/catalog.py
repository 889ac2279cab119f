"""Partitions of the lake's tables in the Glue catalog."""

from __future__ import annotations

import time

import awswrangler as wr
from botocore.exceptions import ClientError

from pynvest_lake.contract import table_schema
from pynvest_lake.storage import LakeTable

ATTEMPTS = 5
_CONCURRENT = "ConcurrentModificationException"


def register_partition(table: LakeTable, day: int, *, wait_seconds: float = 0.5) -> None:
    """Make a day's partition known to the catalog; that it is known already is no error.

    Parameters
    ----------
    table
        The table.
    day
        The day, ``YYYYMMDD``.
    wait_seconds
        Wait before the second attempt, where another function changes the table at the same moment;
        doubles with each further one.

    Raises
    ------
    awswrangler.exceptions.ServiceApiError, botocore.exceptions.ClientError
        The catalog did not take the partition.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            wr.catalog.add_parquet_partitions(
                database=table.database,
                table=table.table,
                partitions_values={table.location(day): [str(day)]},
                compression="snappy",
                columns_types={column.name: column.type for column in table_schema(table.table).columns},
            )
        except (wr.exceptions.ServiceApiError, ClientError) as error:
            if _CONCURRENT not in str(error) or attempt == ATTEMPTS:
                raise
            time.sleep(wait_seconds * 2 ** (attempt - 1))
        else:
            return
