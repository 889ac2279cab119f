"""Queries of the lake through the Athena API."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Any

RESULTS_BUCKET = "sandbox-athena-results"
POLL_SECONDS = 0.1


class QueryFailed(Exception):  # noqa: N818
    """Athena could not answer a query; the message says why."""


@dataclass(frozen=True)
class Answer:
    """The answer to a query: column names, and rows of texts in which None is a null."""

    columns: list[str]
    rows: list[list[str | None]]


class Athena:
    """Asks Athena, and keeps its result files in a bucket of its own.

    Parameters
    ----------
    athena, s3
        Clients of the two services.
    """

    def __init__(self, athena: Any, s3: Any) -> None:
        self._athena = athena
        self._s3 = s3

    def ask(self, sql: str, timeout_seconds: float = 60.0) -> Answer:
        """Run a query and return its whole answer.

        Raises
        ------
        QueryFailed
            When Athena refuses or fails it, or does not answer within `timeout_seconds`.
        """
        query_id = self._start(sql)
        deadline = time.monotonic() + timeout_seconds
        while True:
            status = self._athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]
            if status["State"] == "SUCCEEDED":
                return self._answer(query_id)
            if status["State"] in ("FAILED", "CANCELLED"):
                raise QueryFailed(f"{status.get('StateChangeReason', status['State'])}\nThe query: {sql}")
            if time.monotonic() > deadline:
                raise QueryFailed(f"no answer within {timeout_seconds:.0f} s\nThe query: {sql}")
            time.sleep(POLL_SECONDS)

    def _start(self, sql: str) -> str:
        with contextlib.suppress(self._s3.exceptions.BucketAlreadyOwnedByYou):
            self._s3.create_bucket(
                Bucket=RESULTS_BUCKET,
                CreateBucketConfiguration={"LocationConstraint": self._s3.meta.region_name},
            )
        started = self._athena.start_query_execution(
            QueryString=sql, ResultConfiguration={"OutputLocation": f"s3://{RESULTS_BUCKET}/"}
        )
        query_id: str = started["QueryExecutionId"]
        return query_id

    def _answer(self, query_id: str) -> Answer:
        columns: list[str] = []
        rows: list[list[str | None]] = []
        for page in self._athena.get_paginator("get_query_results").paginate(QueryExecutionId=query_id):
            columns = [column["Name"] for column in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
            rows += [[cell.get("VarCharValue") for cell in row["Data"]] for row in page["ResultSet"]["Rows"]]
        # The first page of a SELECT begins with the column names.
        if rows and rows[0] == columns:
            del rows[0]
        return Answer(columns, rows)
