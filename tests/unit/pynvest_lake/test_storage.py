from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lake_rows import rows
from moto_lake import DAY, Lake, list_keys
from pynvest_lake.contract import SOR_ACOES, SOT_ACOES, SPEC_ATIVOS, table_schema
from pynvest_lake.storage import (
    COMPACT,
    COMPACTED_IDS,
    PART,
    LakeObject,
    LakeTable,
    ObjectGone,
    UnexpectedObject,
    arrived_ids,
    compacted_ids,
    list_day,
    object_id,
    read,
    write,
)

TABLE = LakeTable("bucket", "db", SOR_ACOES)


def test_a_key_is_parsed_back_to_its_object() -> None:
    for item in (TABLE.part(DAY, object_id("a")), TABLE.compact(DAY, object_id("b"))):
        assert TABLE.parse_key(item.key) == item


@pytest.mark.parametrize(
    "key",
    [
        "other/anomesdia_exec=20261123/" + "a" * 32 + ".part.parquet",
        f"{SOR_ACOES}/anomesdia_exec=20261341/" + "a" * 32 + ".part.parquet",
        f"{SOR_ACOES}/day=20261123/" + "a" * 32 + ".part.parquet",
        f"{SOR_ACOES}/anomesdia_exec=20261123/notes.txt",
        f"{SOR_ACOES}/anomesdia_exec=20261123/sub/" + "a" * 32 + ".part.parquet",
        f"{SOR_ACOES}/anomesdia_exec=²026112³/" + "a" * 32 + ".part.parquet",
        "",
    ],
)
def test_a_foreign_key_is_named(key: str) -> None:
    with pytest.raises(UnexpectedObject, match=r"s3://bucket/"):
        TABLE.parse_key(key)


def test_only_the_same_parts_give_the_same_id() -> None:
    assert object_id(DAY, "acoes", ["A", "B"]) == object_id(DAY, "acoes", ["A", "B"])
    assert (
        len({object_id(DAY, "acoes", ["A", "B"]), object_id(DAY, "fiis", ["A", "B"]), object_id("AB")}) == 3
    )


def test_an_object_holds_the_contracts_types_in_snappy_with_dictionaries(lake: Lake) -> None:
    target = lake.tables[SPEC_ATIVOS].part(DAY, object_id(1))
    write(lake.s3, target, rows(SPEC_ATIVOS, {"codigo_ticker_ativo": "PETR4", "vlr_cot": 1.5}))

    body = lake.s3.get_object(Bucket=target.table.bucket, Key=target.key)["Body"].read()
    column = pq.ParquetFile(pa.BufferReader(body)).metadata.row_group(0).column(0)

    assert column.compression == "SNAPPY"
    assert column.has_dictionary_page
    assert read(lake.s3, target).rows.schema == table_schema(SPEC_ATIVOS).arrow


def put(lake: Lake, target: LakeObject, table: pa.Table) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    lake.s3.put_object(Bucket=target.table.bucket, Key=target.key, Body=sink.getvalue().to_pybytes())


def test_an_object_without_newer_columns_is_read_with_nulls_for_them(lake: Lake) -> None:
    target = lake.tables[SOT_ACOES].part(DAY, object_id(1))
    schema = table_schema(SOT_ACOES).arrow
    now = rows(SOT_ACOES, {"nome_papel": "PETR4", "vlr_cot": 1.5})
    before = schema.get_field_index("datetime_exec") + 1
    put(lake, target, now.select(schema.names[:before]))

    assert before < len(schema)
    assert read(lake.s3, target).rows.equals(now)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.select([]),
        lambda one: one.append_column("outra", pa.nulls(len(one))),
        lambda one: one.set_column(0, "nome_papel", pa.array([1])),
        lambda one: one.select(["tipo_papel", "nome_papel"]),
    ],
    ids=["none", "one too many", "another type", "another order"],
)
def test_an_object_with_other_columns_is_refused(lake: Lake, change: Any) -> None:
    target = lake.tables[SOT_ACOES].part(DAY, object_id(1))
    put(lake, target, change(rows(SOT_ACOES, {})))

    with pytest.raises(UnexpectedObject, match="other columns or types"):
        read(lake.s3, target)


def damage(lake: Lake, target: LakeObject, damaged: str) -> None:
    """Write an object in which either all bytes ("all") or only the Parquet footer ("footer") is damaged."""
    put(lake, target, rows(target.table.table, {}))
    body = lake.s3.get_object(Bucket=target.table.bucket, Key=target.key)["Body"].read()
    body = b"garbage" if damaged == "all" else body[:-40] + b"\xff" * 32 + body[-8:]
    lake.s3.put_object(Bucket=target.table.bucket, Key=target.key, Body=body)


@pytest.mark.parametrize("damaged", ["all", "footer"])
def test_a_damaged_object_is_refused_and_named(lake: Lake, damaged: str) -> None:
    table = lake.tables[SOT_ACOES]
    part, compact = table.part(DAY, object_id(1)), table.compact(DAY, object_id(1))
    for target in (part, compact):
        damage(lake, target, damaged)

    with pytest.raises(UnexpectedObject, match=f"{part.id}.part.parquet is no Parquet"):
        read(lake.s3, part)
    with pytest.raises(UnexpectedObject, match=f"{compact.id}.compact.parquet is no Parquet"):
        compacted_ids(lake.s3, compact)


def test_a_missing_object_is_gone(lake: Lake) -> None:
    with pytest.raises(ObjectGone, match="no longer exists"):
        read(lake.s3, lake.tables[SOR_ACOES].part(DAY, object_id(1)))


def test_the_ids_in_a_compact_object_count_as_arrived(lake: Lake) -> None:
    table = lake.tables[SOT_ACOES]
    write(lake.s3, table.compact(DAY, object_id("any")), rows(SOT_ACOES, {}), [object_id(1), object_id(2)])
    write(lake.s3, table.part(DAY, object_id(3)), rows(SOT_ACOES, {}))

    assert {item.form for item in list_day(lake.s3, table, DAY)} == {PART, COMPACT}
    assert arrived_ids(lake.s3, list_day(lake.s3, table, DAY)) == {object_id(1), object_id(2), object_id(3)}


def test_objects_of_older_versions_are_read_by_name_and_by_metadata(lake: Lake) -> None:
    table = lake.tables[SOT_ACOES]
    part, compact = table.part(DAY, object_id(1)), table.compact(DAY, object_id(2))
    sources = {COMPACTED_IDS: b'["a", "b"]', b"pynvest.sources": b'{"a": [["etag", "x"]], "b": []}'}
    for target, metadata in ((part, {b"pynvest.sources": b"{}"}), (compact, sources)):
        before = rows(SOT_ACOES, {}).drop_columns("datetime_leitura")
        put(lake, target, before.replace_schema_metadata(metadata))

    assert arrived_ids(lake.s3, list_day(lake.s3, table, DAY)) == {part.id, "a", "b"}
    assert read(lake.s3, compact).ids == {"a", "b"}
    assert read(lake.s3, compact).rows["datetime_leitura"].to_pylist() == [None]


def test_a_damaged_compact_object_counts_as_empty(lake: Lake) -> None:
    table = lake.tables[SOT_ACOES]
    damage(lake, table.compact(DAY, object_id(1)), "all")
    write(lake.s3, table.part(DAY, object_id(2)), rows(SOT_ACOES, {}))

    assert arrived_ids(lake.s3, list_day(lake.s3, table, DAY)) == {object_id(2)}


def test_a_missing_compact_object_is_not_cached(lake: Lake) -> None:
    item = lake.tables[SOT_ACOES].compact(DAY, object_id(1))
    with pytest.raises(ObjectGone):
        compacted_ids(lake.s3, item)

    write(lake.s3, item, rows(SOT_ACOES, {}), ["a"])

    assert compacted_ids(lake.s3, item) == {"a"}


def test_foreign_objects_are_skipped_and_named(lake: Lake) -> None:
    table = lake.tables[SOT_ACOES]
    for name in ("", "_SUCCESS"):
        lake.s3.put_object(Bucket=table.bucket, Key=f"{table.prefix(DAY)}{name}", Body=b"")

    listed = list_day(lake.s3, table, DAY)

    assert (list(listed), listed.foreign) == ([], (table.prefix(DAY), f"{table.prefix(DAY)}_SUCCESS"))


def test_a_day_with_several_pages_of_keys_is_listed_completely(lake: Lake) -> None:
    table = lake.tables[SOR_ACOES]
    for day, position in ((DAY, 1), (DAY, 2), (DAY, 3), (DAY + 1, 1)):
        key = table.part(day, object_id(position)).key
        lake.s3.put_object(Bucket=table.bucket, Key=key, Body=b"")
    list_keys(lake, at_once=2)

    assert len(list_day(lake.s3, table, DAY)) == 3


def test_a_name_is_never_written_twice(lake: Lake) -> None:
    target = lake.tables[SOR_ACOES].part(DAY, object_id(1))

    for ticker in ("AAAA3", "BBBB4"):
        write(lake.s3, target, rows(SOR_ACOES, {"nome_papel": ticker}))

    assert read(lake.s3, target).rows["nome_papel"].to_pylist() == ["AAAA3"]


def test_tables_of_two_lakes_in_one_bucket_have_no_key_in_common() -> None:
    other = replace(TABLE, key_prefix="other/")

    assert other.part(DAY, object_id(1)).key == f"other/{TABLE.part(DAY, object_id(1)).key}"
    with pytest.raises(UnexpectedObject):
        other.parse_key(TABLE.part(DAY, object_id(1)).key)
    with pytest.raises(UnexpectedObject):
        TABLE.parse_key(other.part(DAY, object_id(1)).key)
