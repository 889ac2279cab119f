"""Patches, one file per behaviour, for the differences between MiniStack and AWS that affect the module.

Each file names the AWS behaviour that it restores, and says when to remove the file. The function ``apply``
in each file changes MiniStack in the emulator's own process.
"""

from __future__ import annotations

from importlib import import_module

PATCHES = (
    *("lambda_batches", "lambda_errors", "lambda_logs", "lambda_starts", "lambda_turns"),
    *("layer_parameters", "own_port", "actions", "conditional_puts", "glue_descriptions", "glue_partitions"),
    *("athena_results", "athena_sql"),
    "athena_views",  # runs before the patch above: the queries of views are in Athena's SQL
    *("athena_catalog", "named_resources", "repeated_requests", "authorizations"),
)


def apply_all() -> None:
    """Change MiniStack in this process."""
    for name in PATCHES:
        import_module(f"{__name__}.{name}").apply()
