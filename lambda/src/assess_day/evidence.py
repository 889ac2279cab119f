"""What a day is judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa

from assess_day.assessment import QualityRow
from assess_day.references import References
from pynvest_lake.kinds import Kind
from pynvest_lake.ledger import DayLedger


@dataclass(frozen=True)
class Evidence:
    """What a day is judged by.

    Parameters
    ----------
    ledger
        The day's ledger.
    sor_ids
        Ids of the day's SoR objects.
    sor, sot
        The day's rows of these tables, by kind; in any order, of SoR with every reading of a paper.
    spec
        The day's rows of the Spec table.
    not_through
        What has not come through to the next table, a text a pair of tables.
    failed_folds
        What folds failed with.
    duplicates
        How many rows the folds found twice.
    dead_letters
        How many messages lie in the dead-letter queues.
    earlier
        What was measured on earlier days, by day.
    trading_day
        Whether B3 trades on the day.
    fetch_from
        ``site``, or ``pages`` where a collector brings them.
    """

    ledger: DayLedger
    sor_ids: frozenset[str]
    sor: Mapping[Kind, pa.Table]
    sot: Mapping[Kind, pa.Table]
    spec: pa.Table
    not_through: Sequence[str] = ()
    failed_folds: Sequence[str] = ()
    duplicates: int = 0
    dead_letters: int = 0
    earlier: Mapping[int, Sequence[QualityRow]] = field(default_factory=dict)
    trading_day: bool = True
    fetch_from: str = "site"

    @property
    def day(self) -> int:
        """Return the day, ``YYYYMMDD``."""
        return self.ledger.day

    @cached_property
    def references(self) -> References:
        """Return what the day is held against."""
        return References(self.earlier)
