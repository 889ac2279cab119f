"""Settings for all tests: fake credentials, the clock, and the groups for parallel processes."""

from __future__ import annotations

import functools
import itertools
import os
from collections import Counter
from collections.abc import Iterator

import botocore.session
import pandas as pd  # noqa: F401 - loaded before handlers without pandas: other tests here need it
import pytest
import time_machine
from hypothesis import HealthCheck, settings

from pynvest_lake import aws

REGION = "sa-east-1"

# Read boto's service descriptions once, although moto creates many sessions.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

# Hypothesis sets no time limit for an example, because the machine may be slow.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    """Start the clock at the value of PYNVEST_CLOCK, if this is set; the value is a time with a UTC offset.

    This clock does not affect time.monotonic() or other processes.
    """
    if moment := os.environ.get("PYNVEST_CLOCK"):
        clock = time_machine.travel(moment, tick=True)
        clock.start()
        config.add_cleanup(clock.stop)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Use fake credentials, so that no test reaches a real account."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    forget_clients()
    yield
    forget_clients()


def forget_clients() -> None:
    """Clear the caches, so that new boto3 clients use the current credentials and region."""
    aws.client.cache_clear()
    aws.session.cache_clear()


SLOWEST = {
    "test_deployment.py": 0,
    "faults": 1,
    "test_day.py": 2,
    "test_upgrade.py": 3,
    "test_athena.py": 4,
    "test_packages.py": 5,
    "test_any_order.py": 6,
}


def group_of(item: pytest.Item) -> str:
    """Return the name of the group of tests that share an expensive fixture with this test."""
    return "faults" if "faulty" in getattr(item, "fixturenames", ()) else item.path.name


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share an expensive fixture in one process. `make test` uses three processes.

    The slowest groups come first, so that no slow group runs alone at the end.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))
    items.sort(key=lambda item: SLOWEST.get(group_of(item), len(SLOWEST)))


SLOWEST_GROUPS = 10


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the slowest groups of tests, fixtures included. One process runs each group."""
    seconds: Counter[str] = Counter()
    for report in itertools.chain.from_iterable(terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport):
            path, _, test = report.nodeid.partition("::")
            group = test.rpartition("@")[2]  # pytest-xdist appends @group; a text with ] is a parameter
            seconds[path if group == test or "]" in group else group] += report.duration
    terminalreporter.section(f"slowest {SLOWEST_GROUPS} groups")
    for group, took in seconds.most_common(SLOWEST_GROUPS):
        terminalreporter.write_line(f"{took:6.1f} s  {group}")
