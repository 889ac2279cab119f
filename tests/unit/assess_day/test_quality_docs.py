"""The operator's page explains exactly the checks that the code has."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from days import FIRST, good_day

from assess_day import thresholds
from assess_day.day_status import REFUSED_ASSETS
from assess_day.portuguese import SHOWN_REASONS
from assess_day.quality import run_checks
from b3.bounds import LABEL_CHARACTERS, MOST_RECORDED

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "quality.md").read_text(encoding="utf-8")


def documented() -> dict[str, str]:
    """Return the description of each check from the page's table; the keys are the checks' names."""
    _, _, table = PAGE.partition("| `medida` |")
    rows = [row.split("|")[1:] for row in table.partition("\n\n")[0].splitlines()[2:]]
    return {name: "|".join(row[1:]) for row in rows for name in re.findall(r"`(\w+)`", row[0])}


def test_every_check_is_documented_and_every_documented_check_exists() -> None:
    good = good_day(FIRST)
    ledger = replace(good.ledger, listing=None)
    unlisted = replace(good, state=replace(good.state, ledger=ledger, sor_ids=frozenset()))

    assert {row.medida for row in (*run_checks(good), *run_checks(unlisted))} == set(documented())


def test_the_documented_limits_match_the_code() -> None:
    for names, limits in (
        (("papeis_listados",), thresholds.LISTED),
        (("linhas",), thresholds.ROWS),
        (("preco_listagem",), thresholds.PRICE_AGAINST_LISTING),
        (("preco_fora_52_semanas",), thresholds.OUT_OF_RANGE),
        (("p_sobre_vp_vezes_vpa", "p_sobre_l_vezes_lpa", "cotacao_vezes_papeis"), thresholds.IDENTITY),
    ):
        for name in names:
            for limit in (limits.aviso, limits.falha):
                assert limit is not None
                assert f" {100 * limit:.0f}%" in documented()[name], name
    assert thresholds.MISSING.falha == thresholds.IDENTITY_TOLERANCE == 0.05
    assert "above 5%" in documented()["papeis_faltando"]
    assert (thresholds.CORE_FILL.aviso, thresholds.CORE_FILL.falha, thresholds.FILL.aviso) == (0.1, 0.5, 0.5)
    assert "10 points" in documented()["preenchimento"]
    assert f"the {MOST_RECORDED} labels with most assets" in documented()["rotulo_novo"]
    assert f"cut at {LABEL_CHARACTERS} characters" in documented()["rotulo_novo"]
    assert (SHOWN_REASONS, REFUSED_ASSETS) == (10, 3)
    assert (thresholds.MEDIAN.aviso, thresholds.MEDIAN.falha) == (2, 5)
    assert (thresholds.REFERENCE_VALUES, thresholds.REFERENCE_DAYS, thresholds.LEAST_ASSETS) == (5, 60, 30)
