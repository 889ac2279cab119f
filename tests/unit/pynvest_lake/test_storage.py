from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

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


def rows(*tickers: str) -> pa.Table:
    schema = table_schema(SOR_ACOES).arrow
    blank = dict.fromkeys(schema.names)
    return pa.Table.from_pylist([blank | {"nome_papel": ticker} for ticker in tickers], schema=schema)


def typed(*tickers: str) -> pa.Table:
    schema = table_schema(SOT_ACOES).arrow
    return pa.Table.from_pylist([{"nome_papel": ticker} for ticker in tickers], schema=schema)


def test_a_key_reads_back_as_the_object_it_was_made_for() -> None:
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
def test_a_key_that_is_not_of_the_table_is_named(key: str) -> None:
    with pytest.raises(UnexpectedObject, match=r"s3://bucket/"):
        TABLE.parse_key(key)


def test_ids_are_the_same_for_the_same_parts_only() -> None:
    assert object_id(DAY, "acoes", ["A", "B"]) == object_id(DAY, "acoes", ["A", "B"])
    assert (
        len({object_id(DAY, "acoes", ["A", "B"]), object_id(DAY, "fiis", ["A", "B"]), object_id("AB")}) == 3
    )


def test_an_object_holds_the_contracts_types_in_snappy_with_dictionaries(lake: Lake) -> None:
    target = lake.tables[SPEC_ATIVOS].part(DAY, object_id(1))
    schema = table_schema(SPEC_ATIVOS).arrow
    row = dict.fromkeys(schema.names) | {"codigo_ticker_ativo": "PETR4", "vlr_cot": 1.5}
    write(lake.s3, target, pa.Table.from_pylist([row], schema=schema))

    body = lake.s3.get_object(Bucket=target.table.bucket, Key=target.key)["Body"].read()
    column = pq.ParquetFile(pa.BufferReader(body)).metadata.row_group(0).column(0)

    assert column.compression == "SNAPPY"
    assert column.has_dictionary_page
    assert read(lake.s3, target).rows.schema == schema


def test_an_object_of_other_columns_is_refused(lake: Lake) -> None:
    target = lake.tables[SOR_ACOES].part(DAY, object_id(1))
    put(lake, target, pa.table({"a": [1]}))

    with pytest.raises(UnexpectedObject, match="other columns or types"):
        read(lake.s3, target)


def put(lake: Lake, target: LakeObject, table: pa.Table) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    lake.s3.put_object(Bucket=target.table.bucket, Key=target.key, Body=sink.getvalue().to_pybytes())


def test_an_object_of_before_columns_were_added_is_read_with_nulls_for_them(lake: Lake) -> None:
    target = lake.tables[SOT_ACOES].part(DAY, object_id(1))
    schema = table_schema(SOT_ACOES).arrow
    now = pa.Table.from_pylist([{"nome_papel": "PETR4", "vlr_cot": 1.5}], schema=schema)
    before = schema.get_field_index("datetime_exec") + 1
    put(lake, target, now.select(schema.names[:before]))

    assert before < len(schema)
    assert read(lake.s3, target).rows.equals(now)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.select([]),
        lambda rows: rows.select(rows.schema.names[1:]),
        lambda rows: rows.drop_columns(["vlr_cot"]),
        lambda rows: rows.append_column("outra", pa.nulls(len(rows))),
        lambda rows: rows.set_column(0, "nome_papel", pa.array([1])),
        lambda rows: rows.select(["tipo_papel", "nome_papel"]),
    ],
    ids=["none", "all but the first", "all but one", "one too many", "another type", "another order"],
)
def test_an_object_of_any_other_columns_is_refused(lake: Lake, change: Any) -> None:
    target = lake.tables[SOT_ACOES].part(DAY, object_id(1))
    put(lake, target, change(pa.Table.from_pylist([{}], schema=table_schema(SOT_ACOES).arrow)))

    with pytest.raises(UnexpectedObject, match="other columns or types"):
        read(lake.s3, target)


def test_an_object_that_is_no_parquet_is_refused(lake: Lake) -> None:
    target = lake.tables[SOR_ACOES].part(DAY, object_id(1))
    lake.s3.put_object(Bucket=target.table.bucket, Key=target.key, Body=b"garbage")

    with pytest.raises(UnexpectedObject, match="no Parquet"):
        read(lake.s3, target)


def test_an_object_that_is_not_there_is_gone(lake: Lake) -> None:
    with pytest.raises(ObjectGone, match="no longer there"):
        read(lake.s3, lake.tables[SOR_ACOES].part(DAY, object_id(1)))


def test_a_compact_object_stands_for_the_ids_that_it_lists(lake: Lake) -> None:
    table = lake.tables[SOT_ACOES]
    write(lake.s3, table.compact(DAY, object_id("any")), typed("AAAA3"), [object_id(1), object_id(2)])
    write(lake.s3, table.part(DAY, object_id(3)), typed("BBBB4"))

    assert {item.form for item in list_day(lake.s3, table, DAY)} == {PART, COMPACT}
    assert arrived_ids(lake.s3, list_day(lake.s3, table, DAY)) == {object_id(1), object_id(2), object_id(3)}


def test_objects_of_before_read_on_by_their_name_and_by_their_metadata(lake: Lake) -> None:
    table = lake.tables[SOT_ACOES]
    part, compact = table.part(DAY, object_id(1)), table.compact(DAY, object_id(2))
    sources = {COMPACTED_IDS: b'["a", "b"]', b"pynvest.sources": b'{"a": [["etag", "x"]], "b": []}'}
    for target, metadata in ((part, {b"pynvest.sources": b"{}"}), (compact, sources)):
        sink = pa.BufferOutputStream()
        pq.write_table(
            typed("AAAA3").drop_columns("datetime_leitura").replace_schema_metadata(metadata), sink
        )
        lake.s3.put_object(Bucket=table.bucket, Key=target.key, Body=sink.getvalue().to_pybytes())

    assert arrived_ids(lake.s3, list_day(lake.s3, table, DAY)) == {part.id, "a", "b"}
    assert read(lake.s3, compact).ids == {"a", "b"}
    assert read(lake.s3, compact).rows["datetime_leitura"].to_pylist() == [None]


def test_that_a_compact_object_was_gone_is_not_remembered(lake: Lake) -> None:
    item = lake.tables[SOT_ACOES].compact(DAY, object_id(1))
    assert compacted_ids(lake.s3, item) == frozenset()

    write(lake.s3, item, typed("AAAA3"), ["a"])

    assert compacted_ids(lake.s3, item) == {"a"}


def test_what_is_not_of_the_lake_is_passed_over_and_named(lake: Lake) -> None:
    table = lake.tables[SOT_ACOES]
    for name in ("", "_SUCCESS"):
        lake.s3.put_object(Bucket=table.bucket, Key=f"{table.prefix(DAY)}{name}", Body=b"")

    listed = list_day(lake.s3, table, DAY)

    assert (list(listed), listed.foreign) == ([], (table.prefix(DAY), f"{table.prefix(DAY)}_SUCCESS"))


def test_a_day_is_listed_whole_beyond_one_page_of_keys(lake: Lake) -> None:
    table = lake.tables[SOR_ACOES]
    for day, position in ((DAY, 1), (DAY, 2), (DAY, 3), (DAY + 1, 1)):
        key = table.part(day, object_id(position)).key
        lake.s3.put_object(Bucket=table.bucket, Key=key, Body=b"")
    list_keys(lake, at_once=2)

    assert len(list_day(lake.s3, table, DAY)) == 3


def test_a_name_is_never_written_twice(lake: Lake) -> None:
    target = lake.tables[SOR_ACOES].part(DAY, object_id(1))

    write(lake.s3, target, rows("AAAA3"))
    write(lake.s3, target, rows("BBBB4"))

    assert read(lake.s3, target).rows["nome_papel"].to_pylist() == ["AAAA3"]


def test_tables_of_two_lakes_in_one_bucket_have_no_key_in_common() -> None:
    other = replace(TABLE, key_prefix="other/")

    assert other.part(DAY, object_id(1)).key == f"other/{TABLE.part(DAY, object_id(1)).key}"
    with pytest.raises(UnexpectedObject):
        other.parse_key(TABLE.part(DAY, object_id(1)).key)
    with pytest.raises(UnexpectedObject):
        TABLE.parse_key(other.part(DAY, object_id(1)).key)
