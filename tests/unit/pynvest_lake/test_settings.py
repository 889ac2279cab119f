from __future__ import annotations

from collections.abc import Mapping
from dataclasses import make_dataclass
from typing import Any

import pytest

from b3.kind import Kind
from get_tickers.handler import Settings as GetTickersSettings
from pynvest_lake.settings import read_settings
from pynvest_lake.storage import LakeTable

TABLE = '{"bucket": "b", "database": "d", "table": "t"}'
TABLES = tuple[LakeTable, ...]
BY_KIND = Mapping[Kind, str]
TEXTS = tuple[tuple[str, str], ...]


def read(of_type: object, text: str) -> Any:
    settings = make_dataclass("Settings", [("name", of_type)], frozen=True)
    return read_settings(settings, {"NAME": text}).name


@pytest.mark.parametrize(
    ("of_type", "text", "value"),
    [
        (str, "text", "text"),
        (float, "2.5", 2.5),
        (bool, "true", True),
        (bool, "false", False),
        (int, "25", 25),
        (Kind, "fiis", Kind.FIIS),
        (LakeTable, TABLE, LakeTable("b", "d", "t")),
        (TABLES, f"[{TABLE}]", (LakeTable("b", "d", "t"),)),
        (TABLES, "[]", ()),
        (BY_KIND, '{"fiis": "u"}', {Kind.FIIS: "u"}),
        (TEXTS, '{"b": "2", "a": "1"}', (("a", "1"), ("b", "2"))),
        (TEXTS, "{}", ()),
    ],
)
def test_a_setting_is_read_in_its_own_type(of_type: object, text: str, value: object) -> None:
    assert read(of_type, text) == value


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(KeyError, match="FUNDAMENTUS_BASE_URL"):
        read_settings(GetTickersSettings, {})
