"""What runs in the emulator's own process: MiniStack, set right by `sandbox.emulator_patches`.

Run as ``python -m sandbox.emulator_process``; :class:`sandbox.emulator.Emulator` does. Its settings are
environment variables. Where its standard input is a pipe, the end of that pipe means that the process that
started it has gone, and it ends with all function processes.
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
    """End this process and its whole group when the pipe that is its standard input is closed."""
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
    # Function processes inherit this environment, and must find their own package only.
    os.environ.pop("PYTHONPATH", None)
    app.main()
