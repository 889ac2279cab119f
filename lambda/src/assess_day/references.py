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
    """Medians of recent values. Only values with the verdict ``ok`` count, so bad days change no median.

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


def last_session(earlier: Mapping[int, Sequence[QualityRow]]) -> int | None:
    """Return the session, ``YYYYMMDD``, of the latest previous day that recorded a session, or None."""
    session = last_value(earlier, SESSION_REPEATED)
    return None if session is None else int(session)


def last_value(earlier: Mapping[int, Sequence[QualityRow]], check: str) -> float | None:
    """Return a check's value from the latest previous day that has one; None if there is none."""
    for day in sorted(earlier, reverse=True):
        for row in earlier[day]:
            if row.medida == check and row.valor is not None:
                return row.valor
    return None
