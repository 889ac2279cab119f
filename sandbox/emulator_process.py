"""The emulator's own process: MiniStack, corrected by `sandbox.emulator_patches`.

:class:`sandbox.emulator.Emulator` runs this module as ``python -m sandbox.emulator_process``. The emulator's
settings are environment variables.
"""

from __future__ import annotations

import os

from ministack import app

from sandbox import emulator_patches
from sandbox.process import end_with_parent

if __name__ == "__main__":
    end_with_parent()
    emulator_patches.apply_all()
    # Function processes would inherit PYTHONPATH, and could then import modules that Lambda does not have.
    os.environ.pop("PYTHONPATH", None)
    app.main()
