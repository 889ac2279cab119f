"""Background processes, each with its own process group, so that a stop also ends all child processes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sandbox import SandboxError

LOOPBACK = "127.0.0.1"
READY_SECONDS = 60.0
"""Time that a process gets to become ready."""
GRACE_SECONDS = 3.0
"""Time that processes get to end by themselves."""


class ProcessFailed(SandboxError):
    """A background process ended or was not ready in time; the message holds the end of its log."""


def free_port() -> int:
    """Return a free TCP port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def accepts_connections(port: int) -> bool:
    """Return whether a TCP port of the loopback interface has a listener."""
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


class BackgroundProcess:
    """A Python module that runs in a separate process group and writes its output to a log file.

    Parameters
    ----------
    module
        The module to run, as in ``python -m module``.
    arguments
        Command-line arguments of the module.
    env
        Environment of the new process; None for this process's environment.
    log_path
        File for the output of the process.
    outlives_us
        Whether the process keeps running if its parent process ends without calling `stop`. If `outlives_us`
        is false, the standard input of the process is a pipe, and the process ends when the pipe closes.
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        log_path: Path,
        outlives_us: bool = False,
    ) -> None:
        self.module = module
        self.log_path = log_path
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=env,
                stdin=subprocess.DEVNULL if outlives_us else subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Id of both the process and its group."""
        return self._process.pid

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait until `ready` returns true.

        Raises
        ------
        ProcessFailed
            The process ends before it is ready, or is not ready after `READY_SECONDS`.
        """
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            if self._process.poll() is not None:
                status = self._process.returncode
                raise ProcessFailed(f"{self.module} ended with status {status}{self._log_end()}")
            if time.monotonic() > deadline:
                raise ProcessFailed(f"{self.module} not ready after {READY_SECONDS:.0f} s{self._log_end()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the process and all processes that it started."""
        stop_group(self.pid, reap=self._process.poll)
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    def _log_end(self) -> str:
        lines = self.log_path.read_text(errors="replace").splitlines()[-20:]
        return "".join(f"\n  {line}" for line in [f"(from {self.log_path})", *lines])


def end_with_parent() -> None:
    """End this process and its whole process group when the pipe at standard input closes.

    The pipe closes when the parent process ends. Do nothing unless standard input is a pipe and this process
    leads its group.
    """
    if os.getpgrp() != os.getpid() or not stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        return

    def wait_for_end() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait_for_end, name="end-with-parent", daemon=True).start()


def group_is_alive(group: int) -> bool:
    """Return whether a process group still has a process."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def stop_group(group: int, *, reap: Callable[[], object] = lambda: None) -> None:
    """Ask a process group to end, and kill the remaining processes after `GRACE_SECONDS`.

    Parameters
    ----------
    group
        Id of the process group.
    reap
        Function that collects the exit status of the group's leader; called repeatedly until the group has
        ended. Needed only if the leader is a child of this process.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline:
            reap()
            if not group_is_alive(group):
                return
            time.sleep(0.02)


def runs_module(pid: int, module: str) -> bool:
    """Return whether the process `pid` runs `module`; the system reuses the ids of ended processes."""
    listing = subprocess.run(
        ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return f"-m {module}" in listing
