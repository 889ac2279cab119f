from __future__ import annotations

from typing import Any

import pytest

from pynvest_lake.kinds import Kind
from pynvest_lake.settings import SettingError, Settings
from pynvest_lake.storage import LakeTable

TABLE = '{"bucket": "b", "database": "d", "table": "t"}'


def test_settings_are_read_in_their_own_types() -> None:
    settings = Settings(
        {"A": "text", "B": "2.5", "C": "fiis", "D": TABLE, "E": f"[{TABLE}]", "F": '{"fiis": "u"}'}
    )

    assert settings.text("A") == "text"
    assert settings.number("B") == 2.5
    assert settings.kind("C") is Kind.FIIS
    assert settings.table("D") == LakeTable("b", "d", "t")
    assert settings.tables("E") == [LakeTable("b", "d", "t")]
    assert settings.queue_urls("F") == {Kind.FIIS: "u"}


@pytest.mark.parametrize(
    ("reading", "value", "expected"),
    [
        ("text", "", "is missing or empty"),
        ("number", "many", "is 'many', expected a positive number"),
        ("number", "0", "is '0', expected a positive number"),
        ("number", "nan", "is 'nan', expected a positive number"),
        ("kind", "bonds", "is 'bonds', expected one of acoes, fiis"),
        ("table", "{", "is no JSON"),
        ("table", "[]", "expected a JSON dict"),
        (
            "table",
            '{"bucket": "b"}',
            "a table is {'bucket': 'b'}, expected an object with bucket, database and table",
        ),
        ("tables", "{}", "expected a JSON list"),
        ("tables", "[1]", "a table is 1, expected an object with bucket, database and table"),
        ("queue_urls", '{"bonds": "u"}', "has keys ['bonds'], expected only acoes and fiis"),
    ],
)
def test_what_cannot_be_read_is_told_by_the_variables_name(reading: str, value: str, expected: str) -> None:
    read: Any = getattr(Settings({"NAME": value}), reading)

    with pytest.raises(SettingError) as error:
        read("NAME")

    assert str(error.value).startswith("environment variable NAME")
    assert expected in str(error.value)


def test_queues_that_are_needed_have_to_be_there() -> None:
    settings = Settings({"QUEUES": '{"acoes": "u"}'})

    with pytest.raises(SettingError, match=r"QUEUES has keys \['acoes'\], expected acoes and fiis"):
        settings.queue_urls("QUEUES", required=tuple(Kind))
