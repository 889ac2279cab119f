"""Possible splits between two days."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from assess_day.splits import Split, possible_splits
from b3.kind import Kind
from lake_rows import rows
from pynvest_lake.contract import SOT_ACOES, SOT_FIIS

BEFORE, NOW = date(2026, 11, 19), date(2026, 11, 23)
"""A Thursday and the Monday after it: the two sessions need not be consecutive days."""


def stock(session: date | None, price: float | None, quantity: int | None) -> Any:
    row = {"nome_papel": "PETR4", "dt_ult_cot": session, "vlr_cot": price, "num_acoes": quantity}
    return {Kind.ACOES: rows(SOT_ACOES, row)}


@pytest.mark.parametrize(
    ("now", "factor"),
    [
        ((NOW, 10.2, 2_000), 2.0),
        ((NOW, 200.0, 100), 0.1),
        ((NOW, 0.5, 40_000), 40.0),
        ((NOW, 13.0, 1_500), 1.5),  # the smallest factor
        ((NOW, 12.5, 2_000), 2.0),  # the largest rise of the price at this factor
        ((NOW, 12.6, 2_000), None),
        ((NOW, 8.0, 2_000), 2.0),  # the largest fall of the price at this factor
        ((NOW, 7.9, 2_000), None),
        ((NOW, 20.0, 2_000), None),  # new shares without a change of the price
        ((NOW, 10.0, 1_000), None),  # only the price changes
        ((NOW, 14.0, 1_400), None),
        ((BEFORE, 10.0, 2_000), None),  # the session is the same, as after a holiday
        ((NOW, None, 2_000), None),
        ((NOW, 10.0, None), None),
        ((NOW, 10.0, 0), None),
        ((None, 10.0, 2_000), None),
    ],
)
def test_a_split_changes_quantity_and_price_in_inverse_proportion(now: Any, factor: float | None) -> None:
    expected = [] if factor is None else [Split("PETR4", pytest.approx(factor))]  # type: ignore[arg-type]

    assert possible_splits(stock(BEFORE, 20.0, 1_000), stock(*now)) == expected


def test_a_fund_can_be_split_and_a_new_asset_cannot() -> None:
    def funds(session: date, *assets: tuple[str, float, int]) -> Any:
        columns = ("fii", "vlr_cot", "num_cotas")
        return {
            Kind.FIIS: rows(
                SOT_FIIS, *({**dict(zip(columns, one, strict=True)), "dt_ult_cot": session} for one in assets)
            )
        }

    before = funds(BEFORE, ("HGLG11", 160.0, 30))
    now = funds(NOW, ("KNRI11", 16.0, 300), ("HGLG11", 16.0, 300))

    assert possible_splits(before, now) == [Split("HGLG11", 10.0)]
    assert possible_splits({}, now) == []
