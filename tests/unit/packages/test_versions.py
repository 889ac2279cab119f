"""The tests run on the same versions as the functions."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import os
import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lambda_packages import MANAGED_LAYER, ROOT, RUNTIMES_OWN, pins

SDK = ROOT / os.environ.get("PYNVEST_SDK", "requirements-dev.txt")
"""The file that pins the AWS SDK for this run; the oldest supported SDK has its own file."""


@pytest.mark.parametrize(
    "held",
    [
        pins(MANAGED_LAYER),
        pins(ROOT / "lambda" / "layer" / "requirements.txt"),
        {name: version for name, version in pins(SDK).items() if name in RUNTIMES_OWN},
    ],
    ids=["managed layer", "own layer", "SDK of this run"],
)
def test_the_tests_use_the_package_versions_of_the_functions(held: dict[str, str]) -> None:
    assert held
    assert {name: importlib.metadata.version(name) for name in held} == held


def test_the_default_managed_layer_is_the_pinned_one() -> None:
    variables = (ROOT / "variables.tf").read_text()
    default = {
        name: re.search(rf'variable "{name}" {{.*?default += "([^"]+)"', variables, re.DOTALL)[1]
        for name in ("awssdkpandas_layer_version", "functions_python_runtime")
    }

    assert default["awssdkpandas_layer_version"] == pins(MANAGED_LAYER)["awswrangler"]
    assert f"release {default['awssdkpandas_layer_version']} for Python 3.13" in MANAGED_LAYER.read_text()
    assert default["functions_python_runtime"] == "python3.13"


def test_the_managed_layer_and_lambdas_python_have_all_requirements_of_the_layer() -> None:
    held = {canonicalize_name(name) for name in pins(MANAGED_LAYER)}
    lambdas_python = {"extra": "", "python_version": "3.13"}

    needed = {
        canonicalize_name(need.name)
        for name in held
        for need in map(Requirement, importlib.metadata.requires(name) or [])
        if need.marker is None or need.marker.evaluate(lambdas_python)
    }

    assert needed - held - {*RUNTIMES_OWN} == {"setuptools"}  # awswrangler never imports setuptools


def test_a_schedule_may_have_the_time_zones_of_the_layers_database() -> None:
    """After an update of ``tzdata``, copy the file ``tzdata/zones`` to ``eventbridge/timezones.txt``."""
    zones = (importlib.resources.files("tzdata") / "zones").read_text(encoding="utf-8")

    accepted = (ROOT / "eventbridge" / "timezones.txt").read_text(encoding="utf-8")
    assert sorted(accepted.splitlines()) == sorted(zones.splitlines())
