"""Glue returns no description for a table whose last create or update request has no description.

MiniStack returns an empty or an outdated description, which Trino shows instead of the view's comment. Remove
this module when the tests of Trino pass without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import glue

Handle = Callable[[dict[str, Any]], Any]


def apply() -> None:
    """Do not store an empty description when a table is created or updated."""
    glue._create_table = without_empty(glue._create_table)
    glue._update_table = without_empty(glue._update_table)


def without_empty(handle: Handle) -> Handle:
    """Return `handle`, changed so that it stores no empty description."""

    def handle_and_leave_out(request: dict[str, Any]) -> Any:
        described = {"Description": "", **request["TableInput"]}
        answer = handle({**request, "TableInput": described})
        table = glue._tables.get(f"{request['DatabaseName']}/{described['Name']}", {})
        if not table.get("Description"):
            table.pop("Description", None)
        return answer

    return handle_and_leave_out
