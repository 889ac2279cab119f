"""What was found out about a day: rows of the quality table, verdict, and what a notice needs besides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

import pyarrow as pa

from b3.kind import Kind
from pynvest_lake.outcomes import Outcome


class Verdict(str, Enum):
    """The result of a quality check, or of the day; the values are those of the quality table."""

    OK = "ok"
    WARNING = "aviso"
    FAILURE = "falha"

    @property
    def rank(self) -> int:
        """Return a number that is the greater, the worse the verdict."""
        return list(Verdict).index(self)


# The check whose row holds the day's verdict; it is of no table.
VERDICT = "dia"
# The check whose row says that a day has no listing.
LISTING = "listagem"


@dataclass(frozen=True)
class QualityRow:
    """One row of the quality table.

    Parameters
    ----------
    tabela
        The table that was checked; None where the check is of no table.
    medida
        The name of the check.
    coluna
        The column or the label that was checked; None where the check is of the table.
    valor
        The value that was found.
    referencia
        What it was held against; None where there was nothing.
    situacao
        How it stands.
    motivo
        Why it is not ``ok``, one Portuguese sentence; None where it is.
    """

    tabela: str | None
    medida: str
    coluna: str | None
    valor: float | None
    referencia: float | None
    situacao: Verdict
    motivo: str | None

    def to_row(self) -> dict[str, Any]:
        """Return the row as the table has it, without the moment."""
        return {**vars(self), "situacao": self.situacao.value}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> QualityRow:
        """Read a row of the table."""
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
        The most that is known of it; None where nothing is.
    why
        What was asked, found and expected, where that is known.
    """

    kind: Kind
    ticker: str
    outcome: Outcome | None
    why: str | None = None


@dataclass(frozen=True)
class Assessment:
    """What was found out about a day.

    Parameters
    ----------
    day
        The day, ``YYYYMMDD``.
    rows
        The rows of the quality table, the verdict last.
    verdict
        The worst of all rows.
    missing
        The listed assets that were not read.
    spec
        The day's rows of the Spec table.
    is_partial
        Whether the day was started with a few assets only: then nothing of it is judged.
    fetch_from
        ``site``, or ``pages`` where a collector brings them.
    site_refuses
        Whether the site refuses AWS.
    """

    day: int
    rows: tuple[QualityRow, ...]
    verdict: Verdict
    missing: tuple[MissingAsset, ...]
    spec: pa.Table
    is_partial: bool = False
    fetch_from: str = "site"
    site_refuses: bool = False

    @property
    def unlisted(self) -> bool:
        """Tell whether the day has no listing, so that nobody knows what is missing."""
        return any(row.medida == LISTING and row.situacao is Verdict.FAILURE for row in self.rows)

    @property
    def reasons(self) -> list[str]:
        """Return why the day is not ``ok``: the sentences of the rows that are not, the worst first."""
        remarks = [
            row
            for row in self.rows
            if row.situacao is not Verdict.OK and row.medida != VERDICT and row.motivo
        ]
        return [row.motivo or "" for row in sorted(remarks, key=lambda row: -row.situacao.rank)]
