"""Athena's ``MSCK REPAIR TABLE`` registers the partitions that it finds under the table's location.

MiniStack's Athena passes ``MSCK REPAIR TABLE`` to DuckDB, which does not support this statement. Remove this
module when the test of a catalog with missing days passes without it.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from ministack.services import athena, glue, s3

STATEMENT = re.compile(r"\s*MSCK\s+REPAIR\s+TABLE\s+`?(?:(\w+)`?\.`?)?(\w+)`?\s*;?\s*", re.IGNORECASE)


def apply() -> None:
    """Register a table's partitions when a query is ``MSCK REPAIR TABLE``."""
    run = athena._run_duckdb

    async def run_or_repair(query: str, database: str | None, catalog: str | None = None) -> Any:
        found = STATEMENT.fullmatch(query)
        if found is None:
            return await run(query, database, catalog)
        added = repaired(found[1] or database, found[2])
        return {"columns": ["result"], "column_types": ["varchar"], "rows": [[line] for line in added]}

    athena._run_duckdb = run_or_repair


def repaired(database: str | None, name: str) -> list[str]:
    """Register the partitions that the catalog lacks; return Athena's output, one line per partition."""
    table = glue._tables.get(f"{database}/{name}")
    if table is None:
        raise ValueError(f"FAILED: SemanticException Table not found {name}")
    storage, (key,) = table["StorageDescriptor"], table["PartitionKeys"]
    location = urlsplit(storage["Location"])
    start = f"{location.path.strip('/')}/{key['Name']}="
    values = {
        item.removeprefix(start).split("/")[0]
        for item in s3._buckets[location.netloc]["objects"]
        if item.startswith(start) and "/" in item.removeprefix(start)
    }
    values -= {partition["Values"][0] for partition in glue._partitions.get(f"{database}/{name}", [])}
    of_table = {"DatabaseName": database, "TableName": name}
    for value in sorted(values):
        place = {**storage, "Location": f"s3://{location.netloc}/{start}{value}/"}
        given = {"Values": [value], "StorageDescriptor": place}
        glue._batch_create_partition({**of_table, "PartitionInputList": [given]})
    return [f"Repair: Added partition to metastore {name}:{key['Name']}={value}" for value in sorted(values)]
