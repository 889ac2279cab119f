"""Patches of MiniStack: each file corrects one difference from AWS that affects the module.

Each file's docstring first names the correct behaviour, and then says when to remove the file. The function
``apply`` changes MiniStack in the emulator's own process.
"""

from __future__ import annotations

from importlib import import_module

PATCHES = (
    *("lambda_batches", "lambda_errors", "lambda_logs", "lambda_starts", "lambda_turns"),
    *("layer_parameters", "own_port", "actions", "conditional_puts", "glue_descriptions", "glue_partitions"),
    *("athena_results", "athena_sql"),
    "athena_views",  # inserts the queries of views before `athena_sql` translates the whole query
    *("athena_catalog", "named_resources", "repeated_requests", "authorizations"),
)


def apply_all() -> None:
    """Change MiniStack in this process."""
    for name in PATCHES:
        import_module(f"{__name__}.{name}").apply()
