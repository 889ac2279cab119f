from __future__ import annotations

from typing import Any

from assess_day.day_status import DayState
from assess_day.load import state_of
from lake_rows import put_part, rows
from moto_lake import DAY, Lake
from pynvest_lake.contract import SOR_ACOES, SOR_FIIS, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS
from pynvest_lake.ledger import DayLedger
from pynvest_lake.storage import object_id, write

LEDGER = DayLedger(DAY, None, (), ())


def day_state(lake: Lake) -> DayState:
    return state_of(lake.s3, lake.tables.values(), LEDGER)


def test_pending_objects_are_named_with_the_tables_that_lack_them(lake: Lake) -> None:
    raw = put_part(lake, SOR_ACOES, "raw", {"nome_papel": "AAAA3"})
    half = put_part(lake, SOR_FIIS, "half", {"fii": "BBBB11"})
    put_part(lake, SOT_FIIS, "half", {"fii": "BBBB11"})

    both = ", ".join(sorted([raw.id, half.id]))
    assert day_state(lake).sor_ids == {raw.id, half.id}
    assert day_state(lake).not_through == (
        f"objetos da SoR que não chegaram a {SOT_ACOES}: 1 ({raw.id})",
        f"objetos da SoR que não chegaram a {SPEC_ATIVOS}: 2 ({both})",
    )


def test_an_id_that_sor_does_not_have_is_ignored(lake: Lake) -> None:
    put_part(lake, SOT_FIIS, "of a day that was cleared", {"fii": "BBBB11"})

    assert day_state(lake).not_through == ()


def test_no_object_is_pending_before_or_after_the_compaction(lake: Lake) -> None:
    for sor, sot in ((SOR_ACOES, SOT_ACOES), (SOR_FIIS, SOT_FIIS)):
        for table in (sor, sot, SPEC_ATIVOS):
            put_part(lake, table, sor)
    assert day_state(lake).not_through == ()

    table = lake.tables[SOT_ACOES]
    part = table.part(DAY, object_id(SOR_ACOES))
    write(
        lake.s3,
        table.compact(DAY, object_id("x")),
        rows(SOT_ACOES, {"nome_papel": "AAAA3"}),
        [part.id],
    )
    lake.s3.delete_object(Bucket=table.bucket, Key=part.key)

    assert day_state(lake).not_through == ()


def test_an_object_that_another_compaction_replaces_meanwhile_is_not_pending(lake: Lake) -> None:
    raw = put_part(lake, SOR_ACOES, "raw", {"nome_papel": "AAAA3"})
    put_part(lake, SPEC_ATIVOS, "raw", {"codigo_ticker_ativo": "AAAA3"})
    table = lake.tables[SOT_ACOES]
    old, new = (table.compact(DAY, object_id(name)) for name in ("old", "new"))
    write(lake.s3, old, rows(SOT_ACOES, {"nome_papel": "AAAA3"}), [raw.id])

    def replace_old(**_: Any) -> None:
        lake.s3.meta.events.unregister("before-call.s3.GetObject", replace_old)
        write(lake.s3, new, rows(SOT_ACOES, {"nome_papel": "AAAA3"}), [raw.id])
        lake.s3.delete_object(Bucket=table.bucket, Key=old.key)

    lake.s3.meta.events.register("before-call.s3.GetObject", replace_old)

    assert day_state(lake).not_through == ()


def test_a_day_without_objects_has_an_empty_state(lake: Lake) -> None:
    assert day_state(lake) == DayState(LEDGER, frozenset())
