"""Which tests have to share a process, where `make test` runs them in two: those that share an emulator."""

from __future__ import annotations

import pytest
from faulty_lake import applied_faulty_lake, faulty, number  # noqa: F401 - fixtures


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep each suite that applies the module once together; its applying is most of its time."""
    for item in items:
        if item.path.parent.name == "deploy":
            item.add_marker(pytest.mark.xdist_group("deploy"))
        elif "faulty" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("faults"))
        elif item.path.name == "test_day.py":
            item.add_marker(pytest.mark.xdist_group("day"))
