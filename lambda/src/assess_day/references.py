"""The references of the quality checks: medians of values from previous days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median

from assess_day.assessment import QualityRow, Verdict
from assess_day.thresholds import REFERENCE_VALUES

Measured = tuple[str | None, str, str | None]
SESSION_REPEATED = "sessao_repetida"


class References:
    """Medians of recent values. Only values with the verdict ``ok`` count: a fault must not change a median.

    Parameters
    ----------
    earlier
        A mapping from each previous day to the quality rows of that day.
    """

    def __init__(self, earlier: Mapping[int, Sequence[QualityRow]]) -> None:
        self._values: defaultdict[Measured, list[float]] = defaultdict(list)
        for day in sorted(earlier, reverse=True):
            for row in earlier[day]:
                values = self._values[row.tabela, row.medida, row.coluna]
                if row.situacao is Verdict.OK and row.valor is not None and len(values) < REFERENCE_VALUES:
                    values.append(row.valor)

    def of(self, table: str | None, check: str, column: str | None = None) -> float | None:
        """Return the reference of a check; None if the check has no reference."""
        values = self._values.get((table, check, column))
        return median(values) if values else None


def is_old_session(session: int, day: int, earlier: Mapping[int, Sequence[QualityRow]]) -> bool:
    """Return whether the site still shows an old session, ``YYYYMMDD``, on a trading day.

    A session before `day` is old in two cases. First, the last recorded day has the same session. Second, the
    session of the last recorded day is that day itself: the site should then show the session of `day`.
    """
    before, last = last_value(earlier, SESSION_REPEATED)
    return session != day and last is not None and last in (session, before)


def last_value(
    earlier: Mapping[int, Sequence[QualityRow]], check: str
) -> tuple[int, float] | tuple[None, None]:
    """Return the latest day that has a value for a check, and this value; (None, None) if no day has one."""
    for day in sorted(earlier, reverse=True):
        for row in earlier[day]:
            if row.medida == check and row.valor is not None:
                return day, row.valor
    return None, None
