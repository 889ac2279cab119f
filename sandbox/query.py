"""Helpers of `make query`: check for one read-only statement, suggest names and format the answer."""

from __future__ import annotations

import base64
import csv
import difflib
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import TokenType
from sqlglot.errors import TokenError

from b3.ticker import parse_ticker
from report.athena import Answer, Athena, QueryFailed
from sandbox import SandboxError
from sandbox.console import Console

READING = ("SELECT", "WITH", "SHOW", "DESCRIBE", "EXPLAIN")
FORMATS = ("table", "csv", "json")
NUMERIC_TYPES = frozenset({"tinyint", "smallint", "integer", "bigint", "float", "real", "double", "decimal"})
NEAR_NAMES = 3
EXAMPLE = "'PETR4'"
"""The example ticker in a saved query about one asset."""
VIEW = re.compile(r"/\* Presto View: (\S+) \*/")

EXPLAIN_OPTIONS = re.compile(r"\A(\s*(ANALYZE\b|VERBOSE\b|\(\s*(FORMAT|TYPE)\b[^)]*\)))*", re.IGNORECASE)
NO_TABLE = re.compile(
    r"""Table (?:with name )?["']?(?:awsdatacatalog\.)?([^\s"'!]+)["']? does not exist""", re.IGNORECASE
)
NO_COLUMN = re.compile(r'(?:Referenced column|does not have a column named) "([^"]+)"')


class QueryRefused(SandboxError):
    """The query cannot be read, sent or shown; the message gives the reason."""


def read_sql(text: str) -> str:
    """Return a query from the file ``@file``, from standard input (``-``), or from the argument itself.

    Raises
    ------
    QueryRefused
        The query's file cannot be read.
    """
    if text == "-":
        return sys.stdin.read()
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryRefused(f"The query's file {text[1:]} cannot be read: {error}") from error


def reading_statement(sql: str) -> str:
    """Check that a query is a single read-only statement; return it without its final semicolon.

    Raises
    ------
    QueryRefused
        The query is empty, has several statements, or may write.
    """
    try:
        tokens = sqlglot.tokenize(sql, read="trino")
    except TokenError as error:
        raise QueryRefused("The query ends inside a quote or a comment.") from error
    while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
        tokens.pop()
    if not tokens:
        raise QueryRefused("The query is empty.")
    if any(token.token_type == TokenType.SEMICOLON for token in tokens):
        raise QueryRefused("The query has several statements, expected one.")
    first = next((token for token in tokens if token.token_type != TokenType.L_PAREN), tokens[0])
    if first.text.upper() not in READING:
        raise QueryRefused(
            f"Read-only: expected {', '.join(READING[:-1])} or {READING[-1]}, found {first.text.upper()}."
        )
    if first.text.upper() == "EXPLAIN":
        reading_statement(EXPLAIN_OPTIONS.sub("", sql[first.end + 1 :]))
    return sql[: tokens[-1].end + 1]


def ask_by_name(athena: Athena, name: str, ticker: str = "") -> Answer:
    """Run a query that is saved in the workgroup.

    Parameters
    ----------
    athena
        Client of Athena.
    name
        Name of the query.
    ticker
        The ticker that replaces the example ticker in a query about one asset.

    Raises
    ------
    QueryFailed
        The workgroup has no query with that name; the message suggests similar names.
    QueryRefused
        The query is not about one asset, or the ticker is not valid.
    """
    named = athena.named_queries()
    if name not in named:
        near = near_names(name, named)
        raise QueryFailed(f"There is no query {name}. {near or 'The names are ' + ', '.join(named) + '.'}")
    sql = named[name].sql
    if ticker:
        if EXAMPLE not in sql:
            about = ", ".join(one for one, query in named.items() if EXAMPLE in query.sql)
            raise QueryRefused(f"The query {name} is not about one asset: use TICKER with {about}.")
        try:
            sql = sql.replace(EXAMPLE, f"'{parse_ticker(ticker.upper())}'")
        except ValueError as error:
            raise QueryRefused(str(error)) from error
    return athena.ask(sql)


def explained(failure: QueryFailed, sql: str, glue: Any) -> str:
    """Return a one-line reason why a query failed, with similar names if a table or a column is unknown.

    Parameters
    ----------
    failure
        The error from Athena.
    sql
        The query.
    glue
        Glue client, to look up names in the catalog.
    """
    text = str(failure)
    if found := NO_TABLE.search(text):
        full = {
            table["Name"]: f"{table['DatabaseName']}.{table['Name']}"
            for tables in _tables(glue).values()
            for table in tables
        }
        near = difflib.get_close_matches(found[1].rpartition(".")[2], full, NEAR_NAMES)
        return f"There is no table {found[1]}. {_suggestion(full[name] for name in near)}".rstrip()
    if found := NO_COLUMN.search(text):
        words = {token.text for token in sqlglot.tokenize(sql, read="trino")}
        columns = [
            column["Name"]
            for tables in _tables(glue).values()
            for table in tables
            if table["Name"] in words
            for column in [*table["StorageDescriptor"]["Columns"], *table.get("PartitionKeys", [])]
        ]
        return f"There is no column {found[1]}. {near_names(found[1], columns)}".rstrip()
    return " ".join(re.split(r"\n(?:LINE \d+:|The query:)", text)[0].split())


def near_names(name: str, names: Iterable[str]) -> str:
    """Return a sentence that suggests names similar to `name`, or an empty text if no name is similar."""
    return _suggestion(difflib.get_close_matches(name, sorted(set(names)), NEAR_NAMES, cutoff=0.5))


def show(answer: Answer, form: str, console: Console) -> None:
    """Print an answer as a table, CSV or JSON; JSON keeps numbers and nulls, and CSV leaves nulls empty.

    Raises
    ------
    QueryRefused
        Two columns have the same name, which JSON cannot hold.
    """
    if form == "table":
        with console.paged():
            console.table(answer.columns, answer.rows)
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(answer.columns)
        writer.writerows(answer.rows)
    else:
        twice = {name for name in answer.columns if answer.columns.count(name) > 1}
        if twice:
            raise QueryRefused(
                f"JSON needs a different name for each column: several are named {min(twice)}."
            )
        rows = [
            {
                name: _json_value(text, kind)
                for name, text, kind in zip(answer.columns, row, answer.types, strict=True)
            }
            for row in answer.rows
        ]
        print(json.dumps(rows, ensure_ascii=False, indent=2))


def show_catalog(glue: Any, console: Console) -> None:
    """Print the lake's tables and views, each with its columns and the columns' comments."""
    for database, tables in _tables(glue).items():
        for table in tables:
            view = VIEW.fullmatch(table.get("ViewOriginalText") or "")
            title = _title(view[1]) if view else table.get("Description", "")
            console.say(f"{'view' if view else 'table'} {database}.{table['Name']}\n{title}")
            columns = [*table["StorageDescriptor"]["Columns"], *table.get("PartitionKeys", [])]
            rows = [[column["Name"], column["Type"], column.get("Comment", "")] for column in columns]
            console.table(["column", "type", "comment"], rows, wraps=True)
            console.say()


def _title(view: str) -> str:
    """Return the title of a view in the catalog: the comment in the first line of the view's query."""
    sql: str = json.loads(base64.b64decode(view))["originalSql"]
    return sql.splitlines()[0].removeprefix("-- ")


def _json_value(text: str | None, kind: str) -> Any:
    if text is None:
        return None
    if kind == "boolean":
        return text.lower() == "true"
    # JSON has no NaN.
    if kind in NUMERIC_TYPES and text.lower().lstrip("-") not in ("nan", "inf", "infinity"):
        return int(text) if re.fullmatch(r"-?\d+", text) else float(text)
    return text


def _tables(glue: Any) -> dict[str, list[dict[str, Any]]]:
    databases = glue.get_paginator("get_databases").paginate()
    return {
        name: [
            table
            for page in glue.get_paginator("get_tables").paginate(DatabaseName=name)
            for table in page["TableList"]
        ]
        for name in [database["Name"] for page in databases for database in page["DatabaseList"]]
    }


def _suggestion(names: Iterable[str]) -> str:
    found = ", ".join(names)
    return f"Similar: {found}." if found else ""
