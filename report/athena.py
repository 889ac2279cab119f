"""Queries of the lake through the Athena API."""

from __future__ import annotations

import codecs
import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

POLL_SECONDS = 0.1
SLOWEST_POLL_SECONDS = 1.0
NAMES_A_CALL = 50
"""Maximum number of named queries per call."""


class QueryFailed(Exception):
    """Athena could not answer a query; the message gives the reason."""


@dataclass(frozen=True)
class Answer:
    """The answer to a query: column names, rows of texts (None means null), and Athena's types, if known."""

    columns: list[str]
    rows: list[list[str | None]]
    types: Sequence[str] = ()


@dataclass(frozen=True)
class NamedQuery:
    """A query saved in the workgroup, and the database of its tables and views."""

    name: str
    title: str
    database: str
    sql: str


class Athena:
    """Runs queries in an Athena workgroup. The workgroup sets the location of the result files.

    Parameters
    ----------
    athena
        Athena client.
    workgroup
        Name of the workgroup.
    """

    def __init__(self, athena: Any, workgroup: str) -> None:
        self._athena = athena
        self._workgroup = workgroup

    def named_queries(self) -> dict[str, NamedQuery]:
        """Return a map from name to query, for the queries saved in the workgroup."""
        ids: list[str] = []
        for page in self._athena.get_paginator("list_named_queries").paginate(WorkGroup=self._workgroup):
            ids += page["NamedQueryIds"]
        found = []
        for first in range(0, len(ids), NAMES_A_CALL):
            answer = self._athena.batch_get_named_query(NamedQueryIds=ids[first : first + NAMES_A_CALL])
            found += answer["NamedQueries"]
        return {
            one["Name"]: NamedQuery(
                one["Name"], one.get("Description", ""), one["Database"], one["QueryString"]
            )
            for one in sorted(found, key=lambda one: str(one["Name"]))
        }

    def ask_by_name(self, name: str) -> Answer:
        """Run a query saved in the workgroup, and return its whole answer.

        Raises
        ------
        QueryFailed
            No query has this name, or `ask` raised this error.
        """
        named = self.named_queries()
        if name not in named:
            raise QueryFailed(f"There is no query {name!r}; there are {', '.join(named)}.")
        return self.ask(named[name].sql)

    def ask(self, sql: str, timeout_seconds: float = 60.0) -> Answer:
        """Run a query and return its whole answer.

        Raises
        ------
        QueryFailed
            The query fails, or no answer comes within `timeout_seconds`.
        botocore.exceptions.ClientError
            Athena does not accept the query.
        """
        return self._answer(self._run(sql, timeout_seconds)["QueryExecutionId"])

    def ask_object(self, sql: str, s3: Any, timeout_seconds: float = 60.0) -> Answer:
        """Run a query and read the whole answer from the result object in S3.

        A null becomes None, and so does an empty text. The answer has no types.

        Parameters
        ----------
        sql
            A SELECT.
        s3
            S3 client.
        timeout_seconds
            Maximum duration of the query.

        Raises
        ------
        QueryFailed
            As in `ask`.
        """
        place = urlsplit(self._run(sql, timeout_seconds)["ResultConfiguration"]["OutputLocation"])
        found = s3.get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))
        with found["Body"] as body:
            columns, *rows = csv.reader(codecs.getreader("utf-8")(body))
        return Answer(columns, [[cell or None for cell in row] for row in rows])

    def _run(self, sql: str, timeout_seconds: float) -> dict[str, Any]:
        """Run a query, wait for its end, and return its execution."""
        query_id = self._athena.start_query_execution(QueryString=sql, WorkGroup=self._workgroup)[
            "QueryExecutionId"
        ]
        deadline = time.monotonic() + timeout_seconds
        pause = POLL_SECONDS
        while True:
            execution: dict[str, Any] = self._athena.get_query_execution(QueryExecutionId=query_id)[
                "QueryExecution"
            ]
            status = execution["Status"]
            if status["State"] == "SUCCEEDED":
                return execution
            if status["State"] in ("FAILED", "CANCELLED"):
                raise QueryFailed(f"{status.get('StateChangeReason', status['State'])}\nThe query: {sql}")
            if time.monotonic() > deadline:
                raise QueryFailed(f"no answer within {timeout_seconds:.0f} s\nThe query: {sql}")
            time.sleep(pause)
            pause = min(1.2 * pause, SLOWEST_POLL_SECONDS)

    def _answer(self, query_id: str) -> Answer:
        columns: list[str] = []
        types: list[str] = []
        rows: list[list[str | None]] = []
        for page in self._athena.get_paginator("get_query_results").paginate(QueryExecutionId=query_id):
            described = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
            columns = [column["Name"] for column in described]
            types = [column["Type"] for column in described]
            rows += [[cell.get("VarCharValue") for cell in row["Data"]] for row in page["ResultSet"]["Rows"]]
        # The first row of a SELECT's answer holds the column names.
        if rows and rows[0] == columns:
            del rows[0]
        return Answer(columns, rows, types)
