"""The functions' packages and layers, unpacked as Lambda does, and facts about the managed layer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MANAGED_LAYER = ROOT / "lambda" / "layer" / "managed.txt"

UNZIPPED_MIB = 204
"""Size of release 3.16.1 for Python 3.13, from aws/aws-sdk-pandas issue 3331."""

RUNTIMES_OWN = ("boto3", "botocore", "s3transfer", "urllib3")
"""Packages that the layer's packages need but that only Lambda's Python contains."""


def pins(path: Path) -> dict[str, str]:
    """Return the version of each package that a requirements file pins."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return dict(line.split()[0].split("==") for line in lines if line and not line.startswith("-r "))


def build_and_unpack(target: Path) -> Path:
    """Build the packages and the layer, and unpack each archive into a directory of its own."""
    runtime = f"python3.{sys.version_info.minor}"
    command = [sys.executable, ROOT / "lambda" / "build.py", "--output", target, "--runtime", runtime]
    subprocess.run(command, check=True)
    for archive in target.glob("*.zip"):
        shutil.unpack_archive(archive, target / archive.stem.rpartition("-")[0])
    return target
