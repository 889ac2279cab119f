from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from moto_lake import DAY, Lake
from pynvest_lake.contract import SOR_ACOES, SOT_ACOES, SPEC_ATIVOS, table_schema
from pynvest_lake.storage import (
    COMPACT,
    FOLDED_IDS,
    PART,
    LakeObject,
    LakeTable,
    ObjectChanged,
    ObjectGone,
    Stamp,
    UnexpectedObject,
    joined,
    list_day,
    object_id,
    read,
    sources_of,
    write,
)

TABLE = LakeTable("bucket", "db", SOR_ACOES)


def rows(*tickers: str) -> pa.Table:
    schema = table_schema(SOR_ACOES).arrow
    blank = dict.fromkeys(schema.names)
    return pa.Table.from_pylist([blank | {"nome_papel": ticker} for ticker in tickers], schema=schema)


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
    with pytest.raises(ObjectGone, match="not there any more"):
        read(lake.s3, lake.tables[SOR_ACOES].part(DAY, object_id(1)))


def test_a_compact_object_stands_for_the_ids_that_it_folded(lake: Lake) -> None:
    table = lake.tables[SOR_ACOES]
    folded = {object_id(1), object_id(2)}
    unknown = dict.fromkeys(folded, frozenset[Stamp]())
    write(lake.s3, table.compact(DAY, object_id(*sorted(folded))), rows("AAAA3"), unknown)
    write(lake.s3, table.part(DAY, object_id(3)), rows("BBBB4"))

    objects = list_day(lake.s3, table, DAY)

    assert {item.form for item in objects} == {PART, COMPACT}
    assert set(joined(sources_of(lake.s3, *listed) for listed in objects.items())) == folded | {object_id(3)}


def test_an_object_names_what_its_sources_were_when_they_were_read(lake: Lake) -> None:
    source, target = (
        lake.tables[SOR_ACOES].part(DAY, object_id(1)),
        lake.tables[SOR_ACOES].part(DAY, object_id(2)),
    )
    write(lake.s3, source, rows("AAAA3"))
    was = read(lake.s3, source).stamp
    write(lake.s3, target, rows("AAAA3"), {source.id: frozenset([was])})

    listed = list_day(lake.s3, source.table, DAY)

    assert listed[source] == was
    assert sources_of(lake.s3, target, listed[target]) == {source.id: {was}} == read(lake.s3, target).sources


def test_an_object_of_before_stamps_stands_for_its_ids_alone(lake: Lake) -> None:
    table = lake.tables[SOR_ACOES]
    part, compact = table.part(DAY, object_id(1)), table.compact(DAY, object_id(2))
    for target, metadata in ((part, {}), (compact, {FOLDED_IDS: b'["a", "b"]'})):
        sink = pa.BufferOutputStream()
        pq.write_table(rows("AAAA3").replace_schema_metadata(metadata), sink)
        lake.s3.put_object(Bucket=table.bucket, Key=target.key, Body=sink.getvalue().to_pybytes())

    listed = list_day(lake.s3, table, DAY)

    assert sources_of(lake.s3, part, listed[part]) == {part.id: frozenset()}
    assert sources_of(lake.s3, compact, listed[compact]) == {"a": frozenset(), "b": frozenset()}


def test_a_day_is_listed_whole_beyond_one_page_of_keys(lake: Lake) -> None:
    table = lake.tables[SOR_ACOES]
    for position in range(1005):
        key = table.part(DAY, object_id(position)).key
        lake.s3.put_object(Bucket=table.bucket, Key=key, Body=b"")
    lake.s3.put_object(Bucket=table.bucket, Key=table.part(DAY + 1, object_id(1)).key, Body=b"")

    assert len(list_day(lake.s3, table, DAY)) == 1005


def test_a_compact_object_takes_the_place_of_the_one_that_was_read_and_of_no_other(lake: Lake) -> None:
    target = lake.tables[SOR_ACOES].compact(DAY, object_id(1))
    made_of = {object_id(1): frozenset[Stamp]()}
    write(lake.s3, target, rows("AAAA3"), made_of)
    first = read(lake.s3, target)

    with pytest.raises(ObjectChanged, match="is not what it was when it was read"):
        write(lake.s3, target, rows("BBBB4"), made_of)
    write(lake.s3, target, rows("CCCC3"), made_of, replaces=first.etag)
    with pytest.raises(ObjectChanged):
        write(lake.s3, target, rows("DDDD4"), made_of, replaces=first.etag)

    assert read(lake.s3, target).rows["nome_papel"].to_pylist() == ["CCCC3"]
