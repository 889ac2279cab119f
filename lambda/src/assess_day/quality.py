"""Computes the rows of the quality table from the day's input, without side effects."""

from __future__ import annotations

from dataclasses import replace

from assess_day import day_checks, table_checks
from assess_day.assessment import LISTING, VERDICT, QualityRow, Verdict
from assess_day.check_inputs import CheckInputs

CHECKS = (*day_checks.CHECKS, *table_checks.CHECKS)
PARTIAL = (QualityRow(None, VERDICT, None, None, None, Verdict.OK, "execução parcial"),)
"""The rows of a day with only a partial run: such a day is not judged."""
_ONLY_PARTIAL = (
    "Só uma execução parcial foi pedida neste dia: invoque a função check-and-delete-partitions com {} ainda "
    "hoje."
)
NOT_RUN = (
    QualityRow(None, LISTING, None, 1.0, None, Verdict.FAILURE, _ONLY_PARTIAL),
    QualityRow(None, VERDICT, None, 1.0, None, Verdict.FAILURE, _ONLY_PARTIAL),
)
"""The rows of a day with only a partial run, if the schedule expected a run of the whole day."""


def run_checks(inputs: CheckInputs) -> tuple[QualityRow, ...]:
    """Run all quality checks of a day.

    Returns
    -------
    tuple of QualityRow
        One row for each check and column, and then the row with the verdict. The order of the rows in
        `inputs` does not matter.
    """
    found = [row for check in CHECKS for row in check(inputs)]
    rows = [replace(row, motivo=None) if row.situacao is Verdict.OK else row for row in found]
    rows.sort(key=lambda row: (row.tabela or "", row.medida, row.coluna or ""))
    return (*rows, verdict(rows))


def verdict(rows: list[QualityRow]) -> QualityRow:
    """Return the row that holds the day's verdict: the worst verdict of all rows."""
    remarks = [row for row in rows if row.situacao is not Verdict.OK]
    worst = max(remarks, key=lambda row: row.situacao.rank, default=None)
    if worst is None:
        return QualityRow(None, VERDICT, None, 0.0, None, Verdict.OK, None)
    said = f"{len(remarks)} medidas fora do normal: {worst.motivo}" if len(remarks) > 1 else worst.motivo
    return QualityRow(None, VERDICT, None, float(len(remarks)), None, worst.situacao, said)
