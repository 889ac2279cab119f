"""Athena reads a view of the Glue catalog as the query that it stands for.

MiniStack's Athena passes such views over, so that a query of one ends with a table that is not there. No
longer needed once the tests of the views pass without this module.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from ministack.services import athena, glue

VIEW = re.compile(r"/\* Presto View: (\S+) \*/")


def apply() -> None:
    """Put the query of each view that a query names into its place."""
    rewrite = athena._rewrite_data_paths

    async def rewrite_expanded(query: str, database: str | None, catalog: str | None = None) -> Any:
        return await rewrite(expanded(query, database), database, catalog)

    athena._rewrite_data_paths = rewrite_expanded


def expanded(query: str, database: str | None) -> str:
    """Return a query with that of each view in the view's place, and of the views in those."""
    for reference in reversed(athena._table_references(query)):
        definition = view(reference.database or database, reference.table)
        if definition is not None:
            alias = "" if reference.aliased else f' AS "{reference.table}"'
            # On lines of its own: it may end with a comment.
            inner = f"(\n{expanded(definition['originalSql'], definition['schema'])}\n){alias}"
            query = query[: reference.start] + inner + query[reference.end :]
    return query


def view(database: str | None, name: str) -> dict[str, Any] | None:
    """Return what the catalog holds of a view; None where there is no view of that name."""
    table = glue._tables.get(f"{database}/{name}") or {}
    found = VIEW.fullmatch(table.get("ViewOriginalText") or "")
    if table.get("TableType") != "VIRTUAL_VIEW" or found is None:
        return None
    definition: dict[str, Any] = json.loads(base64.b64decode(found[1]))
    return definition
