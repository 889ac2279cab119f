"""The assessment of a day: its quality rows, its verdict, and the data that its notice needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

import pyarrow as pa

from assess_day.day_status import DayState
from assess_day.splits import Split
from pynvest_lake.ledger import AssetKey, Outcome


class Verdict(str, Enum):
    """The verdict of a quality check or of a day. The value is the text that the quality table stores."""

    OK = "ok"
    WARNING = "aviso"
    FAILURE = "falha"

    @property
    def rank(self) -> int:
        """Return the rank of the verdict, from 0 for ``ok`` to 2 for ``falha``."""
        return list(Verdict).index(self)


# The name of the check whose row holds the day's verdict; this check belongs to no table.
VERDICT = "dia"
# The name of the check whose row reports that a day has no listing.
LISTING = "listagem"
# The name of the check that counts the listed assets.
LISTED = "papeis_listados"


@dataclass(frozen=True)
class QualityRow:
    """One row of the quality table; ``glue/schemas/tbspec_pynvest_qualidade.json`` describes the columns."""

    tabela: str | None
    medida: str
    coluna: str | None
    valor: float | None
    referencia: float | None
    situacao: Verdict
    motivo: str | None

    def to_row(self) -> dict[str, Any]:
        """Return the values of the row as the quality table stores them, except ``datetime_exec``."""
        return {**vars(self), "situacao": self.situacao.value}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> QualityRow:
        """Make a `QualityRow` from a stored row of the quality table."""
        values = {one.name: row[one.name] for one in fields(cls)}
        return cls(**{**values, "situacao": Verdict(values["situacao"])})


@dataclass(frozen=True)
class Assessment:
    """The assessment of a day.

    Parameters
    ----------
    state
        The stored state of the day.
    rows
        The day's rows of the quality table; the last row holds the verdict.
    verdict
        The worst verdict of all rows.
    missing
        The recorded outcome of each listed asset that was not read; None if no outcome was recorded.
    spec
        The day's rows of the Spec table.
    splits
        The possible splits between the newest previous SoT rows and the day's SoT rows.
    is_partial
        Whether the day's run was limited to a few assets. A partial run is not judged.
    """

    state: DayState
    rows: tuple[QualityRow, ...]
    verdict: Verdict
    missing: Mapping[AssetKey, Outcome | None]
    spec: pa.Table
    splits: Sequence[Split] = ()
    is_partial: bool = False

    @property
    def unlisted(self) -> bool:
        """Return whether a kind has no listing. Without a listing, the kind's missing assets are unknown."""
        return any(row.medida in (LISTING, LISTED) and not row.valor for row in self.rows)

    @property
    def reasons(self) -> list[str]:
        """Return the reason of each row whose verdict is not ``ok``, failures first."""
        remarks = [
            row
            for row in self.rows
            if row.situacao is not Verdict.OK and row.medida != VERDICT and row.motivo
        ]
        return [row.motivo or "" for row in sorted(remarks, key=lambda row: -row.situacao.rank)]
