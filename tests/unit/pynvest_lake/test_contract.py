from __future__ import annotations

import re

import pyarrow as pa
import pytest
from pynvest.scrappers.fundamentus import METADATA_COLS_ACOES, METADATA_COLS_FIIS

from pynvest_lake.contract import (
    SOR_ACOES,
    SOR_FIIS,
    SOT_ACOES,
    SOT_FIIS,
    SPEC_ATIVOS,
    table_schema,
)
from pynvest_lake.day import PARTITION_KEY
from pynvest_lake.kinds import Kind

TABLES = [SOR_ACOES, SOR_FIIS, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS]


def type_by_the_rules(column: str) -> str:
    """The types of SoT, by the names of its columns."""
    if column == "datetime_exec":
        return "timestamp"
    prefixes = {
        "date": ("dt_",),
        "bigint": ("num_", "qtd_", "vol_"),
        "double": ("total_", "vlr_", "pct_"),
    }
    return next((type_ for type_, starts in prefixes.items() if column.startswith(starts)), "string")


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (SOR_ACOES, METADATA_COLS_ACOES),
        (SOT_ACOES, METADATA_COLS_ACOES),
        (SOR_FIIS, METADATA_COLS_FIIS),
        (SOT_FIIS, METADATA_COLS_FIIS),
    ],
)
def test_sor_and_sot_have_the_columns_of_pynvest_in_its_order(table: str, columns: dict[str, str]) -> None:
    assert table_schema(table).names == [*columns.values(), "datetime_exec"]


@pytest.mark.parametrize("table", [SOR_ACOES, SOR_FIIS])
def test_every_column_of_sor_is_text(table: str) -> None:
    assert {column.type for column in table_schema(table).columns} == {"string"}


@pytest.mark.parametrize("table", [SOT_ACOES, SOT_FIIS, SPEC_ATIVOS])
def test_a_typed_column_has_the_type_that_its_name_says(table: str) -> None:
    columns = table_schema(table).columns
    assert {c.name: c.type for c in columns} == {c.name: type_by_the_rules(c.name) for c in columns}


def test_spec_has_the_columns_that_stocks_and_funds_share() -> None:
    names = table_schema(SPEC_ATIVOS).names
    assert names[:4] == ["codigo_ticker_ativo", "tipo_ativo", "nome_ativo", "nome_setor_segmento"]
    shared = set(table_schema(SOT_ACOES).names) & set(table_schema(SOT_FIIS).names)
    assert set(names[4:]) <= shared
    assert names[4:] == [name for name in table_schema(SOT_ACOES).names if name in names[4:]]
    assert {f"pct_var_ano_a{age}" for age in range(6)} | {"vlr_cot", "dt_ult_cot", "datetime_exec"} <= set(
        names
    )


@pytest.mark.parametrize("table", TABLES)
def test_no_table_stores_its_partition_key_or_a_column_twice(table: str) -> None:
    names = table_schema(table).names
    assert PARTITION_KEY not in names
    assert len(names) == len(set(names))


@pytest.mark.parametrize("table", TABLES)
def test_every_table_and_column_says_what_it_holds(table: str) -> None:
    schema = table_schema(table)
    assert schema.table == table
    assert schema.comment
    assert all(column.comment for column in schema.columns)


@pytest.mark.parametrize("table", [SOT_ACOES, SOT_FIIS, SPEC_ATIVOS])
def test_the_comment_of_a_percentage_says_its_scale(table: str) -> None:
    for column in table_schema(table).columns:
        if column.name.startswith("pct_"):
            assert re.search("fração", column.comment), column
        else:
            assert "fração" not in column.comment, column


@pytest.mark.parametrize("kind", Kind)
def test_the_ticker_is_the_first_column(kind: Kind) -> None:
    table = {Kind.ACOES: SOT_ACOES, Kind.FIIS: SOT_FIIS}[kind]
    assert table_schema(table).names[0] == kind.ticker_column


def test_objects_are_written_with_64_bit_numbers() -> None:
    types = {field.type for table in TABLES for field in table_schema(table).arrow}
    assert types == {pa.string(), pa.int64(), pa.float64(), pa.date32(), pa.timestamp("ms")}


def test_a_table_that_the_lake_does_not_have_is_named_in_the_error() -> None:
    with pytest.raises(FileNotFoundError, match="no table 'tbsor_outra'"):
        table_schema("tbsor_outra")
