"""The commands of the local run: run a day, keep its lake running, query this lake, and end this lake."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from b3.days import day_at
from report.athena import Athena, QueryFailed
from report.snapshot import take_snapshot
from sandbox import SandboxError, answers, checks, emulator
from sandbox.console import Console
from sandbox.day import Day
from sandbox.emulator import Emulator
from sandbox.lake import Lake
from sandbox.process import (
    LOOPBACK,
    BackgroundProcess,
    accepts_connections,
    free_port,
    runs_module,
    stop_group,
)
from sandbox.query import (
    ask_by_name,
    explained,
    read_sql,
    reading_statement,
    show,
    show_catalog,
)
from sandbox.site.trial import EARLIER_DAYS, trial_assets
from sandbox.terraform import Creation, Terraform, TerraformFailed, provider_env

ROOT = Path(__file__).resolve().parents[1] / "examples" / "local"
LIVE_SITE = "https://www.fundamentus.com.br"
SITE_MODULE = "sandbox.site"
REACHED_WITHIN_SECONDS = 20.0
UP_FILE = "up.json"
LOCK_FILE = "lock"
PAGE = "report.html"


class AlreadyRunning(SandboxError):
    """Another ``run`` or ``up`` has not ended, or the emulator of an earlier ``up`` is still running."""


class NotRunning(SandboxError):
    """There is no lake to query; the message gives the reason."""


class SiteNotReached(SandboxError):
    """The run needs the real site, but this machine cannot reach the site."""


@dataclass(frozen=True)
class Source:
    """The site that serves a day's pages, and the tickers to request.

    The site is the real site if `live`, otherwise the sample site. Empty `tickers` mean all assets.
    """

    live: bool = False
    tickers: tuple[str, ...] = ()


class LocalLake:
    """The module, applied to a separate emulator.

    Parameters
    ----------
    state_dir
        Directory for all files of this lake.
    variables
        Input variables of ``examples/local``; at least ``fundamentus_base_url``, the site's address.
    shared_dir
        Directory for Terraform's configuration and downloaded providers; several lakes may share it.
    outlives_us
        Whether the emulator keeps running if this process ends without stopping the emulator.

    Attributes
    ----------
    emulator : Emulator
    terraform : Terraform
        The applied root module.
    lake : Lake
        The applied lake.
    """

    terraform: Terraform
    lake: Lake

    def __init__(
        self,
        state_dir: Path,
        variables: Mapping[str, Any],
        *,
        shared_dir: Path,
        outlives_us: bool = False,
    ) -> None:
        self.variables = variables
        self.emulator = Emulator(state_dir / "emulator", outlives_us=outlives_us)
        self._terraform_dir = state_dir / "terraform"
        self._shared_dir = shared_dir

    def __enter__(self) -> LocalLake:
        self.emulator.start()
        try:
            with self.applying(Console()):
                pass
        except BaseException:
            self.emulator.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.emulator.stop()

    @contextmanager
    def applying(self, console: Console) -> Iterator[None]:
        """Apply the module to the emulator, and enter the ``with`` block when all resources can be used.

        `console` shows the progress of the apply. Terraform can still be running during the ``with`` block.
        At the end of the block, wait until Terraform ends, and raise an exception if Terraform failed. If the
        block fails, stop Terraform.
        """
        shutil.rmtree(self._terraform_dir, ignore_errors=True)
        env = {**self.emulator.env(), **provider_env(self._shared_dir)}
        self.terraform = Terraform(ROOT, self._terraform_dir, env)
        self.terraform.run("init")
        creation = Creation()
        with ThreadPoolExecutor(1) as background:
            try:
                applied = background.submit(self.terraform.apply, self.variables, creation)
                while not applied.done() and (not creation.created or creation.unusable()):
                    if creation.created:
                        console.progress(f"{len(creation.created)} resources, last {creation.created[-1]}")
                    time.sleep(0.1)
                self.lake = self._applied_lake(applied)
                console.settle()
                yield
                applied.result()
            except BaseException:
                self.terraform.stop()
                raise

    def _applied_lake(self, applied: Future[None]) -> Lake:
        """Wait until Terraform has written all outputs, and return the lake."""
        while not applied.done():
            # Terraform may be writing its state now, or some outputs may be missing.
            with suppress(TerraformFailed, KeyError):
                return Lake.from_outputs(self.terraform.outputs())
            time.sleep(0.2)
        applied.result()
        return Lake.from_outputs(self.terraform.outputs())

    def day(self, console: Console) -> Day:
        """Return a `Day` of this lake; the `Day` shows its progress on `console`."""
        return Day(self.lake, self.emulator.client, console.progress)


def run(state_dir: Path, source: Source, console: Console) -> None:
    """Run one whole day, print its results, and end all processes.

    Raises
    ------
    AlreadyRunning
        Another ``run`` or ``up`` in this folder has not ended.
    SiteNotReached
        The run needs the real site, but this machine cannot reach the site.
    """
    with _locked(state_dir, "run"), ExitStack() as running:
        _run_day(state_dir, "run", source, console, running)


def up(state_dir: Path, source: Source, console: Console) -> None:
    """Run one whole day, and keep the emulator and the site running for queries.

    Raises
    ------
    AlreadyRunning
        Another ``run`` or ``up`` has not ended, or the emulator of an earlier ``up`` is still running.
    SiteNotReached
        The run needs the real site, but this machine cannot reach the site.
    """
    with _locked(state_dir, "up"), ExitStack() as running:
        record = _read_up_file(state_dir)
        processes = _running_processes(record)
        if emulator.MODULE in processes:
            raise AlreadyRunning(
                "The lake of `make up` is running: query it with `make query`, or end it with `make down`."
            )
        if record:
            console.say("The emulator of an earlier `make up` has ended: its data is removed.")
            for pid in processes.values():
                stop_group(pid)
        day, running_emulator = _run_day(state_dir, "up", source, console, running)
        running.pop_all()
    console.say(f"\nThe emulator keeps running (key and secret: {emulator.ROOT_KEY}):")
    console.say(f"  AWS_ENDPOINT_URL={running_emulator.endpoint_url}")
    console.say(f"  AWS_CA_BUNDLE={running_emulator.ca_bundle}")
    console.say(f"Open the report:    {(state_dir / 'up' / PAGE).resolve()}")
    console.say("Run a saved query:  make query QUERY=formula-magica   (make query lists the names)")
    console.say(f'Run your own SQL:   make query SQL="{answers.example_query(day)}"')
    console.say("End it:             make down")


def query(
    state_dir: Path,
    console: Console,
    *,
    name: str = "",
    ticker: str = "",
    sql: str = "",
    form: str = "table",
) -> None:
    """Query the lake that ``up`` left running; without `name` and `sql`, list the saved queries.

    Parameters
    ----------
    state_dir
        The directory that ``up`` used.
    console
        Prints the tables.
    name
        Name of a query that is saved in the workgroup.
    ticker
        The ticker, if the saved query is about one asset.
    sql
        The user's own query: SQL, ``@file`` or ``-``.
    form
        Format of the answer, one of :data:`sandbox.query.FORMATS`.

    Raises
    ------
    NotRunning
        No lake is running, or the lake is not ready yet.
    QueryRefused
        The query cannot be read, sent or shown.
    QueryFailed
        The query fails, or no query is saved as `name`. For an unknown name, the message suggests similar
        names.
    """
    workgroup, client = _running_lake(state_dir)
    athena = Athena(client("athena"), workgroup)
    if name:
        answer = ask_by_name(athena, name, ticker)
    elif sql:
        statement = reading_statement(read_sql(sql))
        try:
            answer = athena.ask(statement)
        except QueryFailed as failure:
            raise QueryFailed(explained(failure, statement, client("glue"))) from failure
    else:
        answers.show_names(athena, console)
        return
    show(answer, form, console)


def tables(state_dir: Path, console: Console) -> None:
    """Print the tables and views, and their columns, for the lake that ``up`` left running.

    Raises
    ------
    NotRunning
        No lake is running, or the lake is not ready yet.
    """
    _, client = _running_lake(state_dir)
    with console.paged():
        show_catalog(client("glue"), console)


def _running_lake(state_dir: Path) -> tuple[str, Callable[[str], Any]]:
    """Return the workgroup of the lake that ``up`` left running, and a function that makes service clients.

    Raises
    ------
    NotRunning
        No lake is running, or the lake is not ready yet.
    """
    record = _read_up_file(state_dir)
    if not record:
        raise NotRunning("No lake is running: run `make up` first.")
    if emulator.MODULE not in _running_processes(record):
        raise NotRunning("The emulator that `make up` left running has ended: run `make up` again.")
    if "workgroup" not in record:
        raise NotRunning("The lake is not ready yet: query it when `make up` has ended.")
    client = partial(emulator.client, record["endpoint_url"], Path(record["ca_bundle"]))
    return record["workgroup"], client


def down(state_dir: Path, console: Console) -> None:
    """End the processes that ``up`` left running, and remove their data."""
    record = _read_up_file(state_dir)
    running = _running_processes(record)
    for module, pid in running.items():
        stop_group(pid)
        console.say(f"Ended {module}.")
    if not record:
        console.say("No lake is running.")
    elif emulator.MODULE not in running:
        console.say("The emulator had ended already; its data is removed.")
    shutil.rmtree(state_dir / "up", ignore_errors=True)


def _run_day(
    state_dir: Path, name: str, source: Source, console: Console, running: ExitStack
) -> tuple[Day, Emulator]:
    """Run one day in the folder `name` and print its results.

    Returns
    -------
    tuple of Day and Emulator
        The day and its emulator. Closing `running` ends the emulator and the site. If this process is killed
        during ``up``, the emulator and the site continue until the command ``down``.
    """
    if source.live:
        check_reached(LIVE_SITE)
    own_dir, outlives_us = state_dir / name, name == "up"
    shutil.rmtree(own_dir, ignore_errors=True)
    variables: dict[str, Any] = {"fundamentus_base_url": LIVE_SITE, "fetch_threads": 1}
    processes: list[dict[str, Any]] = []
    number = day_at(datetime.now(timezone.utc))
    if not source.live:
        port = free_port()
        arguments = (f"--day={number}", f"--port={port}")
        log_path = own_dir / "site.log"
        site = BackgroundProcess(SITE_MODULE, *arguments, log_path=log_path, outlives_us=outlives_us)
        running.callback(site.stop)
        site.wait_until(lambda: accepts_connections(port))
        variables = {"fundamentus_base_url": f"http://{LOOPBACK}:{port}"}
        processes.append({"module": SITE_MODULE, "pid": site.pid})
    local = LocalLake(own_dir, variables, shared_dir=state_dir, outlives_us=outlives_us)
    running.callback(local.emulator.stop)
    local.emulator.start()
    processes.append({"module": emulator.MODULE, "pid": local.emulator.pid})
    endpoint_url, ca_bundle = local.emulator.endpoint_url, str(local.emulator.ca_bundle)
    record = {"endpoint_url": endpoint_url, "ca_bundle": ca_bundle, "processes": processes}
    (own_dir / UP_FILE).write_text(json.dumps(record))

    console.say(f"Applying examples/local to the AWS emulator at {endpoint_url}")
    with local.applying(console):
        (own_dir / UP_FILE).write_text(json.dumps({**record, "workgroup": local.lake.workgroup}))
        if not source.live:
            # Import `sandbox.history` here: it imports the stages' modules, which no other command needs.
            from sandbox.history import write_history

            write_history(number, local.lake, local.emulator.client)
            console.say(f"The lake has {EARLIER_DAYS} earlier trading days")
        console.say(f"Running the day, with pages from {variables['fundamentus_base_url']}")
        day = _show_day(local, number, source, own_dir, console)
        console.progress("waiting until Terraform finds all resources ready")
    console.settle()
    return day, local.emulator


def _show_day(local: LocalLake, number: int, source: Source, own_dir: Path, console: Console) -> Day:
    """Run the day `number` and print its results."""
    day = local.day(console)
    day.start(**({"tickers": list(source.tickers)} if source.tickers else {}))
    day.wait()
    result = day.run_workflow()
    console.settle()

    answers.show_tables(day, console)
    answers.show_failures(day, console)
    answers.show_stages(day, console)
    answers.show_notice(result["notice"], console)
    athena = Athena(local.emulator.client("athena"), day.lake.workgroup)
    answers.show_answers(athena, console)
    # Import `report.html_page` here: only this command needs altair, and its import takes a second of CPU.
    from report.html_page import page

    (own_dir / PAGE).write_text(page(take_snapshot(athena, local.emulator.client("s3"))), encoding="utf-8")
    console.say(f"\nThe report of the day, for a browser: {(own_dir / PAGE).resolve()}")
    if source.tickers:
        checks.check_tickers(day, source.tickers)
    if source.live:
        console.say("\nEvery requested ticker is in every layer, except the tickers named above.")
    else:
        assets = trial_assets(number)
        wanted = set(source.tickers) or {asset.ticker for asset in assets}
        checks.check_assets(
            day, [asset for asset in assets if asset.ticker in wanted], local.emulator.client("glue")
        )
        console.say("\nThe lake is exact: every cell of its five tables equals the site's value.")
    return day


def check_reached(url: str) -> None:
    """Check that this machine can open a connection to the server of `url`.

    Raises
    ------
    SiteNotReached
        The machine cannot open a connection within `REACHED_WITHIN_SECONDS`.
    """
    address = urlsplit(url)
    try:
        socket.create_connection((address.hostname, address.port or 443), REACHED_WITHIN_SECONDS).close()
    except OSError as error:
        raise SiteNotReached(f"The site {url} cannot be reached from here: {error}") from error


@contextmanager
def _locked(state_dir: Path, command: str) -> Iterator[None]:
    """Lock the folder while one day runs; the lock is always released when the process ends."""
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / LOCK_FILE).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise AlreadyRunning(
                f"{lock.read()} runs in this checkout: wait until it ends, or interrupt it."
            ) from error
        lock.truncate(0)
        lock.write(f"`make {command}` (process {os.getpid()})")
        lock.flush()
        yield


def _read_up_file(state_dir: Path) -> dict[str, Any]:
    """Return the processes and the lake that the last ``up`` recorded; without a record, an empty dict."""
    up_file = state_dir / "up" / UP_FILE
    record: dict[str, Any] = json.loads(up_file.read_text()) if up_file.exists() else {}
    return record


def _running_processes(record: Mapping[str, Any]) -> dict[str, int]:
    """Return module and process id of each recorded process that is still running."""
    processes = {process["module"]: process["pid"] for process in record.get("processes", [])}
    return {module: pid for module, pid in processes.items() if runs_module(pid, module)}
