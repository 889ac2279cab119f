"""The whole lake on moto; events come in any order or twice, and tests kill processes."""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from moto import mock_aws

from b3.days import DayRefused
from check_and_delete_partitions import handler as check_and_delete_partitions
from dedup_financial_data import handler as dedup_financial_data
from get_financial_data import handler as get_financial_data
from get_tickers import handler as get_tickers
from lake_rows import raw_s3_event, sqs_event
from moto_lake import DAY, Lake, make_lake, set_environment
from prep_financial_data import handler as prep_financial_data
from pynvest_lake import aws
from pynvest_lake.contract import KINDS, SOR, SOT, SPEC_ATIVOS
from pynvest_lake.storage import list_day, read
from sandbox.site import Fault, SampleAsset, SiteServer
from specialize_financial_data import handler as specialize_financial_data

COMPACTED = (*SOT.values(), SPEC_ATIVOS)
SCHEDULED = {"scheduled_at": "2026-11-23T21:45:00Z"}
RECEIVES = 3

Event = tuple[str, Any]
"""The name of the source, which determines the function, and the event."""


class Killed(BaseException):
    """The process was killed directly before or after an AWS call."""


class World:
    """A lake, a site, and the events that wait for a function to process them.

    Parameters
    ----------
    lake, site, context
        The lake on moto, the sample site and the Lambda context.
    monkeypatch
        Sets the functions' environments.
    clock
        The clock of the functions. Each `step` adds one second.
    """

    def __init__(
        self,
        lake: Lake,
        site: SiteServer,
        context: SimpleNamespace,
        monkeypatch: pytest.MonkeyPatch,
        clock: time_machine.Coordinates,
    ) -> None:
        self.lake, self.site, self._context, self._clock = lake, site, context, clock
        self._monkeypatch = monkeypatch
        self.pending: list[Event] = []
        self.met: Counter[str] = Counter()
        self._disturbance: tuple[int, str] | None = None
        self._calls = 0
        self._written: set[tuple[str, str]] = set()
        self._sent = False
        aws.client.cache_clear()
        aws.session.cache_clear()
        session = aws.session()
        session.register("before-call", self._before)
        session.register("after-call", self._after)
        session.register("provide-client-params.s3.PutObject", self._put)
        session.register("before-call.sqs.SendMessageBatch", self._send)
        aws.client("lambda").meta.events.register_first("before-call.lambda.Invoke", self._invoke)
        aws.client("stepfunctions").meta.events.register_first(
            "before-call.stepfunctions.StartExecution", self._start
        )
        self._started: set[str] = set()
        self._handlers: Mapping[str, Callable[[Any], Any]] = {
            "start": lambda event: self._call(check_and_delete_partitions, event),
            "tickers": lambda event: self._call(get_tickers, event),
            "messages": self._read_messages,
            "sor": lambda event: self._derive(prep_financial_data, event),
            "sot": lambda event: self._derive(specialize_financial_data, event),
            "workflow": self._run_workflow,
        }
        monkeypatch.setattr(get_financial_data, "sleep", lambda seconds: None)
        self.new_process()

    def new_process(self) -> None:
        """Clear the state that a process keeps between invocations."""
        get_financial_data._breaker.cache_clear()

    def _call(self, stage: Any, event: Any, **variables: str) -> Any:
        set_environment(
            self._monkeypatch,
            self.lake,
            FUNDAMENTUS_BASE_URL=self.site.base_url,
            QUEUE_PATIENCE_SECONDS="180",
            **variables,
        )
        return stage.handler(event, self._context)

    def _read_messages(self, event: tuple[str, list[Any], int]) -> None:
        kind, bodies, received = event
        said = self._call(
            get_financial_data,
            sqs_event(*bodies, receive_count=received),
            TICKER_KIND=kind,
            TARGET_TABLE=self.lake.table_setting(SOR[kind]),
        )
        again = [int(one["itemIdentifier"].rpartition("-")[2]) for one in said["batchItemFailures"]]
        if again and received < RECEIVES:
            self.pending.append(("messages", (kind, [bodies[position] for position in again], received + 1)))

    def _derive(self, stage: Any, event: tuple[str, str]) -> None:
        bucket, key = event
        kind = KINDS[key.partition("/")[0]]
        of_sor = stage is prep_financial_data
        self._call(
            stage,
            raw_s3_event((bucket, key)),
            TICKER_KIND=kind,
            SOURCE_TABLES=self.lake.setting(*([SOR[kind]] if of_sor else SOT.values())),
            TARGET_TABLE=self.lake.table_setting(SOT[kind] if of_sor else SPEC_ATIVOS),
        )

    def _run_workflow(self, event: Mapping[str, Any]) -> None:
        """Run the next step of one execution; the other executions wait."""
        given, steps = event["input"], list(event["steps"])
        step = steps.pop(0)
        if steps:
            self.pending.append(("workflow", {"input": given, "steps": steps}))
        if step == "pages":
            self._call(get_tickers, {"anomesdia_exec": DAY, "source": "pages"})
            return
        sources = SOT.values() if step == SPEC_ATIVOS else [SOR[KINDS[step]]]
        self._call(
            dedup_financial_data,
            {"input": given, "started_at": "2026-11-23T22:00:00Z"},
            TABLE=self.lake.table_setting(step),
            SOURCE_TABLES=self.lake.setting(*sources),
            DOWNSTREAM_TABLES=self.lake.setting(*([] if step == SPEC_ATIVOS else [SPEC_ATIVOS])),
        )

    def execution(self, **given: Any) -> Event:
        given = {"anomesdia_exec": DAY, **given}
        steps = [*(["pages"] if given.get("source") == "pages" else []), *COMPACTED]
        return "workflow", {"input": given, "steps": steps}

    def _invoke(self, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        body = json.loads(params["body"])
        if body == {"probe": True}:
            said = self._call(get_tickers, body)
            return SimpleNamespace(status_code=200), {"Payload": io.BytesIO(json.dumps(said).encode())}
        self.pending.append(("tickers", body))
        return SimpleNamespace(status_code=202), {"StatusCode": 202}

    def _start(self, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        self.pending.append(self.execution(**json.loads(json.loads(params["body"])["input"])))
        return SimpleNamespace(status_code=200), {"executionArn": "arn", "startDate": 0}

    def disturb(self, call: int, how: str) -> None:
        """Disturb one AWS call of the next step.

        Parameters
        ----------
        call
            The position of the AWS call in the step. The first call is 1.
        how
            ``before`` or ``after`` kills the process before or after the call. ``meanwhile`` runs another
            function before the call.
        """
        self._calls, self._disturbance = 0, (call, how)

    def _before(self, **_: Any) -> None:
        self._calls += 1
        self._die("before")
        if self._disturbance == (self._calls, "meanwhile"):
            self._disturbance = None
            if self.pending:
                self.met["meanwhile"] += 1
                with suppress(DayRefused):
                    self.step()

    def _put(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["object"] = (params["Bucket"], params["Key"])

    def _send(self, **_: Any) -> None:
        self._sent = True

    def _after(self, http_response: Any, context: dict[str, Any], **_: Any) -> None:
        if "object" in context and http_response.status_code == 200:
            self._written.add(context["object"])
        self._die("after")

    def _die(self, when: str) -> None:
        if self._disturbance == (self._calls, when):
            self._disturbance = None
            raise Killed

    def step(self, position: int = 0) -> None:
        """Pass one waiting event to its function; deliver the event again if the process is killed."""
        name, event = self.pending.pop(position)
        self.met[name] += 1
        outer, self._written = self._written, set()
        try:
            self._handlers[name](event)
        except Killed:
            self.met["killed"] += 1
            self.pending.append((name, event))
        finally:
            self._disturbance = None
            written, self._written = self._written, outer
        sources = {"lake-sor": "sor", "lake-sot": "sot"}
        for bucket, key in sorted(written):
            if bucket in sources and key.endswith(".part.parquet"):
                self.pending.append((sources[bucket], (bucket, key)))
        self._clock.shift(1)

    def receive(self) -> None:
        """Receive all messages of the queues, in batches."""
        if not self._sent:
            return
        self._sent = False
        for kind in self.lake.queue_urls:
            bodies = self.lake.messages(kind)
            batches = [bodies[start : start + 3] for start in range(0, len(bodies), 3)]
            self.pending += [("messages", (kind, batch, 1)) for batch in batches]

    def drain(self) -> None:
        """Deliver all waiting events in order, until no event is left."""
        while self.receive() or self.pending:
            with suppress(DayRefused):  # for example, a day whose archive has no pages yet
                self.step()

    def refuse(self) -> None:
        """Let the site refuse all requests."""
        for target in ("/resultado.php", "/fii_resultado.php", *self.site.assets):
            self.site.set_fault(target, Fault("status", status=403))

    def rows(self, table: str) -> dict[str, dict[str, Any]]:
        """Return the rows of a table by ticker; a duplicate ticker is an error."""
        column = "codigo_ticker_ativo" if table == SPEC_ATIVOS else KINDS[table].ticker_column
        rows = self.lake.rows(table)
        by_ticker = {row[column]: row for row in rows}
        assert len(by_ticker) == len(rows), f"{table} has tickers twice"
        return by_ticker

    def contents(self, table: str) -> Iterator[Any]:
        """Yield the rows of every object of a table."""
        for item in list_day(self.lake.s3, self.lake.tables[table], DAY):
            yield read(self.lake.s3, item).rows


@contextmanager
def make_world(
    assets: Sequence[SampleAsset],
    context: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    *,
    tick: bool = True,
) -> Iterator[World]:
    """Yield an empty lake and a site with `assets`. The time is five seconds after the scheduled start."""
    with (
        time_machine.travel(datetime(2026, 11, 23, 21, 45, 5, tzinfo=timezone.utc), tick=tick) as clock,
        mock_aws(),
        SiteServer(assets) as site,
    ):
        yield World(make_lake(), site, context, monkeypatch, clock)


def random_evening(world: World, rng: random.Random, steps: int) -> None:
    tickers = sorted(world.site.assets)
    extra: list[tuple[str, Callable[[], None]]] = [
        ("scheduled", lambda: world.pending.append(("start", SCHEDULED))),
        ("person", lambda: world.pending.append(("start", {}))),
        ("partial", lambda: world.pending.append(("start", {"tickers": [rng.choice(tickers)]}))),
        ("pages", lambda: world.pending.append(("start", {"anomesdia_exec": DAY, "source": "pages"}))),
        ("from sor", lambda: world.pending.append(world.execution(source="sor"))),
        ("execution", lambda: world.pending.append(world.execution())),
        ("round", lambda: world.pending.append(("tickers", {"anomesdia_exec": DAY, "only_missing": True}))),
        ("refusal", world.refuse),
        ("end of refusal", world.site.clear_faults),
        ("new price", lambda: move_price(world.site, rng)),
        ("new process", world.new_process),
        ("duplicate", lambda: world.pending.append(rng.choice(world.pending)) if world.pending else None),
    ]
    world.pending.append(("start", SCHEDULED))
    for _ in range(steps):
        if rng.random() < 0.25:
            name, action = rng.choice(extra)
            world.met[name] += 1
            action()
        if rng.random() < 0.8:
            world.receive()
        if world.pending:
            if rng.random() < 0.4:
                rng.shuffle(world.pending)
                world.disturb(rng.randint(1, 12), rng.choice(["before", "after", "meanwhile", "meanwhile"]))
            with suppress(DayRefused):
                world.step(rng.randrange(len(world.pending)))


def move_price(site: SiteServer, rng: random.Random) -> None:
    """Change the price that the site shows for one asset."""
    ticker = rng.choice(sorted(site.assets))
    price = f"{rng.randint(1, 99)},{rng.randint(10, 99)}"
    site.assets[ticker] = site.assets[ticker].with_cell("vlr_cot", price)


def calm_down(world: World) -> None:
    """Remove all faults, deliver all events, start rounds for missing assets, and run the workflow."""
    world.site.clear_faults()
    world.new_process()
    world.drain()
    for _ in range(3):
        world._clock.shift(200)
        world.pending.append(("tickers", {"anomesdia_exec": DAY, "only_missing": True}))
        world.drain()
    world.pending.append(world.execution())
    world.drain()
