"""Athena answers ``"<table>$partitions"`` with the values of the partitions that the catalog has of a table.

MiniStack's Athena looks for a table of that name. No longer needed once the tests of the views pass without
this module.
"""

from __future__ import annotations

from typing import Any

from ministack.services import athena, glue

SUFFIX = "$partitions"


def apply() -> None:
    """Put the values of a table's partitions where a query names them."""
    rewrite = athena._rewrite_data_paths

    async def rewrite_with_partitions(query: str, database: str | None, catalog: str | None = None) -> Any:
        return await rewrite(with_partitions(query, database), database, catalog)

    athena._rewrite_data_paths = rewrite_with_partitions


def with_partitions(query: str, database: str | None) -> str:
    """Return a query with the values of partitions in place of the names that stand for them."""
    for reference in reversed(athena._table_references(query)):
        name = f"{reference.database or database}/{reference.table.removesuffix(SUFFIX)}"
        if reference.table.endswith(SUFFIX) and name in glue._tables:
            alias = "" if reference.aliased else f' AS "{reference.table}"'
            query = query[: reference.start] + values(name) + alias + query[reference.end :]
    return query


def values(name: str) -> str:
    """Return a relation with a row a partition of the table ``<database>/<table>``, and a column a key."""
    partitions = [partition["Values"] for partition in glue._partitions.get(name, [])]
    columns = []
    for place, key in enumerate(glue._tables[name]["PartitionKeys"]):
        found = athena._sql_list([row[place] for row in partitions])
        columns.append(f'CAST(unnest({found}::VARCHAR[]) AS {athena._duckdb_type(key)}) AS "{key["Name"]}"')
    return f"(SELECT {', '.join(columns)})"
