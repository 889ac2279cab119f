"""Finds which tables a day's objects have reached, from SoR to SoT and Spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pynvest_lake.contract import SOR_ACOES, SOR_FIIS, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS
from pynvest_lake.storage import PART, LakeTable, ObjectGone, arrived_ids, list_day

_SHOWN = 10


@dataclass(frozen=True)
class Flow:
    """Which tables a day's objects have reached.

    Parameters
    ----------
    sor_ids
        Ids of the day's SoR objects.
    newest_at
        When the newest SoR object was written; None if the day has no SoR object.
    not_through
        One text for each table that lacks some SoR objects, with the ids of these objects. The texts are in
        Portuguese, because the day's verdict contains them.
    foreign
        Keys in the day's partitions, but not in the form of the lake's keys.
    """

    sor_ids: frozenset[str]
    newest_at: datetime | None
    not_through: tuple[str, ...]
    foreign: tuple[str, ...] = ()


def flow(s3: Any, tables: Iterable[LakeTable], day: int) -> Flow:
    """Return which tables a day's objects have reached; SoT and Spec should have each id of SoR."""
    named = {table.table: table for table in tables}
    while True:
        try:
            return _flow(s3, named, day)
        except ObjectGone:  # a compaction has replaced an object: list the new objects
            continue


def _flow(s3: Any, named: Mapping[str, LakeTable], day: int) -> Flow:
    # List SoR first. An object that reaches SoR after this listing is not expected in SoT and Spec.
    order = (SOR_ACOES, SOR_FIIS, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS)
    partitions = {name: list_day(s3, named[name], day) for name in order}
    stocks, funds = (partitions[name].ids(PART) for name in (SOR_ACOES, SOR_FIIS))
    expected = {SOT_ACOES: stocks, SOT_FIIS: funds, SPEC_ATIVOS: stocks | funds}
    lacking = {name: sorted(ids - arrived_ids(s3, partitions[name])) for name, ids in expected.items()}
    written_at = [*partitions[SOR_ACOES].objects.values(), *partitions[SOR_FIIS].objects.values()]
    return Flow(
        stocks | funds,
        max(written_at, default=None),
        tuple(_not_through(name, missing) for name, missing in lacking.items() if missing),
        tuple(key for partition in partitions.values() for key in partition.foreign),
    )


def _not_through(table: str, missing: list[str]) -> str:
    shown = ", ".join(missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
    return f"objetos da SoR que não chegaram a {table}: {len(missing)} ({shown})"
