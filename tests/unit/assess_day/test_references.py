from __future__ import annotations

import pytest

from assess_day.assessment import QualityRow, Verdict
from assess_day.references import SESSION_REPEATED, References, is_old_session
from b3.kind import Kind
from pynvest_lake.contract import SOT_ACOES, SOT_FIIS, SPEC_ATIVOS


def session_row(session: float | None, table: str = SPEC_ATIVOS) -> QualityRow:
    """Return a row of the check. Older versions wrote one row for both kinds: the row of the Spec table."""
    return QualityRow(table, SESSION_REPEATED, None, session, None, Verdict.OK, None)


@pytest.mark.parametrize(
    ("session", "earlier", "is_old"),
    [
        (20261124, {20261123: 20261123}, False),
        (20261123, {20261123: 20261123}, True),
        (20261123, {20261123: None, 20261120: 20261120}, True),  # nothing was read on the day before
        (20261119, {20261120: 20261119}, True),  # a holiday
        (20261123, {20261123: 20261120, 20261120: 20261120}, True),  # the site is late on a second day
        (20261123, {20261123: 20261120, 20261120: 20261119}, False),  # a lake that reads in the morning
        (20261123, {20261123 - age: 20261122 - age for age in range(5)} | {20261118: 20261118}, False),
        (20261123, {}, False),
    ],
)
def test_a_session_is_old_if_a_recent_day_has_it_or_a_recent_day_was_read_on_time(
    session: int, earlier: dict[int, int | None], is_old: bool
) -> None:
    rows = {day: [session_row(one)] for day, one in earlier.items()}

    assert [is_old_session(session, 20261124, kind, rows) for kind in Kind] == [is_old, is_old]


def test_a_session_is_compared_with_the_sessions_of_its_own_kind() -> None:
    rows = {20261123: [session_row(20261123, SOT_ACOES), session_row(20261120, SOT_FIIS)]}

    assert is_old_session(20261123, 20261124, Kind.ACOES, rows)
    assert not is_old_session(20261123, 20261124, Kind.FIIS, rows)


def test_a_reference_is_the_median_of_the_five_newest_good_values() -> None:
    good, remark, failure = Verdict
    values: list[tuple[float | None, Verdict]] = [
        (7.0, failure), (6.0, remark), (5.0, good), (None, good), (4.0, good), (3.0, good), (2.0, good),
        (1.0, good), (0.0, good),
    ]  # fmt: skip
    earlier = {
        20261120 - age: [QualityRow(None, "linhas", None, value, None, verdict, None)]
        for age, (value, verdict) in enumerate(values)
    }

    assert References(earlier).of(None, "linhas") == 3.0
    assert References({}).of(None, "linhas") is None
