"""Athena replaces a view with its query, and ``"<table>$partitions"`` with the table's partition values.

MiniStack's Athena finds only the catalog's tables, so a query of a view or of ``"<table>$partitions"`` fails.
Remove this module when the tests of the views pass without it.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from ministack.services import athena, glue

VIEW = re.compile(r"/\* Presto View: (\S+) \*/")
SUFFIX = "$partitions"


def apply() -> None:
    """Replace each view and each ``"<table>$partitions"`` in a query with a subquery."""
    rewrite = athena._rewrite_data_paths

    async def rewrite_expanded(query: str, database: str | None, catalog: str | None = None) -> Any:
        return await rewrite(expanded(query, database), database, catalog)

    athena._rewrite_data_paths = rewrite_expanded


def expanded(query: str, database: str | None) -> str:
    """Replace each view and each ``"<table>$partitions"`` with a subquery; a view may read other views."""
    for reference in reversed(athena._table_references(query)):
        own, name = reference.database or database, reference.table
        table = f"{own}/{name.removesuffix(SUFFIX)}"
        if name.endswith(SUFFIX) and table in glue._tables:
            inner = _partitions(table)
        elif definition := view(own, name):
            inner = expanded(definition["originalSql"], definition["schema"])
        else:
            continue
        alias = "" if reference.aliased else f' AS "{name}"'
        # Put the inner query on separate lines, because it may end with a comment.
        query = f"{query[: reference.start]}(\n{inner}\n){alias}{query[reference.end :]}"
    return query


def _partitions(table: str) -> str:
    """Return a query that lists the partition values of ``<database>/<table>`` in one column."""
    (key,) = glue._tables[table]["PartitionKeys"]
    values = ", ".join(f"'{partition['Values'][0]}'" for partition in glue._partitions.get(table, []))
    listed = f"UNNEST(CAST(ARRAY[{values}] AS ARRAY(VARCHAR))) AS listed(value)"
    return f'SELECT CAST(value AS {key["Type"]}) AS "{key["Name"]}" FROM {listed}'  # noqa: S608 - the catalog's names


def view(database: str | None, name: str) -> dict[str, Any] | None:
    """Return the catalog's definition of a view; None if there is no view with that name."""
    table = glue._tables.get(f"{database}/{name}") or {}
    found = VIEW.fullmatch(table.get("ViewOriginalText") or "")
    if table.get("TableType") != "VIRTUAL_VIEW" or found is None:
        return None
    definition: dict[str, Any] = json.loads(base64.b64decode(found[1]))
    return definition
