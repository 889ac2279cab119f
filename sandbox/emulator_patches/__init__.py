"""Patches of MiniStack where it differs from AWS and the module depends on it: one file per behaviour.

Each file says which behaviour of AWS it restores and how to tell that it is no longer needed. It has one
function, ``apply``, which changes MiniStack in the emulator's own process.
"""

from __future__ import annotations

from sandbox.emulator_patches import (
    actions,
    athena_catalog,
    athena_partitions,
    athena_repair,
    athena_results,
    athena_sql,
    athena_views,
    authorizations,
    conditional_puts,
    glue_descriptions,
    glue_partitions,
    lambda_batches,
    lambda_errors,
    lambda_layers,
    lambda_logs,
    lambda_starts,
    lambda_turns,
    layer_parameters,
    named_resources,
    own_port,
    repeated_requests,
    scheduled_times,
)


def apply_all() -> None:
    """Change MiniStack in this process."""
    for patch in (
        lambda_batches,
        lambda_errors,
        lambda_layers,
        lambda_logs,
        lambda_starts,
        lambda_turns,
        layer_parameters,
        own_port,
        actions,
        conditional_puts,
        glue_descriptions,
        glue_partitions,
        athena_results,
        athena_partitions,
        athena_repair,
        athena_sql,  # its output has the names of partitions and tables in DuckDB's form
        athena_views,  # views also name partitions in Athena's SQL: their queries are inserted first
        athena_catalog,
        named_resources,
        repeated_requests,
        scheduled_times,
        authorizations,
    ):
        patch.apply()
