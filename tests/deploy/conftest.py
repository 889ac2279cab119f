"""The fixtures give each test file a separate account, and the settings to reach the account."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from consumer import PROJECT

from sandbox.emulator import Emulator
from sandbox.terraform import provider_env


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def env(emulator: Emulator) -> dict[str, str]:
    return {**emulator.env(), **provider_env(PROJECT / ".local")}
