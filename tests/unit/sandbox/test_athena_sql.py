"""The emulator's Athena accepts Athena's SQL. The tests are in the order of Athena's documentation."""

from __future__ import annotations

import asyncio
import base64
import datetime
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ministack.services import athena, glue, s3

from athena_functions import FUNCTIONS
from sandbox.emulator_patches import athena_catalog, athena_sql, athena_views

Ask = Callable[..., dict[str, Any]]
PATCHED = ("_rewrite_data_paths", "_run_duckdb", "_start_query_execution", "_materialize_table_files")
DAYS = {20261126: [("PETR4", 40.0), ("VALE3", 60.0)], 20261127: [("PETR4", 42.0)]}
VIEW_SQL = (
    "SELECT ticker, date_format(DATE '2026-11-27', '%d/%m') AS day FROM db_spec.prices WHERE price > 50"
)


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Athena with a table of two days, an empty table and a view."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duckdb, "connect", duckdb.connect)
        for name in PATCHED:
            patch.setattr(athena, name, getattr(athena, name))
        for one in (athena_sql, athena_views, athena_catalog):
            one.apply()
        _fill_catalog()

        def run(sql: str, database: str | None = "db_spec") -> dict[str, Any]:
            answer: dict[str, Any] = asyncio.run(athena._run_duckdb(sql, database))
            return answer

        yield run
        for service in (glue, s3):
            service.reset()


def _fill_catalog() -> None:
    s3._create_bucket("lake", b"")
    glue._create_database({"DatabaseInput": {"Name": "db_spec"}})
    columns = [
        {"Name": "ticker", "Type": "string", "Comment": "código"},
        {"Name": "price", "Type": "double"},
    ]
    storage = {
        "Columns": columns,
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
    }
    for name in ("prices", "nothing"):
        table = {
            "Name": name,
            "StorageDescriptor": {**storage, "Location": f"s3://lake/spec/{name}/"},
            "PartitionKeys": [{"Name": "day", "Type": "int"}],
            "Parameters": {"classification": "parquet"},
        }
        glue._create_table({"DatabaseName": "db_spec", "TableInput": table})
    for day, rows in DAYS.items():
        tickers, prices = zip(*rows, strict=True)
        body = io.BytesIO()
        pq.write_table(pa.table({"ticker": list(tickers), "price": list(prices)}), body)
        s3._put_object("lake", f"spec/prices/day={day}/a.parquet", body.getvalue(), {})
        partition = {"Values": [str(day)], "StorageDescriptor": storage}
        of_table = {"DatabaseName": "db_spec", "TableName": "prices"}
        glue._batch_create_partition({**of_table, "PartitionInputList": [partition]})
    definition = base64.b64encode(
        json.dumps({"originalSql": VIEW_SQL, "schema": "db_spec"}).encode()
    ).decode()
    view = {
        "Name": "vw_dear",
        "TableType": "VIRTUAL_VIEW",
        "ViewOriginalText": f"/* Presto View: {definition} */",
        "StorageDescriptor": {"Columns": columns[:1]},
    }
    glue._create_table({"DatabaseName": "db_spec", "TableInput": view})


@pytest.mark.parametrize(("sql", "row"), FUNCTIONS)
def test_a_query_returns_the_value_that_athena_documents(ask: Ask, sql: str, row: list[Any]) -> None:
    (found,) = ask(sql)["rows"]

    assert [type(value) if isinstance(value, bool | datetime.date) else None for value in found] == [
        type(value) if isinstance(value, bool | datetime.date) else None for value in row
    ]
    assert found == [pytest.approx(value) if isinstance(value, float) else value for value in row]


def test_the_hidden_column_path_has_the_file_of_a_row(ask: Ask) -> None:
    sql = """SELECT DISTINCT "$path" FROM prices WHERE "$path" LIKE '%20261127%'"""

    assert ask(sql) == {
        "columns": ["$path"],
        "column_types": ["varchar"],
        "rows": [["s3://lake/spec/prices/day=20261127/a.parquet"]],
    }
    assert ask("SELECT * FROM db_spec.prices")["columns"] == ["ticker", "price", "day"]
    joined = 'SELECT a."$path" = b."$path" FROM prices AS a, prices AS b WHERE a.day = b.day AND a.price > 50'
    assert ask(joined)["rows"] == [[True], [True]]


def test_partitions_views_and_empty_tables_can_be_queried(ask: Ask) -> None:
    assert ask('SELECT max(day) FROM "prices$partitions"')["rows"] == [[20261127]]
    assert ask("SELECT ticker, day FROM vw_dear")["rows"] == [["VALE3", "27/11"]]
    assert ask("SELECT count(*) FROM nothing")["rows"] == [[0]]
    assert ask("EXPLAIN SELECT date_format(DATE '2026-11-27', '%Y')")["columns"] == ["Query Plan"]


@pytest.mark.parametrize(
    ("sql", "columns", "rows"),
    [
        ("SHOW DATABASES", ["database_name"], [["db_spec"]]),
        ("show tables in db_spec", ["tab_name"], [["nothing"], ["prices"], ["vw_dear"]]),
        ("SHOW TABLES", ["tab_name"], [["nothing"], ["prices"], ["vw_dear"]]),
        ("SHOW TABLES IN `db_spec` 'pri*|vw*'", ["tab_name"], [["prices"], ["vw_dear"]]),
        ("SHOW VIEWS IN db_spec", ["views"], [["vw_dear"]]),
        ("SHOW COLUMNS IN db_spec.prices", ["field"], [["ticker"], ["price"], ["day"]]),
        ("SHOW COLUMNS FROM prices IN db_spec", ["field"], [["ticker"], ["price"], ["day"]]),
        ("-- all\nSHOW PARTITIONS prices;", ["partition"], [["day=20261126"], ["day=20261127"]]),
        ("SHOW CREATE VIEW vw_dear", ["Create View"], [["CREATE VIEW db_spec.vw_dear AS"], [VIEW_SQL]]),
        (
            "DESCRIBE `db_spec`.`prices`",
            ["col_name", "data_type", "comment"],
            [["ticker", "string", "código"], ["price", "double", ""], ["day", "int", ""]],
        ),
    ],
)
def test_statements_about_the_catalog_return_its_contents(
    ask: Ask, sql: str, columns: list[str], rows: list[list[str]]
) -> None:
    assert ask(sql) == {"columns": columns, "column_types": ["varchar"] * len(columns), "rows": rows}


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ('SELECT "$file_size" FROM prices', '"\\$file_size"'),
        ("SELECT reduce(ARRAY[1], 0, (s, x) -> s + x, s -> s * 2)", r"reduce\(\) whose last function"),
        ("UNLOAD (SELECT 1) TO 's3://lake/a' WITH (format = 'PARQUET')", "UNLOAD"),
        ("SHOW TBLPROPERTIES prices", "SHOW TBLPROPERTIES"),
    ],
)
def test_the_error_says_that_athena_has_a_feature_and_the_trial_does_not(
    ask: Ask, sql: str, what: str
) -> None:
    with pytest.raises(athena_sql.NotInTrial, match=f"^{what}.*: Athena has this, the trial does not$"):
        ask(sql)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT soundx('a')", r"^The trial has no function soundx\(\); Athena may have it\.$"),
        ("SELECT (1", "^SYNTAX_ERROR: "),
        ("SHOW TABLES IN nowhere", "^SCHEMA_NOT_FOUND: "),
        ("DESCRIBE nowhere", "^TABLE_NOT_FOUND: "),
        ("SHOW CREATE VIEW prices", "is a table, not a view"),
    ],
)
def test_an_invalid_query_is_not_reported_as_a_limit_of_the_trial(ask: Ask, sql: str, said: str) -> None:
    with pytest.raises(Exception, match=said) as failure:
        ask(sql)
    assert athena_sql.LACKING not in str(failure.value)


def test_parameters_replace_question_marks() -> None:
    sql = "SELECT '😀?' -- ?\n, ? AS \"?\" WHERE ? = ?"

    assert athena_sql.with_parameters(sql, ["'a?'", "1", "DATE '2026-11-27'"]) == (
        "SELECT '😀?' -- ?\n, 'a?' AS \"?\" WHERE 1 = DATE '2026-11-27'"
    )
    with pytest.raises(ValueError, match="expected 3 but found 1"):
        athena_sql.with_parameters(sql, ["1"])


@pytest.mark.parametrize(
    ("value", "sql"),
    [("1.5", "1.5"), ("'PETR4'", "'PETR4'"), ("PETR4", "'PETR4'"), ("a-b", "'a-b'"), ("d'água", "'d''água'")],
)
def test_a_parameter_that_is_no_constant_is_a_text(value: str, sql: str) -> None:
    assert athena_sql.with_parameters("SELECT ?", [value]) == f"SELECT {sql}"


def test_an_execution_has_its_parameters_and_the_original_query(ask: Ask) -> None:
    async def executed() -> dict[str, Any]:
        sent = {
            "QueryString": "SELECT ticker FROM prices WHERE ticker = ? AND price > ?",
            "ExecutionParameters": ["'PETR4'", "41"],
            "QueryExecutionContext": {"Database": "db_spec"},
            "ResultConfiguration": {"OutputLocation": "s3://lake/results/"},
        }
        _, _, body = athena._start_query_execution(sent)
        execution: dict[str, Any] = athena._executions[json.loads(body)["QueryExecutionId"]]
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
        return execution

    execution = asyncio.run(executed())
    assert execution["Status"]["State"] == "SUCCEEDED"
    assert execution["_results"]["rows"] == [["PETR4"]]
    assert execution["Query"] == "SELECT ticker FROM prices WHERE ticker = ? AND price > ?"
    assert execution["ExecutionParameters"] == ["'PETR4'", "41"]
