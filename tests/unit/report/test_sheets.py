"""A program that reads a CSV sheet with the sheet's locale gets the lake's values."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import csv

from pynvest_lake.contract import SOT_ACOES, SOT_FIIS, table_schema
from report.sheets import LOCALES, sheet
from report_sample import rows_of

RULES = {"pt-BR": (";", ","), "en": (",", ".")}
TYPES = pa.unify_schemas([table_schema(table).arrow for table in (SOT_ACOES, SOT_FIIS)])


def read_back(body: bytes, locale: str) -> list[dict[str, Any]]:
    """Read a sheet by the rules of a locale, with the types of the contract."""
    delimiter, point = RULES[locale]
    table = csv.read_csv(
        pa.py_buffer(body),
        parse_options=csv.ParseOptions(delimiter=delimiter),
        convert_options=csv.ConvertOptions(
            column_types=TYPES, null_values=[""], strings_can_be_null=True, decimal_point=point
        ),
    )
    return table.to_pylist()


def as_written(value: Any) -> Any:
    """Return a value in a sheet's form: times have no microseconds, and formulas start with an apostrophe."""
    if isinstance(value, datetime):
        return value.replace(microsecond=0)
    if isinstance(value, str):
        return f"'{value}" if value[0] in "=+-@" else value
    return value


@pytest.mark.parametrize("kind", ["acoes", "fiis"])
@pytest.mark.parametrize("locale", RULES)
def test_every_cell_of_the_latest_day_reads_back(locale: str, kind: str) -> None:
    rows = rows_of(kind)

    found = read_back(sheet(rows, LOCALES[locale]), locale)

    assert found == [{name: as_written(value) for name, value in row.items()} for row in rows]
    assert any(isinstance(value, float) and value < 0 for row in found for value in row.values())


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(sorted(RULES)))
def test_a_number_keeps_all_its_digits(number: float, locale: str) -> None:
    (row,) = read_back(sheet([{"vlr_cot": number}], LOCALES[locale]), locale)

    assert row["vlr_cot"] == number
    assert math.copysign(1, row["vlr_cot"]) == math.copysign(1, number)


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+55 11", "-2+3", "@SUM(A1)", " =1+1", "\r\n=1+1", "\u00a0=1+1", "＝1+1", '=HYPERLINK("x")'],
)
def test_no_text_of_the_site_is_a_formula(text: str) -> None:
    (row,) = read_back(sheet([{"nome_empresa": text}], LOCALES["en"]), "en")

    assert row["nome_empresa"] == "'" + text.strip()


@pytest.mark.parametrize("locale", RULES)
def test_separators_quotes_and_lines_within_a_text_stay_in_its_cell(locale: str) -> None:
    row = {"nome_empresa": 'a;b,c "d"\ne', "vlr_cot": -0.5}

    assert read_back(sheet([row], LOCALES[locale]), locale) == [row | {"nome_empresa": 'a;b,c "d" e'}]


def test_a_sheet_begins_with_a_byte_order_mark_and_an_empty_day_is_an_empty_file() -> None:
    assert sheet(rows_of("fiis"), LOCALES["en"]).startswith(b"\xef\xbb\xbffii,")
    assert sheet([], LOCALES["pt-BR"]).decode("utf-8-sig") == ""
