"""What AWS does otherwise than MiniStack, set right where the module rests on it: a behaviour a module.

Each module says which behaviour of AWS it restores and how to tell that it is no longer needed, and has one
function, ``apply``, which changes MiniStack within the emulator's own process.
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
        athena_sql,  # of which the names of partitions and tables are DuckDB's
        athena_views,  # which name partitions, too, in the SQL of Athena: their queries are put in first
        athena_catalog,
        named_resources,
        repeated_requests,
        scheduled_times,
        authorizations,
    ):
        patch.apply()
