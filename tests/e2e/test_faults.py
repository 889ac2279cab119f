"""Days that go wrong, on the emulator: the tables end exact all the same."""

from __future__ import annotations

import pytest

from faulty_lake import FaultyLake

pytest_plugins = ["faulty_lake"]
pytestmark = pytest.mark.e2e


def test_a_day_without_faults_is_exact(faulty: FaultyLake, number: int) -> None:
    day = faulty.day()
    day.start(anomesdia_exec=number)
    day.wait()
    faulty.fold(day)

    faulty.check(day)
