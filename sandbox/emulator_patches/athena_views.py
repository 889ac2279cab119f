"""Athena replaces a view of the Glue catalog with the view's query.

MiniStack's Athena ignores views of the Glue catalog, so a query of a view fails because it finds no table.
Remove this module when the tests of the views pass without it.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from ministack.services import athena, glue

VIEW = re.compile(r"/\* Presto View: (\S+) \*/")


def apply() -> None:
    """Replace each view in a query with the view's own query."""
    rewrite = athena._rewrite_data_paths

    async def rewrite_expanded(query: str, database: str | None, catalog: str | None = None) -> Any:
        return await rewrite(expanded(query, database), database, catalog)

    athena._rewrite_data_paths = rewrite_expanded


def expanded(query: str, database: str | None) -> str:
    """Return a query with each view replaced by the view's own query, including views inside views."""
    for reference in reversed(athena._table_references(query)):
        definition = view(reference.database or database, reference.table)
        if definition is not None:
            alias = "" if reference.aliased else f' AS "{reference.table}"'
            # Put the inner query on separate lines, because it may end with a comment.
            inner = f"(\n{expanded(definition['originalSql'], definition['schema'])}\n){alias}"
            query = query[: reference.start] + inner + query[reference.end :]
    return query


def view(database: str | None, name: str) -> dict[str, Any] | None:
    """Return the catalog's definition of a view; None if there is no view with that name."""
    table = glue._tables.get(f"{database}/{name}") or {}
    found = VIEW.fullmatch(table.get("ViewOriginalText") or "")
    if table.get("TableType") != "VIRTUAL_VIEW" or found is None:
        return None
    definition: dict[str, Any] = json.loads(base64.b64decode(found[1]))
    return definition
