"""Validations and preconditions refuse wrong inputs with a message that says what to write instead.

The wrong values are in ``validations/validations.tftest.hcl``. `expect_failures` would hide the messages, so
the tests copy the runs and leave out `expect_failures`.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from sandbox.terraform import Terraform

pytestmark = pytest.mark.terraform

PROJECT = Path(__file__).resolve().parents[2]
MOCKS = Path("tests", "terraform", "mocks")
TEXT = (Path(__file__).parent / "validations" / "validations.tftest.hcl").read_text(encoding="utf-8")
MOCKED = TEXT[: TEXT.index("\nrun ")]
RUNS = {run[1]: run[0] for run in re.finditer(r'^run "(\w+)" \{.*?^\}$', TEXT, re.DOTALL | re.MULTILINE)}
EACH_IS_WRONG = "wrong_values_are_refused"
EXPECTED = re.compile(r"  expect_failures = \[(.*?)\]\n", re.DOTALL)
RULE = re.compile(r"This was checked by the validation rule at variables\.tf:(\d+),")
VARIABLES = (PROJECT / "variables.tf").read_text(encoding="utf-8").splitlines()
RULES = [number for number, line in enumerate(VARIABLES, 1) if line == "  validation {"]
PRECONDITIONS = {
    (path.name, number)
    for path in PROJECT.glob("*.tf")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 2)
    if line.strip() == "precondition {"
}
"""File and line of the condition in each precondition of the root module."""
WHAT_TO_WRITE = {
    "var": r"{name} (is|has|holds|lacks) (?s:.*?): (write|leave out) ",
    "other": r"(are both named|is (\d+|null|\")|holds)(?s:.*?): (write|name your own|batches of)",
}


def variable_at(line: int) -> str:
    """Return the variable whose block contains this line of ``variables.tf``."""
    names = re.findall(r'^variable "(\w+)"', "\n".join(VARIABLES[:line]), re.MULTILINE)
    return f"var.{names[-1]}"


def address_of(diagnostic: dict[str, Any]) -> str:
    """Return the variable, output or resource that refuses a value, in the form of ``expect_failures``."""
    if rule := RULE.search(diagnostic["detail"]):
        return variable_at(int(rule[1]))
    return ".".join(re.findall(r"\w+", diagnostic["snippet"]["context"].removeprefix("resource ")))


@pytest.fixture(scope="module")
def refusals(
    provider: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, Any]]]:
    """Return the errors of each run that fails."""
    root = tmp_path_factory.mktemp("module") / "module"
    other = shutil.ignore_patterns(".*", "docs", "examples", "report", "sandbox", "tests", "__pycache__")
    shutil.copytree(PROJECT, root, ignore=other)
    shutil.copytree(PROJECT / MOCKS, root / MOCKS)
    for name, run in RUNS.items():
        (root / "tests" / f"{name}.tftest.hcl").write_text(f"{MOCKED}\n{EXPECTED.sub('', run)}\n")
    terraform = Terraform(root, tmp_path_factory.mktemp("data"), provider)
    terraform.run("init", "-backend=false")
    _, said = terraform.run("test", "-json", statuses=(1,))
    found = defaultdict(list)
    for line in map(json.loads, said.splitlines()):
        if line["type"] == "diagnostic" and line["diagnostic"]["severity"] == "error":
            found[line["@testrun"]].append(line["diagnostic"])
    return found


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_refused_for_the_expected_reasons_and_the_error_says_what_to_write(
    refusals: dict[str, list[dict[str, Any]]], name: str
) -> None:
    rules = {(address_of(one), one["range"]["start"]["line"]) for one in refusals.get(name, ())}
    refused = sorted(address for address, _ in rules)
    if name == EACH_IS_WRONG:
        wanted = {f"var.{variable}" for variable in re.findall(r"^    (\w+) +=", RUNS[name], re.M)}
        assert set(refused) == wanted
    else:
        assert refused == sorted(
            address for named in EXPECTED.findall(RUNS[name]) for address in named.split(", ")
        )
    for one in refusals.get(name, ()):
        kind, _, variable = address_of(one).partition(".")
        assert re.search(WHAT_TO_WRITE.get(kind, WHAT_TO_WRITE["other"]).format(name=variable), one["detail"])


def test_every_validation_and_precondition_is_tested(refusals: dict[str, list[dict[str, Any]]]) -> None:
    errors = [one for found in refusals.values() for one in found]
    conditions = {(one["range"]["filename"], one["range"]["start"]["line"]) for one in errors}

    assert sorted({int(rule[1]) for one in errors if (rule := RULE.search(one["detail"]))}) == RULES
    assert conditions >= PRECONDITIONS
