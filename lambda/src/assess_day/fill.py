"""Judges the share of filled cells in a column, and judges core labels that are missing on pages."""

from __future__ import annotations

from assess_day import thresholds
from assess_day.assessment import Verdict
from assess_day.references import References
from b3.kind import Kind
from pynvest_lake.contract import SOR, SOT, table_schema

# Rows are useless if one of these columns is empty. Then the check fails even without a reference. Other
# columns may be empty; for example, the site has shown no mandate for any fund since 2026.
_ESSENTIAL = {
    Kind.ACOES: ("nome_papel", "vlr_cot", "dt_ult_cot", "num_acoes", "vlr_mercado"),
    Kind.FIIS: ("fii", "vlr_cot", "dt_ult_cot", "num_cotas", "vlr_mercado"),
}


def judge_fill(references: References, kind: Kind, column: str, share: float) -> Verdict:
    """Judge the fraction of filled cells in a SoT column: compare it with the fraction on previous days."""
    if not share and column in _ESSENTIAL[kind]:
        return Verdict.FAILURE
    reference = references.of(SOT[kind], "preenchimento", column)
    if reference is None:
        return Verdict.OK
    core = any(one.core and one.name == column for one in table_schema(SOR[kind]).columns)
    limits = thresholds.CORE_FILL if core else thresholds.FILL
    # Round the difference: because of a floating-point error, a difference of 0.5 could exceed the limit 0.5.
    return limits.above(round(reference - share, 9))


def judge_lacking_label(references: References, kind: Kind, label: str, assets: int, read: int) -> Verdict:
    """Return the verdict for a core label that pages lack. If all pages lack it, its columns are empty."""
    columns = table_schema(SOR[kind]).labels.get(label, ()) if assets >= read else ()
    empty = [judge_fill(references, kind, column, 0.0) for column in columns]
    return max((Verdict.WARNING, *empty), key=lambda one: one.rank)
