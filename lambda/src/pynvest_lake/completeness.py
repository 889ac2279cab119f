"""How far a day's objects have come through the tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pynvest_lake.contract import SOR_ACOES, SOR_FIIS, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS
from pynvest_lake.storage import PART, LakeTable, arrived_ids, list_day

_SHOWN = 10


@dataclass(frozen=True)
class Flow:
    """How far a day's objects have come.

    Parameters
    ----------
    sor_ids
        Ids of the day's SoR objects.
    newest_at
        When the newest of them was written; None where there is none.
    not_through
        Which of them have not come to a table, a text a table; in Portuguese, since the day's verdict has it.
    """

    sor_ids: frozenset[str]
    newest_at: datetime | None
    not_through: tuple[str, ...]


def flow(s3: Any, tables: Iterable[LakeTable], day: int) -> Flow:
    """Look how far a day's objects have come: every id of SoR has to be in SoT, and every one in Spec."""
    named = {table.table: table for table in tables}
    # SoR first: what arrives meanwhile is then in the later tables too, and not taken for lacking.
    sor = {name: list_day(s3, named[name], day) for name in (SOR_ACOES, SOR_FIIS)}
    ids = {name: partition.ids(PART) for name, partition in sor.items()}
    sor_ids = ids[SOR_ACOES] | ids[SOR_FIIS]
    expected = {SOT_ACOES: ids[SOR_ACOES], SOT_FIIS: ids[SOR_FIIS], SPEC_ATIVOS: sor_ids}
    lacking = {name: sorted(wanted - arrived_ids(s3, named[name], day)) for name, wanted in expected.items()}
    return Flow(
        sor_ids,
        max(
            (written_at for partition in sor.values() for written_at in partition.objects.values()),
            default=None,
        ),
        tuple(_not_through(name, missing) for name, missing in lacking.items() if missing),
    )


def _not_through(table: str, missing: list[str]) -> str:
    shown = ", ".join(missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
    return f"objetos da SoR que não chegaram a {table}: {len(missing)} ({shown})"
