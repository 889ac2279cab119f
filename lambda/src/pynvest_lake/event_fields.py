"""The run day in events and keys: ``anomesdia_exec``."""

from __future__ import annotations

from collections.abc import Collection, Mapping

PARTITION_KEY = "anomesdia_exec"


def check_fields(event: Mapping[str, object], known: Collection[str]) -> None:
    """Check that an event has only known fields.

    Raises
    ------
    ValueError
        The event has an unknown field.
    """
    if unknown := sorted(set(event) - set(known)):
        raise ValueError(f"event has {', '.join(unknown)}, expected no fields but {', '.join(known)}")
