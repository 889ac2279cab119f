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

TABLES = [SOR_ACOES, SOR_FIIS, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS]


# Today's pages have values for these columns. pynvest does not have the columns.
NOT_IN_PYNVEST = [
    "vlr_ind_divida_liq_sobre_patrim",
    "vlr_depositos",
    "vlr_cart_credito",
    "vlr_result_int_financ_ult_12m",
    "vlr_result_int_financ_ult_3m",
    "vlr_rec_servicos_ult_12m",
    "vlr_rec_servicos_ult_3m",
]
LONGEST_COMMENT = 255
"""Characters that Glue accepts."""


def type_by_the_rules(column: str) -> str:
    """Return the SoT type for a column name."""
    if column.startswith("datetime_"):
        return "timestamp"
    prefixes = {
        "date": ("dt_",),
        "bigint": ("num_", "qtd_", "vol_"),
        "double": ("total_", "vlr_", "pct_"),
    }
    return next((type_ for type_, starts in prefixes.items() if column.startswith(starts)), "string")


@pytest.mark.parametrize(
    ("table", "columns", "added"),
    [
        (SOR_ACOES, METADATA_COLS_ACOES, NOT_IN_PYNVEST),
        (SOT_ACOES, METADATA_COLS_ACOES, NOT_IN_PYNVEST),
        (SOR_FIIS, METADATA_COLS_FIIS, []),
        (SOT_FIIS, METADATA_COLS_FIIS, []),
    ],
)
def test_sor_and_sot_have_the_columns_of_pynvest_in_order_and_then_the_added_ones(
    table: str, columns: dict[str, str], added: list[str]
) -> None:
    assert table_schema(table).arrow.names == [*columns.values(), "datetime_exec", *added, "datetime_leitura"]


@pytest.mark.parametrize(
    ("table", "columns"), [(SOR_ACOES, METADATA_COLS_ACOES), (SOR_FIIS, METADATA_COLS_FIIS)]
)
def test_each_column_names_the_label_that_pynvest_reads_it_from(table: str, columns: dict[str, str]) -> None:
    label_of = {column: label for label, columns in table_schema(table).labels.items() for column in columns}
    newest = max(int(label) for label in columns if label.isdigit())
    for label, column in columns.items():
        age = newest - int(label) if label.isdigit() else None
        of_run = "AAAA" if age == 0 else f"AAAA-{age}"
        assert label_of[column] == (label.removesuffix("_1") if age is None else of_run)
    # pynvest appends ``_1`` to the first of two equal labels.
    twins = {label: columns for label, columns in table_schema(table).labels.items() if len(columns) == 2}
    for label, (first, second) in twins.items():
        assert (first.endswith("_12m"), second.endswith("_3m")) == (True, True)
        if label in columns:
            assert (columns[f"{label}_1"], columns[label]) == (first, second)


@pytest.mark.parametrize(("table", "count"), [(SOR_ACOES, 41), (SOR_FIIS, 30)])
def test_labels_of_some_assets_or_of_a_limited_time_are_not_core_labels(table: str, count: int) -> None:
    schema = table_schema(table)
    assert len(schema.core_labels) == count
    assert schema.core_labels < set(schema.labels)
    assert not any(column.core for column in schema.columns if column.since or column.until)
    assert {"Cotação", "Data últ cot", "P/VP"} < schema.core_labels
    assert not {"EV / EBITDA", "Dív. Bruta", "Depósitos", "Qtd imóveis", "AAAA"} & schema.core_labels


def test_the_comment_says_since_or_until_when_the_site_shows_a_column() -> None:
    dated = [column for column in table_schema(SOR_ACOES).columns if column.since or column.until]
    assert {column.name for column in dated} == {
        "vlr_ind_divida_liq_sobre_patrim",
        "vlr_ind_divida_bruta_sobre_patrim",
        "vlr_ind_ev_sobre_ebitda",
    }
    comments = {column.name: column.comment for column in table_schema(SOT_ACOES).columns}
    for column in dated:
        assert re.fullmatch(r"\d{4}(-\d\d)?", str(column.since or column.until))
        said = f"{'desde' if column.since else 'até'} .*{str(column.since or column.until)[:4]}"
        assert re.search(said, column.comment), column
        assert re.search(said, comments[column.name]), column


def test_comments_explain_the_zeros_of_banks() -> None:
    comments = {column.name: column.comment for column in table_schema(SOT_ACOES).columns}
    for column in ("vlr_ind_margem_liq", "vlr_ind_ebit_sobre_ativo"):
        means = "em bancos e seguradoras o site mostra 0,0%, que significa que o indicador não se aplica"
        assert means in comments[column]


@pytest.mark.parametrize(("sor", "sot"), [(SOR_ACOES, SOT_ACOES), (SOR_FIIS, SOT_FIIS)])
def test_sor_and_sot_have_the_same_comments_except_for_the_format(sor: str, sot: str) -> None:
    form = re.compile(
        r" \(texto da página, com %\)|, em (?:fração|pontos percentuais) \([^)]*\)|, no formato [^;]*"
    )
    said = [[form.sub("", column.comment) for column in table_schema(table).columns] for table in (sor, sot)]
    assert said[0] == said[1]


@pytest.mark.parametrize("table", TABLES)
def test_a_column_is_text_in_sor_and_its_name_decides_its_type_elsewhere(table: str) -> None:
    for column in table_schema(table).columns:
        is_of_sor = table in (SOR_ACOES, SOR_FIIS)
        assert column.type == ("string" if is_of_sor else type_by_the_rules(column.name)), column
        assert bool(column.label) is (is_of_sor and not column.name.startswith("datetime_")), column


def test_spec_has_the_columns_that_stocks_and_funds_share() -> None:
    names = table_schema(SPEC_ATIVOS).arrow.names
    assert names[:4] == ["codigo_ticker_ativo", "tipo_ativo", "nome_ativo", "nome_setor_segmento"]
    shared = set(table_schema(SOT_ACOES).arrow.names) & set(table_schema(SOT_FIIS).arrow.names)
    assert set(names[4:]) <= shared
    assert names[4:] == [name for name in table_schema(SOT_ACOES).arrow.names if name in names[4:]]
    assert {f"pct_var_ano_a{age}" for age in range(6)} | {"vlr_cot", "dt_ult_cot", "datetime_exec"} <= set(
        names
    )


@pytest.mark.parametrize("table", TABLES)
def test_every_table_and_column_has_a_comment(table: str) -> None:
    schema = table_schema(table)
    assert schema.table == table
    assert schema.comment
    assert all(0 < len(column.comment) <= LONGEST_COMMENT for column in schema.columns)


@pytest.mark.parametrize("table", [SOT_ACOES, SOT_FIIS, SPEC_ATIVOS])
def test_the_comment_of_a_percentage_says_its_scale(table: str) -> None:
    for column in table_schema(table).columns:
        if column.name.startswith("pct_"):
            assert re.search("fração", column.comment), column
        else:
            assert "fração" not in column.comment, column


def test_objects_are_written_with_64_bit_numbers() -> None:
    types = {field.type for table in TABLES for field in table_schema(table).arrow}
    assert types == {pa.string(), pa.int64(), pa.float64(), pa.date32(), pa.timestamp("ms")}
