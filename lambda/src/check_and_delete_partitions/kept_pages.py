"""Whether the archive has what a day is to be run from: looked at before the day is cleared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pynvest_lake.archive import Archive
from pynvest_lake.contract import SOR_ACOES, SOR_FIIS
from pynvest_lake.kinds import Kind
from pynvest_lake.storage import LakeTable, list_day, read

_KINDS = {SOR_ACOES: Kind.ACOES, SOR_FIIS: Kind.FIIS}
_SHOWN = 10


class PagesLacking(Exception):  # noqa: N818 - what is wrong
    """The archive lacks pages that the day is to be run from; nothing was removed."""


def check_pages(s3: Any, archive: Archive, tables: Iterable[LakeTable], day: int, *, partial: bool) -> None:
    """Check that the archive has a listing of each kind, and the page of every paper that SoR holds.

    Parameters
    ----------
    s3
        S3 client.
    archive
        The archive.
    tables
        The lake's tables.
    day
        The day, ``YYYYMMDD``.
    partial
        Whether pages that are lacking do not matter; a listing has to be there all the same.

    Raises
    ------
    PagesLacking
        Something is lacking; the text says how much.
    """
    kept: set[tuple[str, str | None]] = set()
    problems: list[str] = []
    for key in archive.keys(day):
        found = archive.read(key)
        kept |= {(page.kind, page.ticker) for page in found.pages}
        problems += found.problems
    without = [kind.value for kind in Kind if (kind.value, None) not in kept]
    if without:
        raise PagesLacking(
            f"{day} cannot be run from its pages: the archive has no listing of {' and '.join(without)}"
            f"{_said(problems)}. Nothing was removed"
        )
    if partial:
        return
    held = _held(s3, tables, day)
    lacking = sorted(ticker for kind, ticker in held if (kind, ticker) not in kept)
    if lacking:
        shown = ", ".join(lacking[:_SHOWN]) + (", …" if len(lacking) > _SHOWN else "")
        raise PagesLacking(
            f"{day} cannot be run from its pages: the archive lacks those of {len(lacking)} of {len(held)} "
            f"papers that SoR holds: {shown}{_said(problems)}. Nothing was removed; "
            '"partial": true does it without them'
        )


def _held(s3: Any, tables: Iterable[LakeTable], day: int) -> set[tuple[str, str]]:
    return {
        (_KINDS[table.table].value, ticker)
        for table in tables
        if table.table in _KINDS
        for item in list_day(s3, table, day)
        for ticker in read(s3, item).rows[_KINDS[table.table].ticker_column].to_pylist()
    }


def _said(problems: list[str]) -> str:
    return f" ({len(problems)} damaged, such as {problems[0]})" if problems else ""
