from __future__ import annotations

import math
import re
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b3 import brazilian

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


def read_doubles(*texts: str | None, fractions: bool = False) -> list[float | None]:
    return [brazilian.read_number(text, fraction=fractions) for text in texts]


def read_integers(*texts: str | None) -> list[int | None]:
    return [brazilian.read_integer(text) for text in texts]


def read_dates(*texts: str | None) -> list[date | None]:
    return [brazilian.read_date(text) for text in texts]


def read_moments(*texts: str | None) -> list[datetime | None]:
    return [brazilian.read_moment(text) for text in texts]


def as_brazilians_write(number: Decimal | int, *, points: bool = True) -> str:
    number = Decimal(number)  # the format f converts an int to a float first
    text = f"{number:,f}" if points else f"{number:f}"
    return text.translate(str.maketrans(",.", ".,"))


decimals = st.decimals(allow_nan=False, allow_infinity=False, places=None).filter(
    lambda number: -320 < number.adjusted() < 300 and number.as_tuple().exponent > -340
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-1.234,5", -1234.5),
        ("30.505.200.000", 30505200000.0),
        ("1234567,89", 1234567.89),
        ("17,5%", 17.5),
        ("-509,96", -509.96),
        ("-135.004.000", -135004000.0),
        ("0,1", 0.1),
        ("007", 7.0),
        ("0", 0.0),
    ],
)
def test_a_number_is_read_as_brazilians_write_it(text: str, value: float) -> None:
    assert read_doubles(text) == [value]


@pytest.mark.parametrize(
    ("text", "value"),
    [("-1,31%", -0.0131), ("-76,25%", -0.7625), ("1.234,5%", 12.345), ("100", 1.0), ("0,07%", 0.0007)],
)
def test_a_percentage_read_as_a_fraction_is_the_nearest_double_of_that_fraction(
    text: str, value: float
) -> None:
    assert read_doubles(text, fractions=True) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "1.5",
        "1,234.5",
        "12.34",
        "1.2345",
        "1..234",
        ".5",
        ",5",
        "5,",
        "--1",
        "1-",
        "+1",
        "1,5,0",
        "1%%",
        "%",
        "R$ 1,00",
        "1 234",
        "1,5 %",
        "1e5",
        "nan",
        "inf",
        "0x10",
        "abc",
        "１２",
        "9" * 400,
        "1\n2",
        "- 1",
        "−1",
    ],
)
def test_a_text_of_another_form_is_no_number(text: str) -> None:
    assert read_doubles(text) == [None]
    assert read_doubles(text, fractions=True) == [None]
    assert read_integers(text) == [None]


@given(st.lists(st.tuples(decimals, st.booleans(), st.booleans())))
def test_any_number_written_the_brazilian_way_reads_back_exactly(
    rows: list[tuple[Decimal, bool, bool]],
) -> None:
    texts = [as_brazilians_write(n, points=points) + "%" * sign for n, points, sign in rows]
    assert read_doubles(*texts) == [float(number) for number, *_ in rows]
    assert read_doubles(*texts, fractions=True) == [float(Fraction(number) / 100) for number, *_ in rows]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_double_written_out_in_full_reads_back_as_itself(number: float) -> None:
    (read,) = read_doubles(as_brazilians_write(Decimal(repr(number))))
    assert read == number
    assert math.copysign(1, read) == math.copysign(1, number)


@given(
    st.lists(st.tuples(st.integers(INT64_MIN, INT64_MAX), st.booleans(), st.sampled_from(["", ",0", ",00"])))
)
def test_any_int64_written_the_brazilian_way_reads_back_exactly(rows: list[tuple[int, bool, str]]) -> None:
    texts = [as_brazilians_write(number, points=points) + zeros for number, points, zeros in rows]
    assert read_integers(*texts) == [number for number, *_ in rows]


@given(st.one_of(st.integers(max_value=INT64_MIN - 1), st.integers(min_value=INT64_MAX + 1)))
def test_an_integer_out_of_the_range_of_int64_is_null_and_not_another_number(number: int) -> None:
    assert read_integers(as_brazilians_write(number)) == [None]


@pytest.mark.parametrize("number", [INT64_MIN, INT64_MIN - 1, INT64_MAX, INT64_MAX + 1, 10**18, 10**19])
def test_the_edges_of_int64_are_told_exactly(number: int) -> None:
    expected = number if INT64_MIN <= number <= INT64_MAX else None
    assert read_integers(as_brazilians_write(number), f"{number}") == [expected, expected]


@pytest.mark.parametrize(
    ("text", "value"), [("1,5", None), ("0,01", None), ("000012", 12), ("-0", 0), ("15%", 15)]
)
def test_an_integer_column_takes_whole_numbers_only(text: str, value: int | None) -> None:
    assert read_integers(text) == [value]


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
    assert read_doubles(text) == [expected]


@given(st.lists(st.dates(min_value=date(1000, 1, 1))))
def test_any_date_written_the_brazilian_way_reads_back(days: list[date]) -> None:
    assert read_dates(*[f"{day:%d/%m/}{day.year:04}" for day in days]) == days


@pytest.mark.parametrize(
    "text",
    [
        "31/02/2026",
        "29/02/2025",
        "00/01/2026",
        "01/13/2026",
        "32/01/2026",
        "2026-01-31",
        "1/1/2026",
        "01/01/26",
        "00/00/0000",
        "01/01/0000",
        "31/12/2025 10:00",
        "01.01.2026",
        "hoje",
    ],
)
def test_a_date_that_the_calendar_lacks_is_null_and_not_another_day(text: str) -> None:
    assert read_dates(text) == [None]


def test_the_29th_of_february_is_a_date_in_leap_years() -> None:
    assert read_dates("29/02/2024", "29/02/2000", "29/02/1900") == [
        date(2024, 2, 29),
        date(2000, 2, 29),
        None,
    ]


@given(
    st.lists(st.datetimes(min_value=datetime(1000, 1, 1)).map(lambda moment: moment.replace(microsecond=0)))
)
def test_any_moment_as_pynvest_writes_it_reads_back(moments: list[datetime]) -> None:
    texts = [f"{moment:%d-%m-}{moment.year:04}{moment: %H:%M:%S}" for moment in moments]
    assert read_moments(*texts) == moments


@pytest.mark.parametrize(
    "text", ["31-02-2026 10:00:00", "01-01-2026 24:00:00", "01-01-2026 23:59:60", "01-01-2026"]
)
def test_a_moment_that_the_clock_lacks_is_null(text: str) -> None:
    assert read_moments(text) == [None]


@given(st.text())
def test_no_text_at_all_makes_a_reader_fail(text: str) -> None:
    stripped = brazilian.without_blanks(text)
    for read in (brazilian.read_number, brazilian.read_integer, brazilian.read_date, brazilian.read_moment):
        read(text), read(stripped)


def test_none_stays_none() -> None:
    assert read_doubles(None) == read_integers(None) == read_dates(None) == read_moments(None) == [None]


@pytest.mark.parametrize("text", [None, "", "-", "-%", " - ", "\n", "\xa0", "\xa0-%\t"])
def test_a_text_that_stands_for_no_value_is_none(text: str | None) -> None:
    assert brazilian.without_blanks(text) is None


@pytest.mark.parametrize(
    ("text", "stripped"),
    [("\n  -1,31%\xa0", "-1,31%"), (" Banco  do Brasil ", "Banco  do Brasil"), ("--", "--")],
)
def test_space_around_a_text_is_dropped_and_space_within_it_kept(text: str, stripped: str) -> None:
    assert brazilian.without_blanks(text) == stripped


@pytest.mark.parametrize("text", ["\x0224/11/2026", "24/11/2026\x00"])
def test_a_control_character_makes_a_date_unreadable(text: str) -> None:
    assert brazilian.read_date(brazilian.without_blanks(text)) is None
