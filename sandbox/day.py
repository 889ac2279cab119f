"""Starts a day's run as the schedules do, and waits until the day is complete."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

from b3.days import PARTITION_KEY
from pynvest_lake.storage import Content
from sandbox import SandboxError
from sandbox.lake import LAYERS, Lake, Partitions, Table

POLL_SECONDS = 0.5
WORKFLOW_SECONDS = 600.0
STALL_SECONDS = 150.0
"""If nothing changes for this number of seconds, an incomplete day counts as stuck."""

REPORT = re.compile(r"^REPORT RequestId: \S+\tDuration: ([\d.]+) ms")
"""The line that Lambda logs at the end of an invocation."""

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
"""The Scheduler replaces this text with the planned start time."""

LISTED = '"tickers queued"'
"""Stage 2 logs this text when every ticker is queued."""


class DayFailed(SandboxError):
    """The day did not complete, or its workflow failed; the message lists the missing parts."""


@dataclass(frozen=True)
class DayObjects:
    """The queues and the contents of each table at one moment.

    Parameters
    ----------
    listed
        Whether stage 2 has queued every ticker.
    waiting, in_flight
        Number of messages in each kind's ticker queue. A waiting message can be received now or after its
        delay. Messages in flight have been received, but are not deleted yet.
    objects
        The day's objects in each table.
    """

    listed: bool
    waiting: Mapping[str, int]
    in_flight: Mapping[str, int]
    objects: Mapping[Table, list[Content]]

    def rows(self, layer: str) -> int:
        """Count the rows of a layer."""
        return sum(
            len(stored.rows)
            for table, found in self.objects.items()
            if table.layer == layer
            for stored in found
        )

    def progress(self) -> str:
        """Return the progress of the day in one line."""
        layers = "  ".join(f"{name} {self.rows(layer)} rows" for layer, name in LAYERS.items())
        waiting, in_flight = sum(self.waiting.values()), sum(self.in_flight.values())
        return f"tickers waiting {waiting}, in flight {in_flight}  {layers}"


@dataclass(frozen=True)
class StageReport:
    """How often and how long a function ran since the day's run began."""

    function: str
    invocations: int
    seconds: float
    ended_after_seconds: float
    """Seconds from the start of the day's run to the end of the function's last invocation."""


class Day:
    """One day of a lake.

    Parameters
    ----------
    lake
        The applied lake.
    client
        Function that makes a client for the service with a given name.
    on_progress
        Called repeatedly during a wait, with a line about the day's progress.
    """

    def __init__(self, lake: Lake, client: Callable[[str], Any], on_progress: Callable[[str], None]) -> None:
        self.lake = lake
        self.partitions = Partitions(client("s3"))
        self._lambda = client("lambda")
        self._logs = client("logs")
        self._scheduler = client("scheduler")
        self._sqs = client("sqs")
        self._states = client("stepfunctions")
        self._on_progress = on_progress
        self._started_at = 0.0
        self.number = 0
        """The day of the run, as in ``anomesdia_exec``; known after the start of the run."""

    def start(self, **fields: Any) -> None:
        """Invoke stage 1 with `fields`; without `fields`, use the input of the start schedule."""
        schedule = self._scheduler.get_schedule(Name=self.lake.start_schedule)
        now = datetime.now(timezone.utc)
        event = schedule["Target"]["Input"].replace(SCHEDULED_TIME, f"{now:%Y-%m-%dT%H:%M:%SZ}")
        today = now.astimezone(ZoneInfo(schedule["ScheduleExpressionTimezone"]))
        self.number = fields.get(PARTITION_KEY, int(f"{today:%Y%m%d}"))
        self._started_at = time.time()
        self._invoke(schedule["Target"]["Arn"], fields or json.loads(event))

    def ask(self, number: int, **fields: Any) -> None:
        """Invoke stage 2 to queue the missing tickers of a past day; no rows are cleared."""
        self.number = number
        self._started_at = time.time()
        self._invoke(self.lake.listing_function, {PARTITION_KEY: number, "only_missing": True, **fields})

    def _invoke(self, function: str, event: Mapping[str, Any]) -> None:
        self._lambda.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())

    def wait(self) -> DayObjects:
        """Wait until every queued ticker is in all layers, or in a dead-letter queue.

        Raises
        ------
        DayFailed
            An invocation failed permanently, or nothing changed for `STALL_SECONDS`.
        """
        last, changed_at = None, time.monotonic()
        while True:
            snapshot = self.snapshot()
            self._on_progress(snapshot.progress())
            missing = self.missing(snapshot)
            if not missing:
                return snapshot
            self._refuse_failed_invocations()
            if snapshot != last:
                last, changed_at = snapshot, time.monotonic()
            if time.monotonic() - changed_at > STALL_SECONDS:
                raise DayFailed(f"nothing changed for {STALL_SECONDS:.0f} s, and {'; '.join(missing)}")
            time.sleep(POLL_SECONDS)

    def run_workflow(self, **fields: Any) -> dict[str, Any]:
        """Start the dedup workflow with the schedule's input and `fields`, and wait until the workflow ends.

        Returns
        -------
        dict
            The workflow's result for the day, with the verdict and the notice.

        Raises
        ------
        DayFailed
            The workflow failed, or has not ended after `WORKFLOW_SECONDS`.
        """
        target = self._scheduler.get_schedule(Name=self.lake.dedup_schedule)["Target"]
        event = {**json.loads(target["Input"]), PARTITION_KEY: self.number, **fields}
        execution = self._states.start_execution(stateMachineArn=target["Arn"], input=json.dumps(event))
        deadline = time.monotonic() + WORKFLOW_SECONDS
        while True:
            found = self._states.describe_execution(executionArn=execution["executionArn"])
            if found["status"] == "SUCCEEDED":
                return dict(json.loads(found["output"]))
            if found["status"] != "RUNNING":
                raise DayFailed(
                    f"the workflow ended as {found['status']}: {found.get('error')}: {found.get('cause')}"
                )
            if time.monotonic() > deadline:
                raise DayFailed(f"the workflow has not ended within {WORKFLOW_SECONDS:.0f} s")
            self._on_progress("the dedup workflow is running")
            time.sleep(POLL_SECONDS)

    def snapshot(self) -> DayObjects:
        """Read the queues and the tables."""
        # Read the log before the queues. In the opposite order, stage 2 could fill the queues between the two
        # reads, and the day would look complete.
        listed = bool(self._log(self.lake.listing_function, LISTED))
        waiting, in_flight = {}, {}
        for kind, url in self.lake.ticker_queues.items():
            counts = self._sqs.get_queue_attributes(
                QueueUrl=url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesDelayed",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )["Attributes"]
            in_flight[kind] = int(counts.pop("ApproximateNumberOfMessagesNotVisible"))
            waiting[kind] = sum(map(int, counts.values()))
        # Read the queues before the tables, because a row is stored before its message leaves the queue.
        return DayObjects(
            listed=listed,
            waiting=waiting,
            in_flight=in_flight,
            objects={table: self.partitions.objects(table, self.number) for table in self.lake.tables},
        )

    def missing(self, snapshot: DayObjects) -> list[str]:
        """Return one text for each missing part of a day, or an empty list if the day is complete."""
        lacks = [] if snapshot.listed else ["stage 2 has not queued the tickers"]
        lacks += [
            f"the queue of {kind} has {snapshot.waiting[kind]} messages waiting and "
            f"{snapshot.in_flight[kind]} in flight"
            for kind in snapshot.waiting
            if snapshot.waiting[kind] or snapshot.in_flight[kind]
        ]
        for source, target in self.lake.derivations():
            absent = _ids(snapshot.objects[source]) - _ids(snapshot.objects[target])
            if absent:
                lacks.append(f"{target.name} lacks objects of {source.name}: {', '.join(sorted(absent))}")
        return lacks

    def failed_tickers(self) -> dict[str, list[str]]:
        """Return the message bodies in each kind's dead-letter queue; the messages stay in the queue."""
        return {kind: self._peek(url) for kind, url in self.lake.dead_letter_queues.items()}

    def tickers_without_page(self) -> list[str]:
        """Return the listed tickers that the functions logged as having no page."""
        return self._logged("no_such_paper")

    def tickers_not_listed(self) -> list[str]:
        """Return the requested tickers that the functions logged as not listed."""
        return self._logged("not_listed")

    def stage_reports(self) -> list[StageReport]:
        """Return a report on each function that was invoked since the day's run began."""
        reports = []
        for function in self.lake.functions:
            logged = ((at, REPORT.match(message)) for at, message in self._log(function, "REPORT"))
            invocations = [(at, float(line[1]) / 1000) for at, line in logged if line]
            if invocations:
                ended_at = max(at for at, _ in invocations)
                seconds = sum(seconds for _, seconds in invocations)
                reports.append(StageReport(function, len(invocations), seconds, ended_at - self._started_at))
        return reports

    def _refuse_failed_invocations(self) -> None:
        for name, url in self.lake.failure_queues.items():
            failed = self._peek(url)
            if failed:
                raise DayFailed(f"{_failure(failed[0])} (the event is in the queue {name})")

    def _logged(self, field: str) -> list[str]:
        """Return the tickers that the functions logged in the list `field`."""
        return sorted(
            {
                ticker
                for function in self.lake.functions
                for _, message in self._log(function, field)
                for ticker in json.loads(message)[field]
            }
        )

    def _log(self, function: str, term: str) -> list[tuple[float, str]]:
        """Return time and text of the lines with `term` that `function` logged since the day's run began."""
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{function}",
            startTime=int(self._started_at * 1000),
            filterPattern=term,
        )
        return [(event["timestamp"] / 1000, event["message"]) for page in pages for event in page["events"]]

    def _peek(self, url: str) -> list[str]:
        """Return the bodies of a queue's messages; the messages stay in the queue."""
        bodies, receipts = [], []
        while received := self._sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=30, WaitTimeSeconds=0
        ).get("Messages"):
            bodies += [message["Body"] for message in received]
            receipts += [message["ReceiptHandle"] for message in received]
        for receipt in receipts:
            self._sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)
        return bodies


def _ids(objects: list[Content]) -> frozenset[str]:
    return frozenset().union(*(stored.ids for stored in objects))


def _failure(body: str) -> str:
    """Describe the failed invocation that `body` records, or quote `body` if it has another form."""
    try:
        record = json.loads(body)
        function = record["requestContext"]["functionArn"].rsplit(":", 1)[-1]
        attempts = record["requestContext"]["approximateInvokeCount"]
        error = record["responsePayload"]
        return f"{function} failed {attempts} times: {error['errorType']}: {error['errorMessage']}"
    except (ValueError, TypeError, KeyError):
        return f"an invocation failed permanently: {body}"
