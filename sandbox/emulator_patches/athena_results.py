"""Athena writes a query's result to the object in the execution's ``OutputLocation``.

MiniStack uses ``OutputLocation`` as a folder and writes the result into the folder. Remove this module when
the tests of the recipes pass without it.
"""

from __future__ import annotations

from ministack.services import athena


def apply() -> None:
    """Write a query's result to the object in ``OutputLocation``, and the result's metadata beside it."""
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
