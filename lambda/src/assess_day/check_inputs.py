"""The input of the quality checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa

from assess_day.assessment import QualityRow
from assess_day.day_status import DayState
from assess_day.references import References
from b3.kind import Kind
from pynvest_lake.ledger import DayLedger
from pynvest_lake.storage import LakeTable


@dataclass(frozen=True)
class CheckInputs:
    """The input of the quality checks of a day.

    Parameters
    ----------
    state
        The day's ledger, and the progress of its objects through the tables.
    sor, sot
        The day's rows of these tables, by kind, in any order. SoR rows include every reading of an asset.
    spec
        The day's rows of the Spec table.
    sot_before
        The SoT rows of the newest earlier day that has rows, by kind.
    failed_compactions
        The errors of failed compactions.
    duplicates
        Number of duplicate rows that compactions found.
    dead_letters
        Number of messages in the dead-letter queues.
    earlier
        The rows of the quality table of earlier days, by day.
    reference_from
        The first day, ``YYYYMMDD``, whose values serve as references.
    trading_day
        Whether B3 trades on the day.
    unregistered
        For each table: days, of all time, that the bucket has and the catalog lacks.
    """

    state: DayState
    sor: Mapping[Kind, pa.Table]
    sot: Mapping[Kind, pa.Table]
    spec: pa.Table
    sot_before: Mapping[Kind, pa.Table] = field(default_factory=dict)
    failed_compactions: Sequence[str] = ()
    duplicates: int = 0
    dead_letters: int = 0
    earlier: Mapping[int, Sequence[QualityRow]] = field(default_factory=dict)
    reference_from: int = 0
    trading_day: bool = True
    unregistered: Mapping[LakeTable, Sequence[int]] = field(default_factory=dict)

    @property
    def ledger(self) -> DayLedger:
        """Return the day's ledger."""
        return self.state.ledger

    @cached_property
    def references(self) -> References:
        """Return the reference values for the day."""
        return References({day: rows for day, rows in self.earlier.items() if day >= self.reference_from})
