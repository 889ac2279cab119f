from __future__ import annotations

from lake_rows import put_part, rows
from moto_lake import DAY, Lake
from pynvest_lake.completeness import Flow, flow
from pynvest_lake.contract import SOR_ACOES, SOR_FIIS, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS
from pynvest_lake.storage import Stamp, joined, object_id, write


def come(lake: Lake) -> Flow:
    return flow(lake.s3, lake.tables.values(), DAY)


def test_objects_on_their_way_are_named_with_the_tables_between_which_they_are(lake: Lake) -> None:
    sor = put_part(lake, SOR_ACOES, "raw", {"nome_papel": "AAAA3"})
    sot = put_part(lake, SOT_FIIS, "typed", {"fii": "BBBB11"})

    assert come(lake).sor_ids == {sor.id}
    assert come(lake).not_through == (
        f"objetos que não chegaram de {SOR_ACOES} a {SOT_ACOES}: 1 ({sor.id})",
        f"objetos que não chegaram de {SOT_FIIS} a {SPEC_ATIVOS}: 1 ({sot.id})",
    )


def test_what_has_come_through_lacks_nothing_folded_or_not(lake: Lake) -> None:
    for sor, sot in ((SOR_ACOES, SOT_ACOES), (SOR_FIIS, SOT_FIIS)):
        for table in (sor, sot, SPEC_ATIVOS):
            put_part(lake, table, sor)
    assert come(lake).not_through == ()

    table = lake.tables[SOT_ACOES]
    part = table.part(DAY, object_id(SOR_ACOES))
    write(
        lake.s3,
        table.compact(DAY, object_id("x")),
        rows(SOT_ACOES, {"nome_papel": "AAAA3"}),
        {part.id: frozenset[Stamp]()},
    )
    lake.s3.delete_object(Bucket=table.bucket, Key=part.key)

    assert come(lake).not_through == ()


def test_a_day_without_objects_has_come_nowhere(lake: Lake) -> None:
    assert come(lake) == Flow(frozenset(), None, ())


def test_joined_sources_keep_every_stamp_that_any_of_them_names() -> None:
    one, other = Stamp("a", "2026-11-23T21:45:07Z"), Stamp("b", "2026-11-23T21:45:08Z")

    assert joined([{"x": frozenset([one])}, {"x": frozenset([other]), "y": frozenset()}]) == {
        "x": {one, other},
        "y": frozenset(),
    }
