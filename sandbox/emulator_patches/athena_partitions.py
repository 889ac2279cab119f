"""Athena reads ``"<table>$partitions"`` as the list of a table's partition values in the catalog.

MiniStack's Athena looks for a table with the literal name ``<table>$partitions``. Remove this module when the
tests of the views pass without it.
"""

from __future__ import annotations

from typing import Any

from ministack.services import athena, glue

SUFFIX = "$partitions"


def apply() -> None:
    """Replace ``"<table>$partitions"`` in a query with the table's partition values."""
    rewrite = athena._rewrite_data_paths

    async def rewrite_with_partitions(query: str, database: str | None, catalog: str | None = None) -> Any:
        return await rewrite(with_partitions(query, database), database, catalog)

    athena._rewrite_data_paths = rewrite_with_partitions


def with_partitions(query: str, database: str | None) -> str:
    """Return a query with partition values in place of each ``"<table>$partitions"``."""
    for reference in reversed(athena._table_references(query)):
        name = f"{reference.database or database}/{reference.table.removesuffix(SUFFIX)}"
        if reference.table.endswith(SUFFIX) and name in glue._tables:
            alias = "" if reference.aliased else f' AS "{reference.table}"'
            query = query[: reference.start] + values(name) + alias + query[reference.end :]
    return query


def values(name: str) -> str:
    """Return a relation: a row per partition of ``<database>/<table>``, and a column per partition key."""
    partitions = [partition["Values"] for partition in glue._partitions.get(name, [])]
    columns = []
    for place, key in enumerate(glue._tables[name]["PartitionKeys"]):
        found = athena._sql_list([row[place] for row in partitions])
        columns.append(f'CAST(unnest({found}::VARCHAR[]) AS {athena._duckdb_type(key)}) AS "{key["Name"]}"')
    return f"(SELECT {', '.join(columns)})"
