"""Trino (Athena's engine) and the emulator's Athena give the same answers from the module's catalog."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from faulty_lake import SHARED_DIR
from known_lake import (
    DAYS_JUDGED,
    LAST,
    SESSIONS,
    KnownLake,
    judgement,
    make_known_lake,
    put,
    read_at,
    tables_of,
)
from role import Role
from trino_server import NothingToRunItWith, Trino, fetch, find_java

from athena_functions import FUNCTIONS
from b3.days import date_of
from pynvest_lake.contract import SOR_ACOES, table_schema
from report.athena import Athena
from report.history import SERIES, SHARES, history_sql, table_of
from report.history import VIEWS as VIEW_OF
from sandbox.bench.queries import ATHENA, VIEWS, weekdays
from sandbox.local import LocalLake

QUERIES = [path.stem for path in sorted((ATHENA / "queries").glob("*.sql"))]
WHOLE_HISTORY = {
    *("vw_ativos_por_sessao", "serie-de-um-papel"),
    *("vw_possiveis_desdobramentos", "possiveis-desdobramentos"),
}
LAST_DAYS = sorted({*VIEWS, *QUERIES} - WHOLE_HISTORY)
TYPES = {
    "string": "varchar",
    "double": "double",
    "bigint": "bigint",
    "int": "integer",
    "date": "date",
    "timestamp": "timestamp(3)",
}
ROUNDED = {"fiis-por-segmento": 0.0100001}
"""Maximum difference between rounded numbers, because a mean depends on the order of its sum."""
DAYS, MORE_DAYS = 10, 60


class AskedLake:
    """The applied module with a lake of ten days, and two engines to query the lake."""

    def __init__(self, local: LocalLake, trino: Trino) -> None:
        self.trino = trino
        self.lake = local.lake
        self.s3, self.glue = local.emulator.client("s3"), local.emulator.client("glue")
        self.athena = Athena(local.emulator.client("athena"), self.lake.workgroup)
        self.tables = tables_of(self.lake)
        self.known = make_known_lake()
        self.write(self.known)
        self.write(earlier(self.known, DAYS - len(SESSIONS)))
        self.saved = self.athena.named_queries()

    def write(self, known: KnownLake) -> None:
        known.write(self.lake, self.s3, self.glue)

    def relation(self, name: str) -> str:
        return f'"{self.lake.table("spec").database}"."{name}"'

    def sql_of(self, name: str) -> str:
        """Return a saved query's SQL; for a view, return a query that reads all rows in a fixed order."""
        if name in self.saved:
            return self.saved[name].sql
        return f"SELECT * FROM {self.relation(name)} ORDER BY 1, dt_ult_cot"  # noqa: S608


def earlier(known: KnownLake, count: int, skip: int = 0) -> KnownLake:
    """Copy the first day's rows to `count` earlier weekdays.

    Before the first day, as many weekdays as `skip` says get no rows.
    """
    first = min(SESSIONS)
    days = [int(f"{day:%Y%m%d}") for day in weekdays(date_of(first) - timedelta(days=1), skip + count)]
    rows = {
        key: [
            {**row, "anomesdia_exec": day, "datetime_exec": read_at(day)}
            | ({"dt_ult_cot": date_of(day)} if row["dt_ult_cot"] == date_of(first) else {})
            for day in days[skip:]
            for row in known.rows[key]
            if row["anomesdia_exec"] == first
        ]
        for key in ("sot_acoes", "sot_fiis", "spec_ativos")
    }
    judged = [int(f"{day:%Y%m%d}") for day in weekdays(date_of(LAST), DAYS_JUDGED + skip + count)]
    return KnownLake(
        {**rows, "spec_quality": [row for day in judged[DAYS_JUDGED + skip :] for row in judgement(day)]}
    )


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AskedLake]:
    try:
        java = find_java()
        fetch(java)
    except NothingToRunItWith as lacking:
        if "CI" in os.environ:
            raise
        pytest.skip(str(lacking))
    nowhere = {"fundamentus_base_url": "http://127.0.0.1:9"}
    with LocalLake(tmp_path_factory.mktemp("lake"), nowhere, shared_dir=SHARED_DIR) as local:
        reader = Role(local.emulator, "reader", local.terraform.outputs()["reader_policy_json"])
        with Trino(local.emulator, reader.env(), java, tmp_path_factory.mktemp("trino")) as trino:
            yield AskedLake(local, trino)


def test_every_table_has_the_columns_types_and_comments_of_the_contract(lake: AskedLake) -> None:
    for table in lake.tables.values():
        schema = table_schema(table.name)
        expected = [[column.name, TYPES[column.type], column.comment] for column in schema.columns]

        *found, key = lake.trino.ask(f'SHOW COLUMNS FROM "{table.database}"."{table.name}"').rows

        assert [[name, kind, comment] for name, kind, _, comment in found] == expected
        assert key[:3] == ["anomesdia_exec", "integer", "partition key"]


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_has_the_columns_and_types_of_the_catalog(lake: AskedLake, name: str) -> None:
    view = lake.glue.get_table(DatabaseName=lake.lake.table("spec").database, Name=name)["Table"]
    expected = [(column["Name"], TYPES[column["Type"]]) for column in view["StorageDescriptor"]["Columns"]]

    found = lake.trino.ask(f"SELECT * FROM {lake.relation(name)} LIMIT 0").columns  # noqa: S608

    assert found == expected


@pytest.mark.parametrize("name", [*VIEWS, *QUERIES])
def test_trino_returns_the_same_rows_as_the_emulators_athena(lake: AskedLake, name: str) -> None:
    sql = lake.sql_of(name)
    ours, theirs = lake.athena.ask(sql), lake.trino.ask(sql)

    assert theirs.rows
    assert [column for column, _ in theirs.columns] == ours.columns
    types = [kind for _, kind in theirs.columns]
    for row, text in zip(theirs.rows, ours.rows, strict=True):
        assert values(row, types) == [
            pytest.approx(value, rel=1e-9, abs=ROUNDED.get(name, 0)) if isinstance(value, float) else value
            for value in values(text, types)
        ]


@pytest.mark.parametrize("ticker", SERIES)
def test_trino_returns_the_same_history_as_the_emulators_athena(lake: AskedLake, ticker: str) -> None:
    definition = lake.trino.ask(f"SHOW CREATE VIEW {lake.relation(VIEW_OF[ticker])}")
    sql = history_sql(table_of(definition.rows[0][0]), ticker, [*SERIES[ticker], SHARES[ticker]], days=3)

    theirs = lake.trino.ask(sql).rows

    ours = lake.athena.ask(sql).rows
    assert len(theirs) == len(ours) > 10
    for row, (name, *arrays) in zip(theirs, ours, strict=True):
        assert row[0] == name
        for values, text in zip(row[1:], arrays, strict=True):
            items = (text or "")[1:-1].split(", ")
            assert [None if one is None else str(one) for one in values] == [
                None if item == "null" else item for item in items
            ]


def values(row: Sequence[Any], types: Sequence[str]) -> list[Any]:
    """Convert a row's texts or JSON values to Trino's types."""
    read = {"double": float, "bigint": int, "integer": int, "timestamp(3)": datetime.fromisoformat}
    return [
        value if value is None else read.get(kind, str)(value) for value, kind in zip(row, types, strict=True)
    ]


@pytest.mark.parametrize(("sql", "row"), FUNCTIONS)
def test_a_function_returns_the_same_value_as_in_the_trial(lake: AskedLake, sql: str, row: list[Any]) -> None:
    answer = lake.trino.ask(sql)

    found = [as_athena(value, kind) for value, (_, kind) in zip(answer.rows[0], answer.columns, strict=True)]
    assert found == [pytest.approx(value) if isinstance(value, float) else value for value in row]


def as_athena(value: Any, kind: str) -> Any:
    """Convert a JSON value of Trino to the value that the emulator's Athena returns."""
    if isinstance(value, list):
        return f"[{', '.join(str(one) for one in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={one}' for key, one in sorted(value.items()))}}}"  # a map has no order
    if value is not None and kind.startswith("timestamp"):
        return datetime.strptime(value[:19], "%Y-%m-%d %H:%M:%S")
    return date.fromisoformat(value) if value is not None and kind == "date" else value


def test_a_column_is_null_on_days_that_were_registered_before_it(lake: AskedLake) -> None:
    table, schema = lake.tables["sor_acoes"], table_schema(SOR_ACOES).arrow
    storage = lake.glue.get_table(DatabaseName=table.database, Name=table.name)["Table"]["StorageDescriptor"]
    ticker, appended = schema.names[0], schema.names[-1]
    for day, known in ((20260105, schema.names[:-1]), (20260106, schema.names)):
        row = pa.Table.from_pylist([{ticker: "PETR4", appended: "1,5"}], schema=schema).select(known)
        put(lake.s3, table, day, row)
        lake.glue.create_partition(
            DatabaseName=table.database,
            TableName=table.name,
            PartitionInput={
                "Values": [str(day)],
                "StorageDescriptor": {
                    **storage,
                    "Columns": storage["Columns"][: len(known)],
                    "Location": f"s3://{table.bucket}/{table.prefix(day)}",
                },
            },
        )

    answer = lake.trino.ask(
        f'SELECT anomesdia_exec, {ticker}, {appended} FROM "{table.database}"."{table.name}" ORDER BY 1'  # noqa: S608
    )

    assert answer.rows == [[20260105, "PETR4", None], [20260106, "PETR4", "1,5"]]


def test_a_condition_on_the_session_reads_less_than_half_of_the_rows(lake: AskedLake) -> None:
    view = lake.relation("vw_ativos_por_sessao")
    whole = lake.trino.ask(f"SELECT * FROM {view}")  # noqa: S608
    bounded = lake.trino.ask(f"SELECT * FROM {view} WHERE dt_ult_cot >= DATE '{date_of(LAST)}'")  # noqa: S608

    assert bounded.rows
    assert bounded.rows_read < whole.rows_read / 2


def test_queries_of_the_last_days_read_no_more_in_a_longer_lake(lake: AskedLake) -> None:
    def rows_read() -> dict[str, int]:
        return {name: lake.trino.ask(lake.sql_of(name)).rows_read for name in LAST_DAYS}

    before = rows_read()
    lake.write(earlier(lake.known, MORE_DAYS - DAYS, skip=DAYS - len(SESSIONS)))
    after = rows_read()

    assert all(before.values())
    assert [name for name in LAST_DAYS if after[name] > 2 * before[name]] == []
