"""Each validation message names the given value and the correct form.

The wrong values come from ``tests/terraform/validations.tftest.hcl``.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from consumer import PROJECT, Checkout, unwrapped

pytestmark = pytest.mark.terraform

RUN = re.compile(
    r'run "(?P<name>\w+)" \{.*?  variables \{\n(?P<inputs>.*?)\n  \}\n(?P<rest>.*?)^\}', re.DOTALL | re.M
)
RUNS = {
    run["name"]: run
    for run in RUN.finditer((PROJECT / "tests" / "terraform" / "validations.tftest.hcl").read_text())
    if "expect_failures" in run["rest"]
}
RULE = re.compile(r"This was checked by the validation rule at \S*?(\w+\.tf:\d+),")


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory, env: dict[str, str]) -> dict[str, str]:
    """Return the error text of a plan for the inputs of each run."""

    def plan(name: str) -> str:
        directory = tmp_path_factory.mktemp(name)
        checkout = Checkout(
            directory / "checkout",
            source=str(PROJECT),
            state=directory / "terraform.tfstate",
            env={**env, "TF_VAR_fundamentus_base_url": "http://127.0.0.1:9"},
            inputs=RUNS[name]["inputs"],
        )
        checkout.terraform("init")
        return unwrapped(checkout.terraform("plan", statuses=(1,)))

    with ThreadPoolExecutor(max_workers=4) as pool:
        return dict(zip(RUNS, pool.map(plan, RUNS), strict=True))


def test_every_refused_input_is_named_with_what_to_write_instead(refusals: dict[str, str]) -> None:
    for name, said in refusals.items():
        for variable in re.findall(r"var\.(\w+)", RUNS[name]["rest"]):
            assert re.search(rf" {variable} (is|has|holds|lacks) [^│]*?: write ", said), f"{variable}\n{said}"


def test_inputs_that_do_not_fit_together_are_named_with_what_to_write_instead(
    refusals: dict[str, str],
) -> None:
    for name, said in refusals.items():
        if "var." not in RUNS[name]["rest"]:
            problem = said.partition(" precondition failed ")[2]
            assert re.search(
                r'(are both named|is (\d+|null|")|holds)[^│]*?: (write|name your own|batches of)',
                problem,
            ), said


def test_every_validation_is_tried(refusals: dict[str, str]) -> None:
    lines = (PROJECT / "variables.tf").read_text().splitlines()
    rules = {f"variables.tf:{number}" for number, line in enumerate(lines, 1) if line == "  validation {"}

    assert {rule for said in refusals.values() for rule in RULE.findall(said)} == rules
