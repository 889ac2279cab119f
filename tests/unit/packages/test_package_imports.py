"""Each package needs only its own files, our layer and the managed layer, and fits Lambda's size limit."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_packages import MANAGED_LAYER, ROOT, RUNTIMES_OWN, UNZIPPED_MIB, build_and_unpack, pins

SOURCES = ROOT / "lambda" / "src"

STAGES = sorted(handler.parent.name for handler in SOURCES.glob("*/handler.py"))
SHARED = {"b3", "fundamentus_site", "pynvest_lake"}

# A stage must not import these modules; otherwise the stage's start would take longer than its work.
FOREIGN = {"boto3", "holidays", "awswrangler", "pandas", "pynvest", "requests", "bs4"}
FOREIGN_TO_READERS = {
    "get_tickers": {"boto3", "awswrangler"},
    "get_financial_data": {"boto3", "awswrangler", "aws_lambda_powertools.utilities.batch", "asyncio"},
}


def imports_of(folder: Path) -> set[str]:
    """Return the top-level names that a package's modules import, also within functions."""
    names: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names


def reached(package: str) -> set[str]:
    """Return the packages of this repository that a package imports, directly or indirectly."""
    found, waiting = set(), {package}
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= {other for other in imports_of(SOURCES / name) if (SOURCES / other).is_dir()} - found
    return found


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the directory of each unpacked package, and of the layer."""
    folder = build_and_unpack(tmp_path_factory.mktemp("packages"))
    return {path.name: path for path in folder.iterdir() if path.is_dir()}


@pytest.fixture(scope="module")
def managed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the managed layer's distributions and no other distributions."""
    folder = tmp_path_factory.mktemp("managed")
    for name in (*pins(MANAGED_LAYER), *RUNTIMES_OWN):
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or []:
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (folder / top).exists():
                (folder / top).symlink_to(Path(str(distribution.locate_file(top))))
    return folder


def after_import(packages: dict[str, Path], managed: Path, stage: str, *program: str) -> str:
    """Import a stage's handler as Lambda does, run a program, and return the program's output."""
    paths = [str(packages[stage]), str(packages["layer"] / "python"), str(managed)]
    lines = (
        f"import sys; sys.path += {paths!r}",
        f"import json, {stage}.handler",
        f"assert callable({stage}.handler.handler)",
        *program,
    )
    # -S makes Python ignore site-packages; -I makes it ignore PYTHON* variables and the current folder.
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", "\n".join(lines)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("stage", STAGES)
def test_a_package_imports_with_only_the_two_layers_and_loads_only_what_it_uses(
    packages: dict[str, Path], managed: Path, stage: str
) -> None:
    # pyarrow tries to import pandas when it makes the first array. All stages except stage 1 make arrays.
    array = "import pyarrow; pyarrow.array(['any'])" if stage != "check_and_delete_partitions" else "pass"
    modules: list[str] = json.loads(
        after_import(packages, managed, stage, array, "print(json.dumps(sorted(sys.modules)))")
    )

    assert not set(modules) & FOREIGN_TO_READERS.get(stage, FOREIGN)


def test_awswrangler_has_the_session_of_the_clients(packages: dict[str, Path], managed: Path) -> None:
    """Otherwise awswrangler would make a session for each call, and read the SDK's service data each time."""
    said = after_import(
        packages,
        managed,
        "check_and_delete_partitions",
        "import check_and_delete_partitions.partitions, pynvest_lake.aws",
        "awswrangler = check_and_delete_partitions.partitions._awswrangler()",
        "awswranglers = awswrangler._utils.ensure_session()._session",
        "print(awswranglers is pynvest_lake.aws.session())",
    )

    assert said == "True\n"


def test_the_layer_holds_what_is_required_and_no_tests_or_commands(packages: dict[str, Path]) -> None:
    held = {path.name for path in (packages["layer"] / "python").iterdir()}

    modules = {name for name in held if not name.endswith(".dist-info")}
    assert modules == {"aws_lambda_powertools", "holidays", "jmespath", "pynvest", "tzdata"}
    assert len(held - modules) == len(pins(ROOT / "lambda" / "layer" / "requirements.txt"))


def test_the_layers_and_the_largest_package_fit_into_lambda(packages: dict[str, Path]) -> None:
    unzipped = {
        name: sum(path.stat().st_size for path in folder.rglob("*")) for name, folder in packages.items()
    }
    layer = unzipped.pop("layer")

    assert (UNZIPPED_MIB + 1) * 1024**2 + layer + max(unzipped.values()) < 262_144_000


def test_a_package_holds_only_its_stage_the_shared_code_that_it_imports_and_the_contract(
    packages: dict[str, Path],
) -> None:
    for stage in STAGES:
        shared = reached(stage) & SHARED
        assert {path.name for path in packages[stage].iterdir()} == {stage, *shared, "schemas"}
        assert len(list((packages[stage] / "schemas").glob("*.json"))) == 6


def test_the_table_of_shared_packages_matches_the_imports_of_the_stages() -> None:
    table = json.loads((ROOT / "lambda" / "packages.json").read_text())

    assert {stage: set(shared) for stage, shared in table.items()} == {
        stage: reached(stage) & SHARED for stage in STAGES
    }


def test_b3_imports_no_package_of_ours_and_fundamentus_site_neither_aws_nor_the_lake() -> None:
    assert reached("b3") == {"b3"}
    assert reached("fundamentus_site") == {"fundamentus_site", "b3"}
    assert not imports_of(SOURCES / "fundamentus_site") & {
        "awswrangler", "aws_lambda_powertools", "boto3", "botocore", "moto",
    }  # fmt: skip
