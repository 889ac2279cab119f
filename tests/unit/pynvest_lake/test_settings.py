from __future__ import annotations

from collections.abc import Mapping
from dataclasses import make_dataclass
from typing import Any

import pytest

from b3.kind import Kind
from get_tickers.settings import Settings as GetTickersSettings
from pynvest_lake.settings import SettingError, read_settings
from pynvest_lake.storage import LakeTable

TABLE = '{"bucket": "b", "database": "d", "table": "t"}'
TABLES = tuple[LakeTable, ...]
BY_KIND = Mapping[Kind, str]
TEXTS = Mapping[str, str]


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
        (TEXTS, '{"Accept": "*/*"}', {"Accept": "*/*"}),
        (TEXTS, "{}", {}),
    ],
)
def test_a_setting_is_read_in_its_own_type(of_type: object, text: str, value: object) -> None:
    assert read(of_type, text) == value


@pytest.mark.parametrize(
    ("of_type", "text", "expected"),
    [
        (str, "", "is missing or empty"),
        (float, "many", "is 'many', expected a positive number"),
        (float, "0", "is '0', expected a positive number"),
        (float, "nan", "is 'nan', expected a positive number"),
        (bool, "yes", "is 'yes', expected true or false"),
        (int, "2.5", "is '2.5', expected a positive whole number"),
        (int, "0", "is '0', expected a positive whole number"),
        (int, "-1", "is '-1', expected a positive whole number"),
        (Kind, "bonds", "is 'bonds', expected one of acoes, fiis"),
        (LakeTable, "{", "which is no JSON"),
        (LakeTable, "[]", "expected a JSON dict"),
        (
            LakeTable,
            '{"bucket": "b"}',
            "a table is {'bucket': 'b'}, expected an object with bucket, database and table",
        ),
        (TABLES, "{}", "expected a JSON list"),
        (TABLES, "[1]", "a table is 1, expected an object with bucket, database and table"),
        (BY_KIND, '{"bonds": "u"}', "expected one of acoes, fiis"),
        (tuple[str, ...], "{}", "expected a JSON list"),
        (tuple[str, ...], "[1]", "expected a JSON list of texts"),
        (TEXTS, "[]", "expected a JSON dict"),
        (TEXTS, '{"Accept": 1}', "expected a JSON dict of texts"),
    ],
)
def test_what_cannot_be_read_is_told_by_the_variables_name(of_type: object, text: str, expected: str) -> None:
    with pytest.raises(SettingError) as error:
        read(of_type, text)

    assert str(error.value).startswith("environment variable NAME")
    assert expected in str(error.value)


def test_a_variable_that_is_missing_is_named() -> None:
    with pytest.raises(SettingError, match="environment variable FUNDAMENTUS_BASE_URL is missing or empty"):
        read_settings(GetTickersSettings, {})


def test_stage_2_needs_the_queue_of_each_kind() -> None:
    environment = {
        "FUNDAMENTUS_BASE_URL": "http://site",
        "FETCH_HEADERS": "{}",
        "TICKERS_QUEUE_URLS": '{"acoes": "u"}',
        "LAKE_TABLES": "[]",
        "WORK_BUCKET": "work",
        "KEEP_PAGES": "true",
        "FETCH_FROM": "site",
        "QUEUE_PATIENCE_SECONDS": "2160",
    }

    with pytest.raises(SettingError, match="TICKERS_QUEUE_URLS lacks fiis"):
        read_settings(GetTickersSettings, environment)
