"""Athena answers SHOW and DESCRIBE from the Glue catalog, and MSCK REPAIR TABLE registers partitions there.

MiniStack's Athena passes these statements to DuckDB, whose own catalog is empty. Remove this module when
the tests of SHOW, of DESCRIBE and of MSCK REPAIR TABLE pass without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ministack.services import athena, glue, s3

from sandbox.emulator_patches.athena_sql import BEFORE, NotInTrial
from sandbox.emulator_patches.athena_views import view

NAME = r"[`\"]?(?:(?P<database>\w+)[`\"]?\s*\.\s*[`\"]?)?(?P<table>[\w$]+)[`\"]?"
OF_DATABASE = r"(?:\s+(?:IN|FROM)\s+[`\"]?(?P<database>\w+)[`\"]?)?(?:\s+(?:LIKE\s+)?'(?P<like>[^']*)')?"
STATEMENT = re.compile(rf"{BEFORE}(SHOW|DESCRIBE|DESC|MSCK)\b", re.IGNORECASE)


def apply() -> None:
    """Answer statements about the catalog."""
    run = athena._run_duckdb

    async def run_or_look_up(query: str, database: str | None, catalog: str | None = None) -> Any:
        if not STATEMENT.match(query):
            return await run(query, database, catalog)
        columns, rows = answer(query, database)
        return {"columns": columns, "column_types": ["varchar"] * len(columns), "rows": rows}

    athena._run_duckdb = run_or_look_up


def answer(query: str, database: str | None) -> tuple[list[str], list[list[str]]]:
    """Return the columns and rows that answer a statement.

    Raises
    ------
    ValueError
        The catalog has no such database, table or view.
    NotInTrial
        The emulator does not support the statement.
    """
    for pattern, (columns, look_up) in STATEMENTS.items():
        if found := re.fullmatch(rf"{BEFORE}{pattern}\s*;?{BEFORE}", query, re.IGNORECASE):
            names = found.groupdict()
            named = names.pop("database", None)
            named = names.pop("other", None) or named or database or "default"
            return columns, look_up(named.lower(), **names)
    raise NotInTrial(" ".join(query.split()[:2]).upper())


def _databases(_: str, like: str | None) -> list[list[str]]:
    return [[name] for name in sorted(glue._databases) if _is_like(name, like)]


def _tables(database: str, like: str | None) -> list[list[str]]:
    if database not in glue._databases:
        raise ValueError(f"SCHEMA_NOT_FOUND: Schema '{database}' does not exist")
    names = sorted(key.split("/", 1)[1] for key in glue._tables if key.startswith(f"{database}/"))
    return [[name] for name in names if _is_like(name, like)]


def _views(database: str, like: str | None) -> list[list[str]]:
    return [[name] for (name,) in _tables(database, like) if view(database, name)]


def _is_like(name: str, like: str | None) -> bool:
    """Return whether a name matches a Hive pattern, in which ``*`` is any text and ``|`` means "or"."""
    return like is None or any(
        re.fullmatch(part.replace("*", ".*"), name, re.IGNORECASE) for part in like.split("|")
    )


def _table(database: str, table: str) -> dict[str, Any]:
    found: dict[str, Any] | None = glue._tables.get(f"{database}/{table.lower()}")
    if found is None:
        raise ValueError(f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{table}' does not exist")
    return found


def _columns(database: str, table: str) -> list[list[str]]:
    return [[name] for name, *_ in _description(database, table)]


def _description(database: str, table: str) -> list[list[str]]:
    found = _table(database, table)
    columns = [*found["StorageDescriptor"].get("Columns", []), *found.get("PartitionKeys", [])]
    return [[one["Name"], one.get("Type", "string"), one.get("Comment", "")] for one in columns]


def _partitions(database: str, table: str) -> list[list[str]]:
    keys = [key["Name"] for key in _table(database, table).get("PartitionKeys", [])]
    rows = [partition["Values"] for partition in glue._partitions.get(f"{database}/{table.lower()}", [])]
    return [
        ["/".join(f"{key}={value}" for key, value in zip(keys, row, strict=True))] for row in sorted(rows)
    ]


def _create_view(database: str, table: str) -> list[list[str]]:
    _table(database, table)
    definition = view(database, table.lower())
    if definition is None:
        raise ValueError(f"NOT_SUPPORTED: '{database}.{table}' is a table, not a view")
    return [[line] for line in f"CREATE VIEW {database}.{table} AS\n{definition['originalSql']}".splitlines()]


def _repair(database: str, table: str) -> list[list[str]]:
    """Register the partitions that exist under a table's location but not in the catalog."""
    found = _table(database, table)
    storage, (key,) = found["StorageDescriptor"], found["PartitionKeys"]
    location = urlsplit(storage["Location"])
    start = f"{location.path.strip('/')}/{key['Name']}="
    items = [
        item.removeprefix(start) for item in s3._buckets[location.netloc]["objects"] if item.startswith(start)
    ]
    values = {item.split("/")[0] for item in items if "/" in item}
    values -= {partition["Values"][0] for partition in glue._partitions.get(f"{database}/{table}", [])}
    for value in sorted(values):
        place = {**storage, "Location": f"s3://{location.netloc}/{start}{value}/"}
        partitions = [{"Values": [value], "StorageDescriptor": place}]
        glue._batch_create_partition(
            {"DatabaseName": database, "TableName": table, "PartitionInputList": partitions}
        )
    return [
        [f"Repair: Added partition to metastore {table}:{key['Name']}={value}"] for value in sorted(values)
    ]


STATEMENTS: dict[str, tuple[list[str], Callable[..., list[list[str]]]]] = {
    rf"SHOW\s+(?:DATABASES|SCHEMAS){OF_DATABASE}": (["database_name"], _databases),
    rf"SHOW\s+TABLES{OF_DATABASE}": (["tab_name"], _tables),
    rf"SHOW\s+VIEWS{OF_DATABASE}": (["views"], _views),
    rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+{NAME}(?:\s+(?:IN|FROM)\s+[`\"]?(?P<other>\w+)[`\"]?)?": (
        ["field"],
        _columns,
    ),
    rf"MSCK\s+REPAIR\s+TABLE\s+{NAME}": (["result"], _repair),
    rf"SHOW\s+PARTITIONS\s+{NAME}": (["partition"], _partitions),
    rf"SHOW\s+CREATE\s+VIEW\s+{NAME}": (["Create View"], _create_view),
    rf"DESC(?:RIBE)?\s+(?:FORMATTED\s+|EXTENDED\s+)?{NAME}": (
        ["col_name", "data_type", "comment"],
        _description,
    ),
}
"""For each statement, the columns of the answer and the function that finds its rows."""
