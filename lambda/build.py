"""Build the Lambda packages and the layer: ``python3 lambda/build.py [--output DIR] [PACKAGE ...]``.

Terraform runs this script during apply. ``make package`` also runs it, to build packages for machines without
pip. The script needs only the standard library and pip. The hash in ``<package>-<hash>.zip`` comes from the
package's inputs. The file does not depend on time stamps, file modes or line endings of this machine. Two
machines build different files only if their zlib releases compress differently. In the layer, different pip
releases can also write different files into ``*.dist-info``.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "src"
SCHEMAS = HERE.parent / "glue" / "schemas"
REQUIREMENTS = HERE / "layer" / "requirements.txt"

# For each stage, the shared folders of lambda/src that its package contains. packages.tf reads the same file.
SHARED: dict[str, list[str]] = json.loads((HERE / "packages.json").read_text(encoding="utf-8"))
LAYER = "layer"
PLATFORM = "manylinux2014_x86_64"
NOT_IN_LAYER = "bin", "tests"  # commands, and the tests in pynvest's wheel
# A user's pip settings may change the target directory or prevent the installation: override these settings.
# NO_REFUSAL holds environment variables, because pip has no options for these two settings. Settings of the
# package index still apply.
NO_OTHER_PLACE = "--no-user", "--prefix=", "--root=/"
NO_REFUSAL = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_DRY_RUN": "0"}
EPOCH = (1980, 1, 1, 0, 0, 0)


class BuildError(Exception):
    """A package could not be built; the message says what to do."""


def package_names() -> list[str]:
    """Return the names of all packages; the last name is the layer."""
    return [*sorted(SHARED), LAYER]


def package_contents(package: str) -> dict[str, bytes]:
    """Return the files of a stage's package, by file name; each content has Unix line endings."""
    files = {
        path.relative_to(SOURCES).as_posix(): path
        for folder in (package, *SHARED[package])
        for suffix in ("py", "json")
        for path in SOURCES.glob(f"{folder}/**/*.{suffix}")
    }
    files.update((f"schemas/{path.name}", path) for path in SCHEMAS.glob("*.json"))
    return {name: _source(path) for name, path in sorted(files.items())}


def package_hash(package: str, runtime: str) -> str:
    """Return the hash in a package's file name. ``packages.tf`` computes the same hash."""
    sources = {"requirements.txt": _source(REQUIREMENTS)} if package == LAYER else package_contents(package)
    sources["build.py"] = _source(Path(__file__))
    lines = [f"{name} {hashlib.sha256(content).hexdigest()}" for name, content in sorted(sources.items())]
    if package == LAYER:
        lines.append(runtime)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def layer_contents(runtime: str) -> dict[str, bytes]:
    """Install the layer's requirements with pip, and return the layer's files as a map from name to content.

    Raises
    ------
    BuildError
        This Python has no pip, or pip could not get the requirements.
    """
    if importlib.util.find_spec("pip") is None:
        raise BuildError(f"{sys.executable} has no pip: install it (on Debian and Ubuntu: python3-pip)")
    with tempfile.TemporaryDirectory() as temporary:
        target = Path(temporary) / "python"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command += ["--require-hashes", "--no-deps", "--no-compile", "--only-binary=:all:"]
        command += ["--implementation=cp"]
        command += [f"--platform={PLATFORM}", f"--python-version={runtime.replace('python', '')}"]
        command += [f"--target={target}", f"--requirement={REQUIREMENTS}"]
        # Older pip releases check Requires-Python against their own Python, not against the target Python.
        command += ["--ignore-requires-python", *NO_OTHER_PLACE]
        try:
            subprocess.run(command, check=True, stdout=sys.stderr, env={**os.environ, **NO_REFUSAL})
        except subprocess.CalledProcessError as error:
            raise BuildError(
                f"pip could not install {REQUIREMENTS.name} with {sys.executable} (pip's error is above): "
                "check that the package index answers from this machine and has the pinned files; "
                "if pip rejects an option, check its settings (pip config list)"
            ) from error
        return {
            path.relative_to(temporary).as_posix(): path.read_bytes()
            for path in sorted(target.rglob("*"))
            if path.is_file() and path.relative_to(target).parts[0] not in NOT_IN_LAYER
        }


def build(package: str, output: Path, runtime: str) -> Path:
    """Write the zip file of a package into the directory `output` and return its path."""
    contents = layer_contents(runtime) if package == LAYER else package_contents(package)
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"{package}-{package_hash(package, runtime)}.zip"
    # Write to a temporary name first: another build may write the same file at the same time.
    partial = output / f"{path.name}.{os.getpid()}"
    with zipfile.ZipFile(partial, "w") as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, so that Lambda uses the file modes
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return partial.replace(path)


def _source(path: Path) -> bytes:
    return path.read_bytes().replace(b"\r\n", b"\n")


def main() -> int:
    """Build the packages named on the command line, or all packages."""
    parser = argparse.ArgumentParser(description="Build the Lambda packages and the layer.")
    names = ", ".join(package_names())
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help=f"one of {names}; default: all")
    parser.add_argument("--output", type=Path, default=Path(".build/packages"), help="default: %(default)s")
    parser.add_argument("--runtime", default="python3.13", help="Lambda runtime; default: %(default)s")
    arguments = parser.parse_args()
    unknown = set(arguments.packages) - set(package_names())
    if unknown:
        parser.error(f"no such package: {', '.join(sorted(unknown))}; expected one of {names}")
    try:
        for package in arguments.packages or package_names():
            print(build(package, arguments.output, arguments.runtime))
    except BuildError as error:
        print(
            f"The package {package} was not built: {error}. Or build the packages on another machine with "
            "`make package`, and set lambda_packages_dir to their directory.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
