"""A lake on the emulator with short timeouts, and a site in which tests set faults.

All tests share one emulator and one `apply`. Each test uses its own day, so that no test sees rows of
another test.
"""

from __future__ import annotations

import copy
import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from known_lake import tables_of
from role import may

from b3.days import is_trading_day, number_of
from pynvest_lake.ledger import DayLedger, Ledger
from pynvest_lake.storage import PART, list_day
from sandbox import checks
from sandbox.console import Console
from sandbox.day import Day, DayFailed
from sandbox.emulator import ACCOUNT_ID, REGION, Emulator
from sandbox.lake import Lake, Table
from sandbox.local import LocalLake
from sandbox.site import GHOSTS, SampleAsset, SiteServer, make_assets

VISIBILITY_SECONDS = 12
MAX_RECEIVES = 2
ACOES, FIIS = 12, 8
SITE_DAY = 20231229
"""Day of the pages. It is before the days of the tests, which are years in the past."""

SHARED_DIR = Path(__file__).resolve().parents[2] / ".local"
"""Directory where `make run` keeps the downloaded providers."""

PROBED_PAGES = 2
"""Pages of assets that stage 1 uses to probe the site: one page per kind."""

ROUNDS = [0.4]
"""Minutes before each round: the shortest time that the module accepts with these settings (24 s)."""

SIZES = {
    "visibility_timeout_seconds": VISIBILITY_SECONDS,
    "functions_timeout": VISIBILITY_SECONDS,
    "max_receive_count": MAX_RECEIVES,
    "fetch_timeout_seconds": 1,
    "dedup_wait_interval_seconds": 1,
    "dedup_round_minutes": ROUNDS,
    "alarm_email": "me@example.com",
}


class FaultyLake:
    """The applied lake and its site, with methods for the tests."""

    def __init__(self, local: LocalLake, site: SiteServer) -> None:
        self.emulator: Emulator = local.emulator
        self.terraform = local.terraform
        self.lake: Lake = local.lake
        self.outputs = local.terraform.outputs()
        self.site = site
        self.assets: list[SampleAsset] = list(site.assets.values())
        self.client = local.emulator.client
        self.s3, self.sqs, self.glue = (self.client(name) for name in ("s3", "sqs", "glue"))
        self.functions = self.client("lambda")
        self.states = self.client("stepfunctions")
        self.tables = tables_of(self.lake)
        self.notices_queue = self._subscribed_queue()

    def _subscribed_queue(self) -> str:
        """Subscribe a queue to the notices topic, because the emulator sends no mail to the address."""
        sns = {"Service": "sns.amazonaws.com"}
        let = {"Effect": "Allow", "Principal": sns, "Action": "sqs:SendMessage", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [let]})
        url: str = self.sqs.create_queue(QueueName="told", Attributes={"Policy": policy})["QueueUrl"]
        topic = self.outputs["notices"]["topic_arn"]
        self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn(url))
        return url

    def take_notices(self) -> list[tuple[str, str]]:
        """Return subject and text of each waiting notice, and delete these notices."""
        notices = [json.loads(body) for body in self.take(self.notices_queue)]
        return [(notice["Subject"], notice["Message"]) for notice in notices]

    def check_notice(self, kind: str, day: int, *named: str) -> None:
        """Check that exactly one new notice has arrived, with this kind, this day and the texts in `named`.

        The topic delivers a notice before it answers the workflow, so the notice arrives before the execution
        ends.
        """
        ((subject, text),) = self.take_notices()
        assert subject.startswith(f"pynvest {day % 100:02}/{day // 100 % 100:02}/{day // 10_000}: ")
        assert ("failure" if subject.endswith(": FALHA") else "digest") == kind, text
        assert [said for said in named if said not in text] == [], text

    def day(self) -> Day:
        return Day(self.lake, self.client, lambda line: None)

    def ledger(self, day: int) -> DayLedger:
        return Ledger(self.s3, self.lake.work_bucket).read(day)

    def function(self, name: str) -> str:
        return next(function for function in self.lake.functions if function.endswith(f"-lambda-{name}"))

    def check(self, day: Day, *, without: tuple[str, ...] = ()) -> None:
        """Check that each table has one correct row per asset, and no row for the tickers in `without`."""
        assets = [asset for asset in self.assets if asset.ticker not in without]
        checks.check_assets(day, assets, self.glue)

    def finished(self, day: Day) -> Day:
        day.wait()
        self.compact(day)
        self.check(day)
        return day

    def start_workflow(self, **given: Any) -> str:
        answer = self.states.start_execution(
            stateMachineArn=self.outputs["workflow_arn"], input=json.dumps(given)
        )
        arn: str = answer["executionArn"]
        return arn

    def end_of(self, execution: str, timeout_seconds: float = 90) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            found = self.states.describe_execution(executionArn=execution)
            return None if found["status"] == "RUNNING" else dict(found)

        try:
            return dict(until(ended, f"the end of {execution}", timeout_seconds))
        except TimeoutError as error:
            error.add_note(f"the last error of each function: {self.last_errors()}")
            raise

    def last_errors(self) -> dict[str, str]:
        """Return the newest logged error of each function. Omit functions without errors."""
        names = [function.split("-lambda-")[1] for function in self.lake.functions]
        return {name: lines[-1][:2000] for name in names if (lines := self.log(name, 0, "ERROR"))}

    def compact(self, day: Day, **given: Any) -> None:
        ended = self.end_of(self.start_workflow(anomesdia_exec=day.number, **given))
        if ended["status"] != "SUCCEEDED":
            raise DayFailed(f"{ended['status']}: {ended.get('error')}: {ended.get('cause')}")

    def invoke(self, name: str, event: Any) -> dict[str, Any]:
        answer = self.functions.invoke(FunctionName=self.function(name), Payload=json.dumps(event).encode())
        return dict(json.loads(answer["Payload"].read()))

    def log(self, name: str, since: float, term: str) -> list[str]:
        """Return a function's log lines that contain `term` and are not older than `since` (Unix seconds)."""
        pages = (
            self.client("logs")
            .get_paginator("filter_log_events")
            .paginate(
                logGroupName=f"/aws/lambda/{self.function(name)}",
                startTime=int(since * 1000),
                filterPattern=term,
            )
        )
        return [event["message"] for page in pages for event in page["events"]]

    def keys(self, key: str, day: int) -> list[str]:
        return [item.key for item in list_day(self.s3, self.tables[key], day)]

    def parts(self, key: str, day: int) -> set[str]:
        """Return the ids of a table's uncompacted objects for a day."""
        return set(list_day(self.s3, self.tables[key], day).ids(PART))

    def roles(self) -> list[str]:
        pages = self.client("iam").get_paginator("list_roles").paginate()
        names = (role["RoleName"] for page in pages for role in page["Roles"])
        return sorted(name for name in names if "pynvest" in name)

    def may(self, role: str, resource: str, *actions: str) -> list[str]:
        return may(self.client("iam"), role, resource, *actions)

    def executions(self) -> set[str]:
        pages = self.states.get_paginator("list_executions").paginate(
            stateMachineArn=self.outputs["workflow_arn"]
        )
        return {execution["executionArn"] for page in pages for execution in page["executions"]}

    def run_from_pages(self, day: int) -> dict[str, Any]:
        """Run a day from its archived pages, and return the result of the workflow that stage 1 starts."""
        before = self.executions()
        answer = self.invoke("check-and-delete-partitions", {"anomesdia_exec": day, "source": "pages"})
        assert "errorMessage" not in answer, answer
        (execution,) = self.executions() - before
        return self.end_of(execution)

    def delete(self, bucket: str, prefix: str) -> None:
        for item in self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
            self.s3.delete_object(Bucket=bucket, Key=item["Key"])

    def unregister(self, table: Table, day: int) -> None:
        self.glue.batch_delete_partition(
            DatabaseName=table.database, TableName=table.name, PartitionsToDelete=[{"Values": [str(day)]}]
        )

    def remove(self, day: int) -> None:
        """Remove a day from tables, catalog and ledger, as an administrator would."""
        for table in self.tables.values():
            self.delete(table.bucket, table.prefix(day))
            self.unregister(table, day)
        self.delete(self.lake.work_bucket, f"ledger/anomesdia_exec={day}/")

    def drained(self, day: Day) -> bool:
        """Return whether all tickers of the day have been queued and have left the queues."""
        snapshot = day.snapshot()
        return snapshot.listed and not any((*snapshot.waiting.values(), *snapshot.in_flight.values()))

    @contextmanager
    def without(self, name: str, action: str) -> Iterator[None]:
        """Remove an action from the role of a function."""
        iam, role = self.client("iam"), self.function(name)
        policy = iam.get_role_policy(RoleName=role, PolicyName="stage")["PolicyDocument"]
        less = copy.deepcopy(policy)
        for statement in less["Statement"]:
            actions = statement["Action"]
            actions = actions if isinstance(actions, list) else [actions]
            statement["Action"] = [given for given in actions if given != action] or ["none:None"]
        assert less != policy
        iam.put_role_policy(RoleName=role, PolicyName="stage", PolicyDocument=json.dumps(less))
        try:
            yield
        finally:
            iam.put_role_policy(RoleName=role, PolicyName="stage", PolicyDocument=json.dumps(policy))

    @contextmanager
    def setting(self, name: str, **variables: str) -> Iterator[None]:
        """Change environment variables of a function."""
        function = self.function(name)
        before = self.functions.get_function_configuration(FunctionName=function)["Environment"]
        self.functions.update_function_configuration(
            FunctionName=function, Environment={"Variables": {**before["Variables"], **variables}}
        )
        try:
            yield
        finally:
            self.functions.update_function_configuration(FunctionName=function, Environment=before)

    def forget_refusals(self) -> None:
        """Kill the processes of stage 3. New processes start with a closed breaker."""
        listed = subprocess.run(["ps", "-axww", "-o", "pid=,ppid=,args="], capture_output=True, text=True)
        for line in listed.stdout.splitlines():
            pid, parent, command = line.split(maxsplit=2)
            if int(parent) == self.emulator.pid and "-lambda-get-financial-data-for-" in command:
                os.kill(int(pid), signal.SIGKILL)

    def take(self, url: str) -> list[str]:
        bodies = []
        while received := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in received:
                bodies.append(message["Body"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


def until(found: Callable[[], Any], what: str, timeout_seconds: float = 60) -> Any:
    """Wait until `found` returns a true value, and return the value."""
    not_after = time.monotonic() + timeout_seconds
    while not (answer := found()):
        if time.monotonic() > not_after:
            raise TimeoutError(f"waited {timeout_seconds:.0f} s for {what}")
        time.sleep(0.1)
    return answer


def queue_arn(url: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{url.rsplit('/', 1)[1]}"


@pytest.fixture(scope="session")
def applied_faulty_lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyLake]:
    state_dir = tmp_path_factory.mktemp("faults")
    with SiteServer(make_assets(SITE_DAY, ACOES, FIIS), GHOSTS) as site:
        variables = {"fundamentus_base_url": site.base_url, **SIZES}
        local = LocalLake(state_dir, variables, shared_dir=SHARED_DIR)
        # The tests start when the lake can run a day. `terraform apply` may still run.
        with local.emulator, local.applying(Console()):
            yield FaultyLake(local, site)


def trading_weeks() -> Iterator[date]:
    """Yield the Monday of every second week. Skip weeks in which B3 does not trade on all five weekdays."""
    for weeks in itertools.count(step=2):
        monday = date(2024, 1, 1) + timedelta(weeks=weeks)
        if all(is_trading_day(number_of(monday + timedelta(days=ahead))) for ahead in range(5)):
            yield monday


_mondays = trading_weeks()


def past_day() -> int:
    """Return a day that no test has used.

    The workflow also compacts the week before a day, so the returned days are at least two weeks apart.
    """
    return number_of(next(_mondays))


@pytest.fixture
def number() -> int:
    return past_day()


@pytest.fixture
def faulty(applied_faulty_lake: FaultyLake) -> Iterator[FaultyLake]:
    """Return the lake; its site has no faults. Remove faults and messages after the test."""
    lake = applied_faulty_lake
    lake.site.clear_log()
    yield lake
    lake.site.clear_faults()
    lake.site.latency_ms = 0
    queues = (lake.lake.ticker_queues, lake.lake.dead_letter_queues, lake.lake.failure_queues)
    for url in (lake.notices_queue, *(url for urls in queues for url in urls.values())):
        lake.sqs.purge_queue(QueueUrl=url)


@pytest.fixture(scope="session")
def good_today(applied_faulty_lake: FaultyLake) -> Day:
    """Run today's day to its end, and return the day. Tests that change the day must also repair the day."""
    day = applied_faulty_lake.day()
    day.start()
    return applied_faulty_lake.finished(day)


@dataclass(frozen=True)
class FromPages:
    """Today, after three runs: a good run, a run with most pages refused, and a run from archived pages."""

    day: Day
    lacking: str
    """What the day lacked after the refusal; empty if it lacked nothing."""
    ended: dict[str, Any]
    """The execution of the workflow for the pages."""


@pytest.fixture(scope="session")
def today_from_pages(applied_faulty_lake: FaultyLake, good_today: Day) -> FromPages:
    lake, day, lacking = applied_faulty_lake, good_today, ""
    lake.site.block_after(PROBED_PAGES + 10)
    day.start(anomesdia_exec=day.number)
    day.wait()
    lake.site.clear_faults()
    lake.forget_refusals()
    try:
        lake.check(day)
    except checks.NotExact as error:
        lacking = str(error)
    return FromPages(day, lacking, lake.run_from_pages(day.number))


@pytest.fixture
def no_other_notice(faulty: FaultyLake) -> Iterator[None]:
    """After a test, check that no unread notice is left."""
    yield
    assert faulty.take_notices() == []
