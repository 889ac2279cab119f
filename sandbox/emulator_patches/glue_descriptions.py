"""Glue leaves a table's description out where there is none, and an update takes away what it does not name.

MiniStack answers an empty one; Trino takes it for the comment of a view, and then sees none. No longer needed
once the tests of Trino pass without this module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import glue

Handle = Callable[[dict[str, Any]], Any]


def apply() -> None:
    """Keep no empty description of a table that is created or changed."""
    glue._create_table = without_empty(glue._create_table)
    glue._update_table = without_empty(glue._update_table)


def without_empty(handle: Handle) -> Handle:
    """Return what handles a request in the same way, and keeps no empty description."""

    def handle_and_leave_out(request: dict[str, Any]) -> Any:
        described = {"Description": "", **request["TableInput"]}
        answer = handle({**request, "TableInput": described})
        table = glue._tables.get(f"{request['DatabaseName']}/{described['Name']}", {})
        if not table.get("Description"):
            table.pop("Description", None)
        return answer

    return handle_and_leave_out
