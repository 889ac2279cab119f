"""Checks that the lake holds exactly the site's data."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from b3.days import PARTITION_KEY
from sandbox import SandboxError
from sandbox.day import Day
from sandbox.lake import Table
from sandbox.site import SampleAsset

SHOWN = 20

READ_AT = {"datetime_exec", "datetime_leitura"}
"""Columns with the times at which a row's page was fetched and requested; no page contains these times."""

TICKER_COLUMNS = {"acoes": "nome_papel", "fiis": "fii", None: "codigo_ticker_ativo"}

Row = Mapping[str, Any]


class NotExact(SandboxError):
    """The lake differs from the site; the message names the difference."""

    def __init__(self, differences: Collection[str]) -> None:
        shown = list(differences)[:SHOWN]
        more = len(differences) - len(shown)
        lines = [*shown, f"and {more} more"] if more else shown
        super().__init__("The lake is not exact:\n" + "\n".join(f"  - {line}" for line in lines))


def check_assets(day: Day, assets: Collection[SampleAsset], glue: Any) -> None:
    """Compare every cell of the five tables with the values that the pages were built from.

    Parameters
    ----------
    day
        A day whose workflow has ended.
    assets
        The assets that the site has.
    glue
        Glue client; the catalog must contain the day's partition.

    Raises
    ------
    NotExact
        A cell, a row, an object or a partition is wrong.
    """
    differences = []
    for table in day.lake.tables:
        expected = {
            asset.ticker: expected_row(asset, table.layer, day.number)
            for asset in assets
            if table.kind in (asset.kind, None)
        }
        rows = rows_by_ticker(day, table)
        differences += row_differences(table, expected, rows)
        differences += partition_differences(day, table, glue, has_assets=bool(expected))
    if differences:
        raise NotExact(differences)


def check_tickers(day: Day, tickers: Iterable[str]) -> None:
    """Check that every ticker is in each layer, and only once in SoT and Spec.

    A ticker that failed or has no page is allowed to be missing.

    Raises
    ------
    NotExact
        A ticker is missing, or there is an unexpected ticker.
    """
    wanted = set(tickers)
    not_listed = day.tickers_not_listed()
    failed = [json.loads(body)["ticker"] for bodies in day.failed_tickers().values() for body in bodies]
    excused = {*day.tickers_without_page(), *failed, *not_listed}
    differences = [f"the site does not list {ticker}" for ticker in not_listed]
    for layer in ("sor", "sot", "spec"):
        counts: defaultdict[str, int] = defaultdict(int)
        for table in day.lake.tables:
            if table.layer == layer:
                for ticker, rows in rows_by_ticker(day, table).items():
                    counts[ticker] += len(rows)
        differences += [f"{layer}: {ticker} is missing" for ticker in sorted(wanted - set(counts) - excused)]
        differences += [f"{layer}: {ticker} was not requested" for ticker in sorted(set(counts) - wanted)]
        if layer != "sor":
            differences += [f"{layer}: {ticker} occurs {n} times" for ticker, n in counts.items() if n > 1]
    if differences:
        raise NotExact(differences)


def expected_row(asset: SampleAsset, layer: str, day: int) -> Row:
    """Return the row that a layer must hold for an asset, without the columns in `READ_AT`."""
    if layer == "sor":
        return asset.expected_sor(day)
    return asset.expected_sot(day) if layer == "sot" else asset.expected_spec(day)


def rows_by_ticker(day: Day, table: Table) -> dict[str, list[Row]]:
    """Return a table's rows for one day, grouped by ticker."""
    found = defaultdict(list)
    for row in day.partitions.read(table, day.number).to_pylist():
        found[row[TICKER_COLUMNS[table.kind]]].append(row)
    return dict(found)


def row_differences(table: Table, expected: Mapping[str, Row], rows: Mapping[str, list[Row]]) -> list[str]:
    """Compare a table's rows with the expected rows, cell by cell."""
    differences = [f"{table.name}: {ticker} is missing" for ticker in sorted(set(expected) - set(rows))]
    differences += [
        f"{table.name}: {ticker} is not on the site" for ticker in sorted(set(rows) - set(expected))
    ]
    for ticker in sorted(set(expected) & set(rows)):
        # SoR keeps every reading, so a ticker can have two rows if its message is delivered twice.
        if len(rows[ticker]) > 1 and table.layer != "sor":
            differences.append(f"{table.name}: {ticker} occurs {len(rows[ticker])} times")
        for row in rows[ticker]:
            differences += _cell_differences(f"{table.name}: {ticker}", expected[ticker], row)
    return differences


def partition_differences(day: Day, table: Table, glue: Any, *, has_assets: bool) -> list[str]:
    """Check a table's objects for a day, and the location of the day's partition in the catalog.

    If the site has assets, a table of SoR must have objects, and a table of SoT or Spec exactly one object.
    Without assets, no object or partition is allowed.
    """
    differences = []
    objects = len(day.partitions.objects(table, day.number))
    if not has_assets and objects:
        differences.append(f"{table.name}: {objects} objects, expected none: the site has no assets")
    elif has_assets and table.layer == "sor" and not objects:
        differences.append(f"{table.name}: no object, expected one: the site has assets")
    elif has_assets and table.layer != "sor" and objects != 1:
        differences.append(f"{table.name}: {objects} objects, expected one after the workflow")
    registered = {
        tuple(partition["Values"]): partition["StorageDescriptor"]["Location"].rstrip("/")
        for page in glue.get_paginator("get_partitions").paginate(
            DatabaseName=table.database, TableName=table.name
        )
        for partition in page["Partitions"]
    }
    wanted = table.location(day.number).rstrip("/") if has_assets else None
    found = registered.get((str(day.number),))
    if found != wanted:
        differences.append(
            f"{table.name}: the catalog has {PARTITION_KEY}={day.number} at {found}, expected {wanted}"
        )
    return differences


def _cell_differences(where: str, expected: Row, row: Row) -> list[str]:
    differences = [
        f"{where}: {column} is {row.get(column)!r}, expected {value!r}"
        for column, value in expected.items()
        if column not in row or row[column] != value or type(row[column]) is not type(value)
    ]
    if set(row) != {*expected, *READ_AT}:
        differences.append(
            f"{where}: columns {sorted(set(row) ^ {*expected, *READ_AT})} are missing or unexpected"
        )
    else:
        differences += [f"{where}: {column} is missing" for column in sorted(READ_AT) if row[column] is None]
    return differences
