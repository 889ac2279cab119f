"""The references of the quality checks: medians of values from previous days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from statistics import median

from assess_day.assessment import QualityRow, Verdict
from assess_day.thresholds import REFERENCE_VALUES
from b3.kind import Kind
from pynvest_lake.contract import SOT, SPEC_ATIVOS

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


def is_old_session(session: int, day: int, kind: Kind, earlier: Mapping[int, Sequence[QualityRow]]) -> bool:
    """Return whether a kind's session (``YYYYMMDD``) is too old for the trading day `day`.

    A session before `day` is old in two cases. First, one of the last five recorded days has the same
    session. Second, on one of these days the site showed the session of the same day, so the site should now
    show the session of `day`. The latest recorded day alone is not enough: if the site is one day late on
    two days, it shows a different session on each day.
    """
    recorded = recorded_sessions(kind, earlier)
    return session != day and any(one in (session, of_day) for of_day, one in recorded)


def recorded_sessions(kind: Kind, earlier: Mapping[int, Sequence[QualityRow]]) -> list[tuple[int, float]]:
    """Return (day, session) of the latest five days that have a session of a kind, the latest day first."""
    # Older versions recorded one session for both kinds, in the row of the Spec table.
    return last_values(earlier, SESSION_REPEATED, (SOT[kind], SPEC_ATIVOS))


def last_values(
    earlier: Mapping[int, Sequence[QualityRow]], check: str, tables: Collection[str | None]
) -> list[tuple[int, float]]:
    """Return (day, value) of the latest five days that have a value for a check, the latest day first."""
    return [
        (day, row.valor)
        for day in sorted(earlier, reverse=True)
        for row in earlier[day]
        if row.medida == check and row.tabela in tables and row.valor is not None
    ][:REFERENCE_VALUES]
