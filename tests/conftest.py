"""What holds for every test: no real account, and which of them run in one process where there are two."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pynvest_lake import aws

REGION = "sa-east-1"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test reaches a real account."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    aws.client.cache_clear()
    yield
    aws.client.cache_clear()


SLOWEST = {"deploy": 0, "faults": 1, "test_day.py": 2}


def group_of(item: pytest.Item) -> str:
    """Name the tests that an item shares an expensive fixture with."""
    if item.path.parent.name == "deploy":
        return "deploy"
    if "faulty" in getattr(item, "fixturenames", ()):
        return "faults"
    return item.path.name


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what shares an expensive fixture in one process, where `make test` runs the tests in two.

    What takes longest comes first, so that neither process is left alone with it in the end.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))
    items.sort(key=lambda item: SLOWEST.get(group_of(item), len(SLOWEST)))
