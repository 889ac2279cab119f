"""The report's screens and the saved queries use the same thresholds."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from report.screens import SETTINGS

QUERIES = Path(__file__).resolve().parents[3] / "athena" / "queries"
PRESETS = {preset["query"]: preset for preset in SETTINGS["presets"] if preset["query"]}


def sql(name: str) -> str:
    return (QUERIES / f"{name}.sql").read_text("utf-8")


def test_every_saved_query_has_the_same_limit_for_liquid_assets() -> None:
    found = {
        path.stem: re.findall(r"vol_med_neg_2m > ([\d.]+)", path.read_text("utf-8"))
        for path in QUERIES.glob("*.sql")
    }

    assert found.keys() >= PRESETS.keys()
    assert all(found[name] for name in PRESETS)
    assert {float(number) for numbers in found.values() for number in numbers} == {SETTINGS["liquid_above"]}


@pytest.mark.parametrize("name", PRESETS)
def test_a_screen_and_its_formula_show_as_many_assets_as_the_query(name: str) -> None:
    screen = parse_qs(PRESETS[name]["screen"])
    (limit,) = re.findall(r"LIMIT (\d+)|posicao <= (\d+)", sql(name))
    shown = screen["primeiros"][0] if "primeiros" in screen else screen["posicao"][0].removeprefix("..")

    assert shown == "".join(limit)
    assert f"s {shown} " in PRESETS[name]["formula"]


def test_grahams_product_matches_the_query() -> None:
    earnings, book = SETTINGS["graham"].values()

    assert f"sqrt({earnings * book} * vlr_ind_lpa * vlr_ind_vpa)" in sql("numero-de-graham")
    written = [f"{number:g}".replace(".", ",") for number in (earnings * book, earnings, book)]
    for number in written:
        assert number in PRESETS["numero-de-graham"]["formula"]


def test_a_formula_without_a_query_has_the_limits_of_its_screen() -> None:
    (preset,) = (preset for preset in SETTINGS["presets"] if not preset["query"])

    for limit in parse_qs(preset["screen"])["pvp"][0].split(".."):
        assert limit.replace(".", ",") in preset["formula"]
