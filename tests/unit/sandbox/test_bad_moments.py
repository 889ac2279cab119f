"""The local run's commands print a message if a process is busy, has ended, or does not answer."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sandbox import emulator, local
from sandbox.__main__ import main
from sandbox.console import Console
from sandbox.process import LOOPBACK, free_port, group_is_alive

LIVE = ["--source=live", "--tickers=PETR4"]


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of an unreachable site; runs that read this site fail immediately."""
    url = f"https://127.0.0.1:{free_port()}"
    monkeypatch.setattr(local, "LIVE_SITE", url)
    return url


@pytest.fixture
def ended(tmp_path: Path) -> Iterator[int]:
    """Write `UP_FILE` with a site that still runs and an emulator that has ended. Yield the site's pid."""
    site = subprocess.Popen(
        [sys.executable, "-m", local.SITE_MODULE, "--day=20261123", f"--port={free_port()}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / "up").mkdir()
    processes = [
        {"module": local.SITE_MODULE, "pid": site.pid},
        {"module": emulator.MODULE, "pid": gone.pid},
    ]
    left = {"endpoint_url": "https://127.0.0.1:9", "ca_bundle": "ca", "workgroup": "w"}
    (tmp_path / "up" / local.UP_FILE).write_text(json.dumps({**left, "processes": processes}))
    # Wait for the site, a child of this process, so that the ended site does not remain as a zombie.
    collector = threading.Thread(target=site.wait)
    collector.start()
    yield site.pid
    site.kill()
    collector.join()


def said_by(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = main(arguments)
    return status, "".join(capsys.readouterr())


def test_a_query_says_that_the_emulator_has_ended(
    tmp_path: Path, ended: int, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = said_by(capsys, f"--state-dir={tmp_path}", "query", "SELECT 1")

    assert (status, said.strip()) == (
        1,
        "The emulator that `make up` left running has ended: run `make up` again.",
    )


def test_down_removes_the_data_and_the_site_of_an_ended_emulator(
    tmp_path: Path, ended: int, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = said_by(capsys, f"--state-dir={tmp_path}", "down")

    assert (status, "The emulator had ended already; its data is removed." in said) == (0, True)
    assert not (tmp_path / "up").exists()
    assert not group_is_alive(ended)


def test_up_continues_if_an_earlier_emulator_has_ended(
    tmp_path: Path, ended: int, nowhere: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = said_by(capsys, f"--state-dir={tmp_path}", "up", *LIVE)

    assert (status, "has ended: its data is removed" in said) == (1, True)
    assert f"The site {nowhere} cannot be reached" in said


def test_the_live_site_is_not_read_without_tickers(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["run", "--source=live"])

    assert "TICKERS=PETR4,HGLG11" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "up"])
def test_a_second_day_in_one_checkout_is_refused(
    tmp_path: Path, nowhere: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with local._locked(tmp_path, "run"):
        status, said = said_by(capsys, f"--state-dir={tmp_path}", command, *LIVE)
    assert (status, said.strip()) == (
        1,
        f"`make run` (process {os.getpid()}) runs in this checkout: wait until it ends, or interrupt it.",
    )

    with (tmp_path / local.LOCK_FILE).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("url", [None, "https://nowhere.invalid"])
def test_a_site_that_cannot_be_reached_is_named_before_anything_starts(
    tmp_path: Path, nowhere: str, url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "LIVE_SITE", url or nowhere)
    with pytest.raises(
        local.SiteNotReached, match=f"The site {url or nowhere} cannot be reached from here: "
    ):
        local.run(tmp_path, local.Source(live=True, tickers=("PETR4",)), Console())
    assert [path.name for path in tmp_path.iterdir()] == [local.LOCK_FILE]


def test_a_site_that_does_not_answer_in_time_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "REACHED_WITHIN_SECONDS", 0.5)
    with ExitStack() as opened:
        server = opened.enter_context(socket.socket())
        server.bind((LOOPBACK, 0))
        server.listen(0)
        for _ in range(4):  # These fill the kernel's queue, so the next connection gets no answer.
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        with pytest.raises(local.SiteNotReached, match="timed out"):
            local.check_reached(f"https://{LOOPBACK}:{server.getsockname()[1]}")
