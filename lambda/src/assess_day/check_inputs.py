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
from pynvest_lake.ledger import AssetKey, DayLedger, Outcome
from pynvest_lake.storage import LakeTable


@dataclass(frozen=True)
class CheckInputs:
    """The input of the quality checks of a day.

    Parameters
    ----------
    state
        The stored state of the day.
    sor, sot
        The day's SoR rows and SoT rows per kind, in any order. The SoR rows include every reading of an
        asset.
    spec
        The day's rows of the Spec table.
    sot_before
        The newest SoT rows from earlier days, per kind.
    failed_compactions
        The errors of failed compactions.
    duplicates
        The number of duplicate rows that the compactions found.
    dead_letters
        Number of messages in the dead-letter queues.
    earlier
        A mapping from each previous day to the quality rows of that day.
    reference_from
        The first day, ``YYYYMMDD``, whose quality rows serve as references.
    unregistered
        Per table, all days that have objects in the bucket but no partition in the catalog.
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
    unregistered: Mapping[LakeTable, Sequence[int]] = field(default_factory=dict)

    @property
    def ledger(self) -> DayLedger:
        """Return the day's ledger."""
        return self.state.ledger

    @cached_property
    def missing(self) -> dict[AssetKey, Outcome | None]:
        """Return the listed assets that were not read, each with its outcome, if any.

        An asset that has no page on the site counts only if `sot_before` has a row of the asset.
        """
        before = {
            (kind, ticker)
            for kind, table in self.sot_before.items()
            for ticker in table[kind.ticker_column].to_pylist()
        }
        missing = self.ledger.missing(self.state.sor_ids, before)
        return {asset: entry.outcome if entry else None for asset, entry in missing.items()}

    @cached_property
    def references(self) -> References:
        """Return the reference values for the day."""
        return References({day: rows for day, rows in self.earlier.items() if day >= self.reference_from})
