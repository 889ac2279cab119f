"""Judges the share of filled cells of a column, and core labels that pages lack."""

from __future__ import annotations

from assess_day import thresholds
from assess_day.assessment import Verdict
from assess_day.references import References
from b3.kind import Kind
from pynvest_lake.contract import SOR_ACOES, SOR_FIIS, SOT_ACOES, SOT_FIIS, table_schema

SOR = {Kind.ACOES: SOR_ACOES, Kind.FIIS: SOR_FIIS}
SOT = {Kind.ACOES: SOT_ACOES, Kind.FIIS: SOT_FIIS}
# A row without these values is useless: if such a column is empty, the check fails even without a reference.
# Other columns may be empty: since 2026 the site shows no fund's mandate.
_ESSENTIAL = {
    Kind.ACOES: ("nome_papel", "vlr_cot", "dt_ult_cot", "num_acoes", "vlr_mercado"),
    Kind.FIIS: ("fii", "vlr_cot", "dt_ult_cot", "num_cotas", "vlr_mercado"),
}


def judge_fill(references: References, kind: Kind, column: str, share: float) -> Verdict:
    """Judge the share of filled cells of a SoT column, a fraction, against that of earlier days."""
    if not share and column in _ESSENTIAL[kind]:
        return Verdict.FAILURE
    reference = references.of(SOT[kind], "preenchimento", column)
    if reference is None:
        return Verdict.OK
    core = any(one.core and one.name == column for one in table_schema(SOR[kind]).columns)
    limits = thresholds.CORE_FILL if core else thresholds.FILL
    # Round the value: a floating-point error could make exactly half exceed half.
    return limits.above(round(reference - share, 9))


def judge_lacking_label(references: References, kind: Kind, label: str, assets: int, read: int) -> Verdict:
    """Judge a core label that pages lack; if all pages lack it, its columns are judged as empty."""
    columns = table_schema(SOR[kind]).labels.get(label, ()) if assets >= read else ()
    empty = [judge_fill(references, kind, column, 0.0) for column in columns]
    return max((Verdict.WARNING, *empty), key=lambda one: one.rank)
