"""The rows of the quality table, from what there is of a day: a pure function."""

from __future__ import annotations

from collections.abc import Callable

from assess_day import day_checks, table_checks
from assess_day.assessment import VERDICT, QualityRow, Situation
from assess_day.check_inputs import Evidence

Measure = Callable[[Evidence], list[QualityRow]]

MEASURES: tuple[Measure, ...] = (*day_checks.MEASURES, *table_checks.MEASURES)
TRIAL = "execução de teste"


def measured(evidence: Evidence) -> tuple[QualityRow, ...]:
    """Measure a day.

    Parameters
    ----------
    evidence
        What there is of it. The order of its rows does not matter.

    Returns
    -------
    tuple of QualityRow
        One row a measure and column, the verdict last. Of a trial the verdict alone, which is ``ok``.
    """
    if evidence.ledger.trial:
        return (QualityRow(None, VERDICT, None, None, None, Situation.OK, TRIAL),)
    rows = [row for measure in MEASURES for row in measure(evidence)]
    rows.sort(key=lambda row: (row.tabela or "", row.medida, row.coluna or ""))
    return (*rows, verdict(rows))


def verdict(rows: list[QualityRow]) -> QualityRow:
    """Return the day's row: the worst of all."""
    remarks = [row for row in rows if row.situacao is not Situation.OK]
    worst = max(remarks, key=lambda row: row.situacao.rank, default=None)
    if worst is None:
        return QualityRow(None, VERDICT, None, 0.0, None, Situation.OK, None)
    said = f"{len(remarks)} medidas fora do normal: {worst.motivo}" if len(remarks) > 1 else worst.motivo
    return QualityRow(None, VERDICT, None, float(len(remarks)), None, worst.situacao, said)
