from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b3.brazilian import read_date, read_integer, read_moment, read_number, without_blanks

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


def as_brazilians_write(number: Decimal | int, *, points: bool = True) -> str:
    number = Decimal(number)  # the format f converts an int to a float first
    text = f"{number:,f}" if points else f"{number:f}"
    return text.translate(str.maketrans(",.", ".,"))


decimals = st.decimals(allow_nan=False, allow_infinity=False, places=None).filter(
    lambda number: -320 < number.adjusted() < 300 and number.as_tuple().exponent > -340
)


@pytest.mark.parametrize(
    "text",
    [
        *("12.34", "1,234.5", "+1", "- 1", "−1", "1,5 %", "1 234", "1\n2", "R$ 1,00"),
        *("abc", "1e5", "nan", "inf", "0x10", "１２", "9" * 400),
    ],
)
def test_a_text_of_another_form_is_no_number(text: str) -> None:
    assert read_number(text) is None
    assert read_number(text, fraction=True) is None
    assert read_integer(text) is None


@given(decimals, st.booleans(), st.booleans())
def test_any_number_written_the_brazilian_way_reads_back_exactly(
    number: Decimal, points: bool, percent: bool
) -> None:
    text = as_brazilians_write(number, points=points) + "%" * percent
    assert read_number(text) == float(number)
    assert read_number(text, fraction=True) == float(Fraction(number) / 100)


@given(st.integers(INT64_MIN, INT64_MAX), st.booleans(), st.sampled_from(["", ",0", ",00"]))
def test_any_int64_written_the_brazilian_way_reads_back_exactly(
    number: int, points: bool, zeros: str
) -> None:
    assert read_integer(as_brazilians_write(number, points=points) + zeros) == number


@pytest.mark.parametrize("number", [INT64_MIN, INT64_MIN - 1, INT64_MAX, INT64_MAX + 1, 10**18, 10**19])
def test_an_integer_outside_the_range_of_int64_is_null(number: int) -> None:
    expected = number if INT64_MIN <= number <= INT64_MAX else None
    assert read_integer(f"{number}") == read_integer(as_brazilians_write(number)) == expected


@pytest.mark.parametrize(
    ("text", "value"), [("1,5", None), ("0,01", None), ("000012", 12), ("-0", 0), ("15%", 15)]
)
def test_an_integer_column_takes_whole_numbers_only(text: str, value: int | None) -> None:
    assert read_integer(text) == value


@given(st.text(alphabet="0123456789.,-%", max_size=12))
def test_exactly_the_brazilian_grammar_is_read(text: str) -> None:
    sign, digits, fraction, _ = (
        match.groups()
        if (match := re.fullmatch(r"(-?)([\d.]+)(?:,(\d+))?(%?)", text))
        else ("", "", None, "")
    )
    groups = digits.split(".")
    points_in_place = len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:])
    is_number = all(groups) and (len(groups) == 1 or points_in_place)
    expected = float(f"{sign}{''.join(groups)}.{fraction or 0}") if is_number else None
    assert read_number(text) == expected


@given(st.dates(min_value=date(1000, 1, 1)))
def test_any_date_written_the_brazilian_way_reads_back(day: date) -> None:
    assert read_date(f"{day:%d/%m/}{day.year:04}") == day


@pytest.mark.parametrize(
    "text",
    [
        *("31/02/2026", "29/02/2025", "29/02/1900", "00/01/2026", "01/13/2026", "01/01/0000", "1/01/2026"),
        *("2026-01-31", "01/1/2026", "01/01/26", "01.01.2026", "31/12/2025 10:00", "\x0224/11/2026"),
        *("31-02-2026 10:00:00", "01-01-2026 24:00:00", "01-01-2026 23:59:60", "01-01-2026"),
    ],
)
def test_an_invalid_date_or_moment_is_null(text: str) -> None:
    assert (read_date(text), read_moment(text)) == (None, None)


@given(st.datetimes(min_value=datetime(1000, 1, 1)).map(lambda moment: moment.replace(microsecond=0)))
def test_any_moment_in_the_format_of_pynvest_is_read_back(moment: datetime) -> None:
    assert read_moment(f"{moment:%d-%m-}{moment.year:04}{moment: %H:%M:%S}") == moment


@pytest.mark.parametrize("read", [read_number, read_integer, read_date, read_moment])
@given(text=st.text())
def test_no_text_makes_a_reader_fail(read: Callable[[str | None], object], text: str) -> None:
    read(text), read(without_blanks(text))
    assert read(None) is None


@pytest.mark.parametrize("text", [None, "", "-", "-%", " - ", "\n", "\xa0", "\xa0-%\t"])
def test_a_text_without_a_value_is_none(text: str | None) -> None:
    assert without_blanks(text) is None


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("\n  -1,31%\xa0", "-1,31%"),
        (" Banco  do Brasil ", "Banco  do Brasil"),
        ("--", "--"),
        ("\x021\x00", "\x021\x00"),
    ],
)
def test_only_the_space_around_a_text_is_removed(text: str, stripped: str) -> None:
    assert without_blanks(text) == stripped
