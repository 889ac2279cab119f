"""The emulator's own process: MiniStack, corrected by `sandbox.emulator_patches`.

:class:`sandbox.emulator.Emulator` runs this module as ``python -m sandbox.emulator_process``. The emulator's
settings are environment variables. If standard input is a pipe, the emulator and all function processes end
when the pipe closes; the pipe closes when the parent process ends.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading

from ministack import app

from sandbox import emulator_patches


def end_with_parent() -> None:
    """End this process and its whole process group when the pipe at standard input closes."""
    leads_its_group = os.getpgrp() == os.getpid()
    if not leads_its_group or not stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        return

    def wait_for_end() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait_for_end, name="end-with-parent", daemon=True).start()


if __name__ == "__main__":
    end_with_parent()
    emulator_patches.apply_all()
    # Function processes inherit this environment; with PYTHONPATH, they would import wrong packages.
    os.environ.pop("PYTHONPATH", None)
    app.main()
