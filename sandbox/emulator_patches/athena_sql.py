"""Athena runs Trino's SQL and replaces each ``?`` with an execution parameter.

MiniStack's Athena passes a query to DuckDB unchanged. This module translates the query with sqlglot. DuckDB
macros and changes to the query correct the remaining differences from Athena. Remove this module when the
tests of Athena's functions pass without it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import sqlglot
from ministack.core.responses import error_response_json
from ministack.services import athena
from sqlglot import ErrorLevel, TokenType, exp
from sqlglot.errors import ParseError, TokenError, UnsupportedError

LACKING = "Athena has this, the trial does not"

BEFORE = r"(?:\s|--[^\n]*(?:\n|\Z)|/\*[\s\S]*?\*/)*"
"""Spaces and comments that may precede a statement."""

QUERY = re.compile(rf"{BEFORE}(SELECT\b|WITH\b|VALUES\b|TABLE\b|\()", re.IGNORECASE)
EXPLAIN = re.compile(
    rf"{BEFORE}EXPLAIN((\s+ANALYZE|\s+VERBOSE|\s*\(\s*(FORMAT|TYPE)\b[^)]*\))*)(?=[\s(])", re.IGNORECASE
)
OTHER_STATEMENTS = re.compile(
    rf"{BEFORE}(UNLOAD|PREPARE|EXECUTE|DEALLOCATE|MERGE|OPTIMIZE|VACUUM|UPDATE|DELETE)\b", re.IGNORECASE
)
NO_FUNCTION = re.compile(r"Function with name (\w+) does not exist")

OBJECTS = "s3-objects"
"""Folder for a query's copies of objects, stored as ``<bucket>/<key>``. The copy's path gives ``"$path"``."""

HIDDEN_COLUMNS = ("$bucket", "$file_modified_time", "$file_size", "$partition")

MACROS = {
    "at_timezone(t, zone)": "timezone(zone, t)",
    "codepoint(x)": "unicode(x)",
    "infinity()": "CAST('Infinity' AS DOUBLE)",
    "json_size(j, p)": "coalesce(nullif(json_array_length(j, p), 0), len(json_keys(j, p)), 0)",
    "map_agg(k, v)": "map(list(k) FILTER (WHERE k IS NOT NULL), list(v) FILTER (WHERE k IS NOT NULL))",
    "moved(d DATE, i INTERVAL)": "CAST(d + i AS DATE), (t TIMESTAMP, i INTERVAL) AS t + i, "
    "(t TIMESTAMPTZ, i INTERVAL) AS t + i",
    "nan()": "CAST('NaN' AS DOUBLE)",
    "to_iso8601(t)": "strftime(t, CASE typeof(t) WHEN 'DATE' THEN '%Y-%m-%d' "
    "ELSE '%Y-%m-%dT%H:%M:%S.%g' END)",
    "truncated(unit, d DATE)": "CAST(date_trunc(unit, d) AS DATE), "
    "(unit, t TIMESTAMP) AS date_trunc(unit, t), (unit, t TIMESTAMPTZ) AS date_trunc(unit, t)",
    "url_extract_host(u)": "regexp_extract(u, '^[^:]+://([^/:?#]+)', 1)",
    "url_extract_path(u)": "regexp_extract(u, '^[^:]+://[^/?#]+([^?#]*)', 1)",
    "url_extract_protocol(u)": "regexp_extract(u, '^([^:]+)://', 1)",
    "width_bucket(x, low, high, n)": "CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1 "
    "ELSE CAST(floor((x - low) * n / CAST(high - low AS DOUBLE)) AS BIGINT) + 1 END",
}
"""Athena's functions that DuckDB lacks, names differently or gives another type."""

JODA = {
    "yyyy": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "dd": "%d",
    "EEEE": "%A",
    "EEE": "%a",
    "HH": "%H",
    "hh": "%I",
    "mm": "%M",
    "ss": "%S",
    "SSS": "%g",
    "a": "%p",
}
"""Pattern letters of format_datetime and parse_datetime, each with DuckDB's letters."""

ONE = exp.Literal.number(1)
MATCHES = {"ANY_MATCH": exp.GT, "NONE_MATCH": exp.EQ}


class NotInTrial(Exception):
    """A query needs a feature of Athena that the emulator lacks."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: {LACKING}")


def apply() -> None:
    """Translate queries, insert parameters, and move the copies of objects so that ``"$path"`` is right."""
    rewrite, run, start = athena._rewrite_data_paths, athena._run_duckdb, athena._start_query_execution
    materialize, connect = athena._materialize_table_files, duckdb.connect

    def connect_prepared(*arguments: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        return prepared(connect(*arguments, **options))

    async def rewrite_translated(query: str, database: str | None, catalog: str | None = None) -> Any:
        return await rewrite(translated(query), database, catalog)

    async def run_plainly(query: str, database: str | None, catalog: str | None = None) -> Any:
        try:
            answer = await run(query, database, catalog)
        except Exception as failure:
            if found := NO_FUNCTION.search(str(failure)):
                raise ValueError(f"The trial has no function {found[1]}(); Athena may have it.") from failure
            raise
        if EXPLAIN.match(query):
            plan = [line for row in answer["rows"] for line in str(row[-1]).splitlines()]
            return {"columns": ["Query Plan"], "column_types": ["varchar"], "rows": [[line] for line in plan]}
        rows = [[as_athena(value) for value in row] for row in answer["rows"]]
        return {**answer, "rows": rows}

    def start_with_parameters(data: dict[str, Any]) -> Any:
        parameters = data.get("ExecutionParameters")
        if not parameters:
            return start(data)
        try:
            query = with_parameters(data["QueryString"], parameters)
        except ValueError as error:
            return error_response_json("InvalidRequestException", str(error), 400)
        before = set(athena._executions)
        response = start({**data, "QueryString": query})
        for started in set(athena._executions) - before:
            athena._executions[started].update(Query=data["QueryString"], ExecutionParameters=parameters)
        return response

    def materialize_by_key(location: str, workdirs: list[str]) -> list[str]:
        known = len(workdirs)
        files = materialize(location, workdirs)
        return moved_to_key_paths(files, location, workdirs[known:])

    duckdb.connect = connect_prepared
    athena._rewrite_data_paths = rewrite_translated
    athena._run_duckdb = run_plainly
    athena._start_query_execution = start_with_parameters
    athena._materialize_table_files = materialize_by_key


def prepared(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return the DuckDB connection with the macros and with Athena's division of integers."""
    connection.execute("SET integer_division = true")
    for name, body in MACROS.items():
        connection.execute(f"CREATE TEMP MACRO {name} AS {body}")
    return connection


def moved_to_key_paths(files: list[str], location: str, roots: list[str]) -> list[str]:
    """Move each copy of an object to a path that ends with ``<bucket>/<key>``; return the new paths."""
    if not files:
        return files
    (root,) = roots
    place = urlsplit(location)
    target = Path(root, OBJECTS, place.netloc, place.path.strip("/"))
    found = []
    for file in files:
        moved = target / os.path.relpath(file, root)
        moved.parent.mkdir(parents=True, exist_ok=True)
        Path(file).rename(moved)
        found.append(str(moved))
    return found


def with_parameters(query: str, values: list[str]) -> str:
    """Return the query with `values` in place of its question marks.

    Raises
    ------
    ValueError
        The number of values differs from the number of question marks.
    """
    tokens = sqlglot.tokenize(query, read="trino")
    places = [token for token in tokens if token.token_type == TokenType.PLACEHOLDER]
    if len(places) != len(values):
        raise ValueError(f"Incorrect number of parameters: expected {len(places)} but found {len(values)}")
    for place, value in reversed(list(zip(places, values, strict=True))):
        query = f"{query[: place.start]}{_as_sql(value)}{query[place.end + 1 :]}"
    return query


def _as_sql(value: str) -> str:
    """Return a parameter unchanged if it is an SQL constant; return any other parameter as an SQL string."""
    try:
        constant = sqlglot.parse_one(value, read="trino").find(exp.Column, exp.Query) is None
    except (ParseError, TokenError):
        constant = False
    return value if constant else exp.Literal.string(value).sql()


def translated(query: str) -> str:
    """Translate a query from Athena's SQL to DuckDB's SQL; return other statements unchanged.

    Raises
    ------
    NotInTrial
        The query uses a feature that DuckDB does not have.
    """
    if found := OTHER_STATEMENTS.match(query):
        raise NotInTrial(found[1].upper())
    if found := EXPLAIN.match(query):
        return "EXPLAIN " + translated(query[found.end() :])
    if not QUERY.match(query):
        return query
    try:
        parsed = sqlglot.parse_one(query, read="athena")
    except (ParseError, TokenError) as error:
        raise ValueError(
            f"SYNTAX_ERROR: {re.sub(chr(27) + r'.{1,3}m', '', str(error)).splitlines()[0]}"
        ) from error
    try:
        changed: str = parsed.transform(_changed).sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise NotInTrial(str(error).splitlines()[0]) from error
    return changed


def as_athena(value: Any) -> Any:
    """Convert a list or a map to Athena's text form; return any other value unchanged."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_part, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_part(key)}={_part(part)}' for key, part in value.items())}}}"
    return value


def _part(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(as_athena(value))


def _changed(node: exp.Expr) -> exp.Expr:
    """Translate a part of a query if DuckDB would read this part differently from Athena."""
    if isinstance(node, exp.Column) and node.name in HIDDEN_COLUMNS:
        raise NotInTrial(f'"{node.name}"')
    if isinstance(node, exp.MatchRecognize):
        raise NotInTrial("MATCH_RECOGNIZE")
    if isinstance(node, exp.Column) and node.name == "$path":
        file = exp.column("filename", table=node.args.get("table"))
        path = exp.func(
            "regexp_replace", file, exp.Literal.string(f"^.*/{OBJECTS}/"), exp.Literal.string("s3://")
        )
        return exp.alias_(path, "$path", quoted=True) if isinstance(node.parent, exp.Select) else path
    if isinstance(node, exp.Join) and not any(
        node.args.get(part) for part in ("on", "using", "kind", "side", "method")
    ):
        # Change a comma between tables to CROSS JOIN: MiniStack finds tables only after FROM and JOIN.
        node.set("kind", "CROSS")
    elif isinstance(node, exp.RegexpReplace) and isinstance(node.args.get("replacement"), exp.Literal):
        node.set("replacement", exp.Literal.string(re.sub(r"\$(\d)", r"\\\1", node.args["replacement"].name)))
    elif isinstance(node, exp.Reduce) and isinstance(finish := node.args.get("finish"), exp.Lambda):
        if finish.this not in finish.expressions:
            raise NotInTrial("reduce() whose last function changes the result")
        node.set("finish", None)
    elif isinstance(node, exp.ArraySlice) and node.args.get("end"):
        # The third argument of slice is a length in Athena, but a position in DuckDB.
        last = exp.Sub(
            this=exp.Add(this=node.args["start"].copy(), expression=node.args["end"]), expression=ONE
        )
        node.set("end", last)
    elif isinstance(node, exp.Format):
        return exp.func("printf", node.this, *node.expressions)
    elif isinstance(node, exp.DateTrunc | exp.TimestampTrunc):
        return exp.Anonymous(this="truncated", expressions=[exp.Literal.string(node.text("unit")), node.this])
    elif isinstance(node, exp.DateAdd):
        days = exp.Mul(this=exp.paren(node.expression), expression=_one(node.text("unit")))
        return exp.Anonymous(this="moved", expressions=[node.this, days])
    elif isinstance(node, exp.Add) and isinstance(node.expression, exp.Interval):
        return exp.Anonymous(this="moved", expressions=[node.left, node.right])
    elif isinstance(node, exp.Sub) and isinstance(node.expression, exp.Interval):
        return exp.Anonymous(this="moved", expressions=[node.left, exp.Neg(this=node.right)])
    elif isinstance(node, exp.Func):
        return _changed_function(node)
    return node


def _changed_function(node: exp.Func) -> exp.Expr:
    name = node.name.upper() if isinstance(node, exp.Anonymous) else ""
    if name in ("FORMAT_DATETIME", "PARSE_DATETIME") or isinstance(node, exp.ParseDatetime):
        moment, pattern = node.expressions if name else (node.this, node.args["format"])
        ours = re.sub("|".join(JODA), lambda found: JODA[found[0]], pattern.name)
        function = "strftime" if name == "FORMAT_DATETIME" else "strptime"
        return exp.Anonymous(this=function, expressions=[moment, exp.Literal.string(ours)])
    if name in MATCHES:
        array, test = node.expressions
        count = exp.func("len", exp.Anonymous(this="list_filter", expressions=[array, test]))
        return exp.paren(MATCHES[name](this=count, expression=exp.Literal.number(0)))
    return node


def _one(unit: str) -> exp.Interval:
    return exp.Interval(this=exp.Literal.string("1"), unit=exp.var(unit))
