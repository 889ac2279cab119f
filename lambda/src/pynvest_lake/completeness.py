"""How far a day's objects have come through the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pynvest_lake.contract import SOR_ACOES, SOR_FIIS, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS
from pynvest_lake.storage import COMPACT, PART, LakeTable, Sources, Stamp, joined, list_day, sources_of

_SHOWN = 10
# What the objects of each table are made into.
_FLOW = ((SOR_ACOES, SOT_ACOES), (SOR_FIIS, SOT_FIIS), (SOT_ACOES, SPEC_ATIVOS), (SOT_FIIS, SPEC_ATIVOS))


@dataclass(frozen=True)
class Holding:
    """What a day's partition of a table holds, by the ids of the parts.

    Parameters
    ----------
    parts
        What each part that lies there is now.
    sources
        The ids that have come to the table, by themselves or folded, each with the stamps of the sources that
        were read for it; none where the object is of before such stamps.
    """

    parts: Mapping[str, Stamp]
    sources: Sources

    def has(self, part_id: str, stamp: Stamp) -> bool:
        """Tell whether a part of the table before has come through as it is now."""
        return part_id in self.sources and (not self.sources[part_id] or stamp in self.sources[part_id])


def holding(s3: Any, table: LakeTable, day: int, *, reads_parts: bool = True) -> Holding:
    """Look at what a day's partition holds.

    Parameters
    ----------
    s3
        S3 client.
    table
        The table.
    day
        The day, ``YYYYMMDD``.
    reads_parts
        Whether the stamps that parts name are needed; where they are not, no part is read.
    """
    listed = list_day(s3, table, day)
    return Holding(
        {item.id: stamp for item, stamp in listed.items() if item.form == PART},
        joined(
            sources_of(s3, item, stamp)
            if reads_parts or item.form == COMPACT
            else {item.id: frozenset[Stamp]()}
            for item, stamp in listed.items()
        ),
    )


@dataclass(frozen=True)
class Flow:
    """How far a day's objects have come.

    Parameters
    ----------
    sor_ids
        Ids of the day's SoR objects.
    newest_at
        When the newest of them was written, as a stamp has it; None where there is none.
    not_through
        Which objects have not come through to the next table, a text a pair of tables; in Portuguese, since
        the day's verdict has it.
    """

    sor_ids: frozenset[str]
    newest_at: str | None
    not_through: tuple[str, ...]


def flow(s3: Any, tables: Iterable[LakeTable], day: int) -> Flow:
    """Look how far a day's objects have come: every id has to be in each table after its own.

    A part that has been written anew has to come through anew.
    """
    named = {table.table: table for table in tables}
    # Upstream first: what arrives meanwhile is then seen too often, never too seldom.
    held = {
        name: holding(s3, named[name], day, reads_parts=name not in (SOR_ACOES, SOR_FIIS))
        for name in (SOR_ACOES, SOR_FIIS, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS)
    }
    sor = [held[SOR_ACOES], held[SOR_FIIS]]
    return Flow(
        frozenset(part_id for table in sor for part_id in table.sources),
        max((stamp.written_at for table in sor for stamp in table.parts.values()), default=None),
        tuple(_lacking((source, held[source], target, held[target]) for source, target in _FLOW)),
    )


def _lacking(pairs: Iterable[tuple[str, Holding, str, Holding]]) -> list[str]:
    problems = []
    for source, held, target, arrived in pairs:
        lacking = sorted(
            part_id
            for part_id in held.sources
            if part_id not in arrived.sources
            or (part_id in held.parts and not arrived.has(part_id, held.parts[part_id]))
        )
        if lacking:
            shown = ", ".join(lacking[:_SHOWN]) + (", …" if len(lacking) > _SHOWN else "")
            problems.append(f"objetos que não chegaram de {source} a {target}: {len(lacking)} ({shown})")
    return problems
