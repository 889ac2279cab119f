"""Athena writes the result of a query to the object that the execution names.

MiniStack uses the name as a folder and writes the result into the folder. No longer needed once the recipes'
tests pass without this module.
"""

from __future__ import annotations

from ministack.services import athena


def apply() -> None:
    """Write a result to the object that the execution names, and its metadata beside it."""
    save = athena._save_query_results

    async def save_where_it_is_named(query_id: str) -> None:
        configuration = athena._executions[query_id]["ResultConfiguration"]
        named = configuration["OutputLocation"]
        configuration["OutputLocation"] = named.removesuffix(f"{query_id}.csv")
        try:
            await save(query_id)
        finally:
            configuration["OutputLocation"] = named

    athena._save_query_results = save_where_it_is_named
