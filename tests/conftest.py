"""What holds for every test: no real account, its clock, and which run in one process of several."""

from __future__ import annotations

import functools
import itertools
import os
from collections import Counter
from collections.abc import Iterator

import botocore.session
import pandas as pd  # noqa: F401 - before a handler that does without: other tests of its process do not
import pytest
import time_machine
from hypothesis import HealthCheck, settings

from pynvest_lake import aws

REGION = "sa-east-1"

# moto begins with a new session each time, and that would read the same descriptions of services anew.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

# An example may take as long as the machine makes it take.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    """Let the clock run on from PYNVEST_CLOCK, where that is set: a moment with its offset from UTC.

    It is this process's clock only. Where a test waits it goes by time.monotonic(), which stays as it is.
    """
    if moment := os.environ.get("PYNVEST_CLOCK"):
        clock = time_machine.travel(moment, tick=True)
        clock.start()
        config.add_cleanup(clock.stop)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test reaches a real account."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    forget_clients()
    yield
    forget_clients()


def forget_clients() -> None:
    """Let the next client be made of the credentials and the region of then."""
    aws.client.cache_clear()
    aws.session.cache_clear()


SLOWEST = {
    "test_deployment.py": 0,
    "faults": 1,
    "more faults": 2,
    "test_day.py": 3,
    "test_upgrade.py": 4,
    "test_athena.py": 5,
}


def group_of(item: pytest.Item) -> str:
    """Name the tests that an item shares an expensive fixture with."""
    if "faulty" in getattr(item, "fixturenames", ()):
        # Two lakes, since these tests mostly wait.
        return "faults" if item.path.name == "test_faults.py" else "more faults"
    return item.path.name


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what shares an expensive fixture in one process, where `make test` runs the tests in three.

    What takes longest comes first, so that no process is left alone with it in the end.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))
    items.sort(key=lambda item: SLOWEST.get(group_of(item), len(SLOWEST)))


SLOWEST_GROUPS = 10


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the groups of tests that took longest, fixtures included: one process runs each."""
    seconds: Counter[str] = Counter()
    for report in itertools.chain.from_iterable(terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport):
            path, _, group = report.nodeid.partition("@")
            seconds[group or path.partition("::")[0]] += report.duration
    terminalreporter.section(f"slowest {SLOWEST_GROUPS} groups")
    for group, took in seconds.most_common(SLOWEST_GROUPS):
        terminalreporter.write_line(f"{took:6.1f} s  {group}")
