"""Each machine builds the same packages. The build runs before ``terraform apply`` or during it."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from consumer import PROJECT, Checkout, copy_module, path_with, unwrapped

pytestmark = pytest.mark.terraform

PACKAGES = {
    "assess_day",
    "check_and_delete_partitions",
    "dedup_financial_data",
    "get_financial_data",
    "get_tickers",
    "prep_financial_data",
    "specialize_financial_data",
    "layer",
}
NO_INDEX = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_RETRIES": "0",
    "PIP_NO_CACHE_DIR": "1",
}
COUNT = itertools.count()
BUILD_OF_LAYER = '-target=module.pynvest_tools.module.lambda.terraform_data.build["layer"]'
ALL_PACKAGES = "-target=module.pynvest_tools.module.lambda.aws_s3_object.package"


def pythons() -> list[str]:
    """Return an older Python (at least 3.9) with pip, if one is installed, and then this test's Python."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for minor in range(9, sys.version_info.minor):
        named = (f"python3.{minor}", *map(str, sorted(pyenv.glob(f"versions/3.{minor}.*/bin/python"))))
        for python in filter(None, map(shutil.which, named)):
            command = [python, "-m", "pip", "--version"]
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                return [python, sys.executable]
    return [sys.executable]


def load_build(module: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("build", module / "lambda" / "build.py")
    assert spec is not None and spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    return build


@pytest.fixture
def module(tmp_path: Path) -> Path:
    directory = tmp_path / "module"
    directory.mkdir()
    copy_module(directory)
    return directory


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, env: dict[str, str]) -> Checkout:
    return deployable(tmp_path_factory.mktemp("builds"), env)


def deployable(directory: Path, env: dict[str, str], inputs: str = "") -> Checkout:
    return Checkout(
        directory / "checkout", env=env, inputs=f'name_prefix = "packages-{next(COUNT)}"\n{inputs}'
    )


def test_the_same_sources_give_the_same_bytes_in_every_checkout(module: Path, tmp_path: Path) -> None:
    for path in [*module.glob("lambda/**/*.py"), *module.glob("glue/schemas/*.json")]:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        path.chmod(0o600)
        os.utime(path, (0, 0))
    cache = module / "lambda" / "src" / "get_tickers" / "__pycache__"
    cache.mkdir()
    (cache / "handler.cpython-313.pyc").write_bytes(b"\x00")

    here = load_build(PROJECT).build("get_tickers", tmp_path / "here", "python3.13")
    there = load_build(module).build("get_tickers", tmp_path / "there", "python3.13")

    assert here.name == there.name
    assert here.read_bytes() == there.read_bytes()


@pytest.mark.parametrize(
    ("changed", "packages"),
    [
        ("lambda/src/get_tickers/handler.py", {"get_tickers"}),
        ("lambda/src/b3/kind.py", PACKAGES - {"layer"}),
        ("lambda/src/fundamentus_site/page.py", {"get_tickers", "get_financial_data"}),
        ("glue/schemas/tbspec_fundamentus_cotacao_ativos.json", PACKAGES - {"layer"}),
        ("lambda/layer/requirements.txt", {"layer"}),
        ("lambda/build.py", PACKAGES),
        ("main.tf", set()),
    ],
)
def test_a_change_gives_a_new_hash_to_the_packages_that_contain_it(
    module: Path, changed: str, packages: set[str]
) -> None:
    before = {name: load_build(module).package_hash(name, "python3.13") for name in PACKAGES}
    with (module / changed).open("a") as file:
        file.write("\n")
    after = {name: load_build(module).package_hash(name, "python3.13") for name in PACKAGES}

    assert {name for name in PACKAGES if before[name] != after[name]} == packages


def test_a_wheel_with_another_hash_is_refused(module: Path, capfd: pytest.CaptureFixture[str]) -> None:
    requirements = module / "lambda" / "layer" / "requirements.txt"
    pinned = re.sub(r"(jmespath.*sha256:)[0-9a-f]{8}", r"\g<1>00000000", requirements.read_text())
    requirements.write_text(pinned)
    build = load_build(module)

    with pytest.raises(build.BuildError, match="has the pinned files"):
        build.layer_contents("python3.13")
    assert "DO NOT MATCH THE HASHES" in capfd.readouterr().err


def test_every_python_builds_the_layer_with_any_settings_of_pip(tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "elsewhere")
    settings = {
        "PIP_USER": "1",
        "PIP_PREFIX": elsewhere,
        "PIP_ROOT": elsewhere,
        "PIP_REQUIRE_VIRTUALENV": "1",
    }

    for number, python in enumerate(pythons()):
        output = tmp_path / str(number)
        subprocess.run(
            [python, PROJECT / "lambda" / "build.py", "--output", output, "layer"],
            env={**os.environ, **settings},
            check=True,
        )

        with zipfile.ZipFile(next(output.glob("layer-*.zip"))) as layer:
            assert {"python/pynvest/__init__.py", "python/tzdata/zones"} <= set(layer.namelist()), python
    assert not Path(elsewhere).exists()


@pytest.mark.full
def test_the_sbom_lists_the_contents_of_the_layer_as_cyclonedx() -> None:
    subprocess.run(["make", "--no-print-directory", "sbom"], cwd=PROJECT, check=True)

    listed = json.loads((PROJECT / ".build" / "sbom.json").read_text())
    assert listed["bomFormat"] == "CycloneDX"
    pinned = re.findall(r"^([\w-]+)==(\S+)", (PROJECT / "lambda/layer/requirements.txt").read_text(), re.M)
    assert {(one["name"], one["version"]) for one in listed["components"]} == set(pinned)


def test_another_runtime_gets_another_layer() -> None:
    build = load_build(PROJECT)

    assert build.package_hash("layer", "python3.12") != build.package_hash("layer", "python3.13")
    assert build.package_hash("get_tickers", "python3.12") == build.package_hash("get_tickers", "python3.13")


def test_packages_built_beforehand_need_neither_python_nor_pip(tmp_path: Path, env: dict[str, str]) -> None:
    packages = tmp_path / "packages"
    subprocess.run(
        [sys.executable, PROJECT / "lambda" / "build.py", "--output", packages],
        check=True,
        capture_output=True,
    )
    checkout = deployable(tmp_path, env, f'lambda_packages_dir = "{packages}"\n')

    said = checkout.apply(ALL_PACKAGES, PATH=path_with(tmp_path / "bin", "sh"))

    assert "terraform_data" not in said
    for path in packages.glob("*.zip"):
        path.rename(path.with_name(f"another-{path.name}"))
    assert not [address for address in checkout.changes(ALL_PACKAGES) if "aws_s3_object" in address]


def test_a_directory_without_this_versions_packages_is_named_and_refused(
    tmp_path: Path, env: dict[str, str]
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "layer-of-another-version.zip").touch()
    checkout = deployable(tmp_path, env, f'lambda_packages_dir = "{packages}"\n')

    said = checkout.terraform("apply", "-auto-approve", ALL_PACKAGES, statuses=(1,))

    said = unwrapped(said)
    assert f'lambda_packages_dir ("{packages}") has no layer-' in said
    assert 'build the packages with "make package"' in said


def test_without_python_apply_says_what_to_install(checkout: Checkout, tmp_path: Path) -> None:
    said = checkout.terraform(
        "apply", "-auto-approve", BUILD_OF_LAYER, statuses=(1,), PATH=path_with(tmp_path / "bin", "sh")
    )

    said = unwrapped(said)
    assert "No usable python3 on this machine: install Python 3.9 or newer with pip" in said
    assert "lambda_packages_dir" in said


def test_without_pip_the_build_says_what_to_install(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)

    said = failed_build(tmp_path / "venv" / "bin" / "python")

    assert "has no pip: install it" in said
    assert "set lambda_packages_dir to their directory" in said


def test_the_build_reports_a_package_index_that_does_not_answer() -> None:
    said = failed_build(sys.executable, **NO_INDEX)

    assert "check that the package index answers from this machine" in said
    assert "set lambda_packages_dir to their directory" in said


def failed_build(python: Path | str, **env: str) -> str:
    """Return what the build of the layer prints when it fails."""
    command = [python, PROJECT / "lambda" / "build.py", "--output", os.devnull, "layer"]
    ended = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    return ended.stderr
