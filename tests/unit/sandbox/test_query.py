"""`make query` sends the right query and displays the answer. An unknown query name gives a message."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from report.athena import Answer, NamedQuery, QueryFailed
from sandbox.console import Console
from sandbox.query import (
    QueryRefused,
    ask_by_name,
    explained,
    read_sql,
    reading_statement,
    show,
    show_catalog,
)

PROJECT = Path(__file__).resolve().parents[3]
COLUMNS = ["codigo_ticker_ativo", "nome_ativo", "vlr_ind_ev_sobre_ebit", "vol_med_neg_2m", "nada"]
ROWS = [
    ["PETR4", "PETRÓLEO BRASILEIRO S.A. PETROBRAS", "4.123456789012345", "1534567890123.25", None],
    ["VALE3", "VALE S.A. [ON]", "-5.5", "987654321098.5", None],
]
SHOWS = f"from sandbox.console import Console\nConsole().table({COLUMNS!r}, {ROWS!r})"


def printed_in_terminal(width: int, code: str, *, reads_terminal: bool = True, **more: str) -> list[str]:
    """Run `code` in a terminal of `width` columns, and return the printed lines.

    `more` contains additional environment variables.
    """
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, width))
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "TERM": "xterm", "PYTHONUTF8": "1", **more}
    stdin = theirs if reads_terminal else subprocess.DEVNULL
    with subprocess.Popen([sys.executable, "-c", code], env=env, stdin=stdin, stdout=theirs) as process:
        os.close(theirs)
        said = b""
        try:
            while more := os.read(ours, 65536):
                said += more
        except OSError:  # on Linux, a closed terminal raises this error
            pass
    os.close(ours)
    assert process.returncode == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said.decode())
    return [line.rstrip() for line in text.replace("\r\n", "\n").splitlines()]


def test_rows_wider_than_the_terminal_are_records_with_whole_names_and_numbers() -> None:
    assert printed_in_terminal(100, SHOWS) == [
        "codigo_ticker_ativo    PETR4",
        "nome_ativo             PETRÓLEO BRASILEIRO S.A. PETROBRAS",
        "vlr_ind_ev_sobre_ebit  4.123456789012345",
        "vol_med_neg_2m         1534567890123.25",
        "nada                   -",
        "",
        "codigo_ticker_ativo    VALE3",
        "nome_ativo             VALE S.A. [ON]",
        "vlr_ind_ev_sobre_ebit  -5.5",
        "vol_med_neg_2m         987654321098.5",
        "nada                   -",
    ]


def test_a_table_one_character_wider_than_the_terminal_is_shown_as_records() -> None:
    code = "from sandbox.console import Console\nConsole().table(['a', 'b'], [['1', 'x' * {}]])"

    table, records = (printed_in_terminal(100, code.format(characters)) for characters in (96, 97))

    assert (len(table[0].split()), len(table[2])) == (2, 100)
    assert records[0] == "a  1"
    assert "".join(records[1:]) == f"b  {'x' * 97}"


PAGED = (
    "from sandbox.console import Console\nconsole = Console()\nwith console.paged():\n"
    f"    console.table({COLUMNS!r}, {ROWS!r})"
)


def test_an_answer_in_a_terminal_goes_through_the_users_pager() -> None:
    plain = printed_in_terminal(80, SHOWS)

    assert printed_in_terminal(80, PAGED, PAGER="sed s/^/>/") == [f">{line}" for line in plain]


@pytest.mark.parametrize(
    "options",
    [
        {"NO_PAGER": "1"},
        {"reads_terminal": False},
        {"PAGER": "no-such-program"},
        {"PAGER": "sh -c 'kill -INT $PPID; cat'"},
    ],
    ids=["switched off", "no terminal", "no such program", "an interrupt, which is for the pager"],
)
def test_an_answer_is_complete_without_a_pager_and_after_an_interrupt(options: dict[str, Any]) -> None:
    shown = printed_in_terminal(80, PAGED, **{"PAGER": "sed s/^/>/", **options})

    assert shown == printed_in_terminal(80, SHOWS)


def test_the_pager_less_ends_by_itself_after_a_short_answer_unless_the_user_sets_its_options() -> None:
    options = "sh -c 'cat > /dev/null; echo $LESS'"

    assert printed_in_terminal(80, PAGED, PAGER=options) == ["FRX"]
    assert printed_in_terminal(80, PAGED, PAGER=options, LESS="S") == ["S"]


DESCRIBED = [["vlr_ind_divida_bruta_sobre_patrim", "double", " ".join(["comentário"] * 15)], ["b", "int", ""]]


def test_comments_are_wrapped_at_the_width_of_the_terminal_and_names_are_not() -> None:
    lines = printed_in_terminal(
        80,
        "from sandbox.console import Console\n"
        f"Console().table(['column', 'type', 'comment'], {DESCRIBED!r}, wraps=True)",
    )

    assert max(map(len, lines)) <= 80
    assert lines[2].startswith("vlr_ind_divida_bruta_sobre_patrim   double   comentário comentário")
    assert " ".join(lines[2:]).split().count("comentário") == 15
    assert lines[-1].split() == ["b", "int"]


@pytest.fixture
def glue() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("glue", region_name="sa-east-1")
        client.create_database(DatabaseInput={"Name": "db_spec"})
        yield client


def test_the_catalog_is_listed_with_comments_of_tables_views_and_columns(
    capsys: pytest.CaptureFixture[str], glue: Any
) -> None:
    sql = base64.b64encode(json.dumps({"originalSql": "-- Último dia\nSELECT 1"}).encode()).decode()
    columns = [{"Name": "vlr_cot", "Type": "double", "Comment": "Cotação"}]
    tables: dict[str, Any] = {
        "tb": {"Description": "Ativos", "PartitionKeys": [{"Name": "dia", "Type": "int"}]},
        "vw": {"ViewOriginalText": f"/* Presto View: {sql} */", "TableType": "VIRTUAL_VIEW"},
    }
    for name, table in tables.items():
        described = {"Name": name, "StorageDescriptor": {"Columns": columns}, **table}
        glue.create_table(DatabaseName="db_spec", TableInput=described)

    show_catalog(glue, Console())

    table, title, _, _, column, key, _, view, comment, *_ = capsys.readouterr().out.splitlines()
    assert (table, title, view, comment) == ("table db_spec.tb", "Ativos", "view db_spec.vw", "Último dia")
    assert column.split() == ["vlr_cot", "double", "Cotação"]
    assert key.split() == ["dia", "int"]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "  select 1 ;; ",
        "-- a comment; of two\nWITH a AS (SELECT ';') SELECT * FROM a",
        "(SELECT 1) UNION (SELECT 2)",
        "SELECT 'ação 😀' FROM a",
        "SHOW TABLES IN db_spec",
        "DESCRIBE db_spec.tb",
        "EXPLAIN (FORMAT TEXT) SELECT 1",
        "SELECT \"$path\", 'DROP TABLE a; --' FROM a",
    ],
)
def test_one_statement_that_reads_is_sent_unchanged(sql: str) -> None:
    assert reading_statement(sql) == sql.rstrip("; ")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DROP TABLE db.a", "Read-only: expected .*, found DROP"),
        ("/* SELECT */ insert into a select 1", "found INSERT"),
        ("MSCK REPAIR TABLE a", "found MSCK"),
        ("EXPLAIN ANALYZE DELETE FROM a", "found DELETE"),
        ("SELECT 1; DROP TABLE a", "several statements"),
        ("SELECT 'a", "inside a quote"),
        (" ; ", "empty"),
        ("-- nothing", "empty"),
    ],
)
def test_other_statements_are_refused_in_one_line(sql: str, said: str) -> None:
    with pytest.raises(QueryRefused, match=said) as refused:
        reading_statement(sql)
    assert len(str(refused.value).splitlines()) == 1


def test_a_query_is_read_from_a_file_and_from_the_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.sql"
    file.write_text("SELECT 'ação'", encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 2"))

    assert [read_sql(text) for text in (f"@{file}", "-", "SELECT 3")] == [
        "SELECT 'ação'",
        "SELECT 2",
        "SELECT 3",
    ]
    with pytest.raises(QueryRefused, match=r"file nowhere\.sql cannot be read"):
        read_sql("@nowhere.sql")


ANSWER = Answer(
    ["ticker", "preço", "dias", "ok", "nada"],
    [['a,"b"', "1.5", "12", "true", None]],
    ("varchar", "double", "bigint", "boolean", "double"),
)


def test_an_answer_is_printed_as_csv(capsys: pytest.CaptureFixture[str]) -> None:
    show(ANSWER, "csv", Console())

    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [
        ["ticker", "preço", "dias", "ok", "nada"],
        ['a,"b"', "1.5", "12", "true", ""],
    ]


def test_an_answer_as_json_has_numbers_as_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    show(ANSWER, "json", Console())

    found = json.loads(capsys.readouterr().out)
    assert found == [{"ticker": 'a,"b"', "preço": 1.5, "dias": 12, "ok": True, "nada": None}]
    with pytest.raises(QueryRefused, match="several a"):
        show(Answer(["a", "a"], [], ("integer", "integer")), "json", Console())


class Saved:
    """A workgroup with three saved queries. The answer to a query is the query's SQL."""

    def named_queries(self) -> dict[str, NamedQuery]:
        sql = {"formula-magica": "", "o-que-mudou": "", "serie": "SELECT 1 FROM a WHERE papel = 'PETR4'"}
        return {name: NamedQuery(name, "", "", text) for name, text in sql.items()}

    def ask(self, sql: str) -> Answer:
        return Answer([sql], [])


def test_the_error_for_an_unknown_query_suggests_similar_names() -> None:
    saved: Any = Saved()
    with pytest.raises(QueryFailed, match=r"^There is no query formula-magia\. Similar: formula-magica\.$"):
        ask_by_name(saved, "formula-magia")
    with pytest.raises(
        QueryFailed, match=r"^There is no query zzz\. The names are formula-magica, o-que-mudou, serie\.$"
    ):
        ask_by_name(saved, "zzz")


def test_a_query_about_one_asset_uses_the_given_ticker() -> None:
    saved: Any = Saved()
    assert ask_by_name(saved, "serie", "vale3").columns == ["SELECT 1 FROM a WHERE papel = 'VALE3'"]
    with pytest.raises(
        QueryRefused, match=r"^The query o-que-mudou is not about .* use TICKER with serie\.$"
    ):
        ask_by_name(saved, "o-que-mudou", "VALE3")
    with pytest.raises(QueryRefused, match="expected 4 to 12 capital letters and digits"):
        ask_by_name(saved, "serie", "x' OR ''='")


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (
            'Table with name "db_spec.vw_ativo" does not exist because schema "db_spec" does not exist.',
            "There is no table db_spec.vw_ativo. Similar: db_spec.vw_ativos.",
        ),
        (
            'Catalog Error: Table with name vw_ativos does not exist!\nDid you mean "pg_proc"?',
            "There is no table vw_ativos. Similar: db_spec.vw_ativos.",
        ),
        (
            'Binder Error: Referenced column "vlr_cott" not found in FROM clause!\nCandidate bindings: "x"',
            "There is no column vlr_cott. Similar: vlr_cot.",
        ),
        (
            'Binder Error: Table "vw_ativos" does not have a column named "anomesdia"\n',
            "There is no column anomesdia. Similar: anomesdia_exec.",
        ),
        (
            "TABLE_NOT_FOUND: Table 'awsdatacatalog.db_spec.vw_ativo' does not exist",
            "There is no table db_spec.vw_ativo. Similar: db_spec.vw_ativos.",
        ),
        ("Parser Error: syntax error\n\nLINE 1: x\n  ^\nThe query: x", "Parser Error: syntax error"),
    ],
)
def test_the_error_for_an_unknown_table_or_column_suggests_similar_names(
    failure: str, said: str, glue: Any
) -> None:
    for name, column in (("vw_ativos", "vlr_cot"), ("tb_other", "vlr_cott")):
        glue.create_table(
            DatabaseName="db_spec",
            TableInput={
                "Name": name,
                "StorageDescriptor": {"Columns": [{"Name": column, "Type": "double"}]},
                "PartitionKeys": [{"Name": "anomesdia_exec", "Type": "int"}],
            },
        )

    assert explained(QueryFailed(failure), "SELECT vlr_cott FROM db_spec.vw_ativos", glue) == said


@pytest.mark.parametrize(
    "sql",
    ['SELECT "$path" # 50% \\ $$x $(shell echo no) `y`', "SELECT 'a' -- it's\nFROM \"b\" \\"],
)
@pytest.mark.parametrize("way", ["argument", "environment"])
def test_make_passes_a_query_on_unchanged(tmp_path: Path, sql: str, way: str) -> None:
    shown = tmp_path / "shown"
    shown.write_text('#!/bin/sh\nfor last; do :; done\nprintf %s "$last"\n')
    shown.chmod(0o755)
    made = tmp_path / "made"
    made.touch()
    said = subprocess.run(
        ["make", "--silent", f"SANDBOX={shown}", f"RUNS={made}", "REQUIREMENTS=", "query"]
        + ([f"SQL={sql}"] if way == "argument" else []),
        cwd=PROJECT,
        env={**os.environ, **({"SQL": sql} if way == "environment" else {})},
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout == sql
