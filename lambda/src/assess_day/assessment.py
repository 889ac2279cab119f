"""The assessment of a day: rows of the quality table, verdict, and further data for the notice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

import pyarrow as pa

from assess_day.splits import Split
from b3.kind import Kind
from pynvest_lake.outcomes import Outcome


class Verdict(str, Enum):
    """The result of a quality check or of the day; the quality table stores these values."""

    OK = "ok"
    WARNING = "aviso"
    FAILURE = "falha"

    @property
    def rank(self) -> int:
        """Return 0, 1 or 2; a worse verdict has a greater rank."""
        return list(Verdict).index(self)


# The check whose row holds the day's verdict; it belongs to no table.
VERDICT = "dia"
# The check whose row says that a day has no listing.
LISTING = "listagem"


@dataclass(frozen=True)
class QualityRow:
    """One row of the quality table.

    Parameters
    ----------
    tabela
        The checked table; None if the check belongs to no table.
    medida
        The name of the check.
    coluna
        The checked column or label; None if the check concerns the whole table.
    valor
        The measured value.
    referencia
        The value for comparison; None if there is none.
    situacao
        The verdict of the check.
    motivo
        Why the verdict is not ``ok``, one Portuguese sentence; None if it is ``ok``.
    """

    tabela: str | None
    medida: str
    coluna: str | None
    valor: float | None
    referencia: float | None
    situacao: Verdict
    motivo: str | None

    def to_row(self) -> dict[str, Any]:
        """Return the row as the table stores it, without ``datetime_exec``."""
        return {**vars(self), "situacao": self.situacao.value}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> QualityRow:
        """Make a row from a stored row of the table."""
        values = {one.name: row[one.name] for one in fields(cls)}
        return cls(**{**values, "situacao": Verdict(values["situacao"])})


@dataclass(frozen=True)
class MissingAsset:
    """A listed asset that was not read.

    Parameters
    ----------
    kind, ticker
        The asset.
    outcome
        Its recorded outcome; None if there is none.
    why
        The request, the answer and the expected answer, if known.
    """

    kind: Kind
    ticker: str
    outcome: Outcome | None
    why: str | None = None


@dataclass(frozen=True)
class Assessment:
    """The assessment of a day.

    Parameters
    ----------
    day
        The day, ``YYYYMMDD``.
    rows
        The rows of the quality table, the verdict last.
    verdict
        The worst verdict of all rows.
    missing
        The listed assets that were not read.
    spec
        The day's rows of the Spec table.
    splits
        The possible splits since the earlier day.
    is_partial
        Whether the day was started with a few assets only: such a day is not judged.
    fetch_from
        ``site``, or ``pages`` if a collector brings the pages.
    site_refuses
        Whether the site refuses AWS.
    """

    day: int
    rows: tuple[QualityRow, ...]
    verdict: Verdict
    missing: tuple[MissingAsset, ...]
    spec: pa.Table
    splits: Sequence[Split] = ()
    is_partial: bool = False
    fetch_from: str = "site"
    site_refuses: bool = False

    @property
    def unlisted(self) -> bool:
        """Return whether the day has no listing: then the missing assets are unknown."""
        return any(row.medida == LISTING and row.situacao is Verdict.FAILURE for row in self.rows)

    @property
    def reasons(self) -> list[str]:
        """Return the sentences of the rows that are not ``ok``, the worst first."""
        remarks = [
            row
            for row in self.rows
            if row.situacao is not Verdict.OK and row.medida != VERDICT and row.motivo
        ]
        return [row.motivo or "" for row in sorted(remarks, key=lambda row: -row.situacao.rank)]
