"""On the emulator, a day with faults ends with exact tables, and each fault leads to one notice.

Faults that need only one function are tested on moto, in the tests of each stage.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zoneinfo import ZoneInfo

import pytest
import requests
from faulty_lake import FaultyLake, object_created, until

from sandbox.emulator import Emulator
from sandbox.site import GHOSTS, Fault

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("told_no_more")]

ALL_READ = "Ativos que faltam: nenhum"


def test_bad_tickers_alone_are_missing_and_named_and_a_round_completes_the_day(
    faulty: FaultyLake, number: int
) -> None:
    down, silent, garbled, flaky = [asset.ticker for asset in faulty.assets if asset.kind == "acoes"][:4]
    faulty.site.set_fault(down, Fault("status", status=500))
    faulty.site.set_fault(silent, Fault("hang", seconds=30))
    faulty.site.set_fault(garbled, Fault("broken"))
    faulty.site.set_fault(flaky, Fault("status", status=503, times=2))
    malformed = ["not JSON", json.dumps({"ticker": "a b", "kind": "fiis", "anomesdia_exec": number})]
    started_at = time.time()

    day = faulty.day()
    day.ask(number)
    faulty.send("fiis", *malformed)
    ended = faulty.end_of(faulty.start_workflow(anomesdia_exec=number))
    day.wait()

    assert (ended["status"], ended["error"]) == ("FAILED", "DayNotGood")
    came = {down: "failed", silent: "failed", garbled: "layout"}
    missing = ", ".join(f"{ticker} ({came[ticker]})" for ticker in sorted(came))
    listed = sum(asset.kind == "acoes" for asset in faulty.assets) + len(GHOSTS["acoes"])
    assert f"De {listed} ações da listagem, 3 sem leitura: {missing}." in ended["cause"]
    told = [f"não entregou a página (2): {', '.join(sorted((down, silent)))}", f"desconhecido (1): {garbled}"]
    faulty.check_told("failure", number, *told)
    faulty.check(day, without=(down, silent, garbled))
    said = faulty.outcomes(number)
    assert [said[ticker] for ticker in (down, silent, garbled)] == ["failed", "failed", "layout"]
    # A message goes to a dead-letter queue only if no function could report that the message failed.
    dead = until(lambda: (found := day.failed_tickers())["fiis"] and found, "the malformed messages")
    assert (dead["acoes"], sorted(dead["fiis"])) == ([], sorted(malformed))
    reasons = " ".join(faulty.log("get-financial-data-for-fiis", started_at, "malformed"))
    assert "message is no JSON" in reasons
    assert "ticker is 'a b'" in reasons
    # A listed asset without a page is no failure.
    assert day.tickers_without_page() == sorted(ticker for kind in GHOSTS for ticker in GHOSTS[kind])
    assert [request.ticker for request in faulty.site.requests].count(flaky) > 2

    faulty.site.clear_faults()
    faulty.site.clear_log()
    faulty.compact(day, rounds=[0])

    faulty.check_told("digest", number, ALL_READ)
    faulty.check(day)
    assert {request.ticker for request in faulty.site.requests if request.ticker} == {down, silent, garbled}


def test_a_block_stops_the_requests_and_its_end_completes_the_day(faulty: FaultyLake, number: int) -> None:
    day = faulty.day()
    faulty.site.block_after(6)

    day.ask(number)
    until(lambda: any(request.status == 403 for request in faulty.site.requests), "the first refusal")
    day.wait()
    refused = [request for request in faulty.site.requests if request.status == 403]
    said = Counter(faulty.outcomes(number).values())
    faulty.site.clear_faults()
    faulty.forget_refusals()
    faulty.compact(day, rounds=[0])

    # Stage 3's two functions have at most two processes each. Three refused assets open a process's breaker.
    assert len(refused) <= 12
    assert said["refused"] >= len(faulty.assets) - 6
    assert day.failed_tickers() == {"acoes": [], "fiis": []}
    faulty.check_told("digest", number, ALL_READ)
    faulty.check(day)


@pytest.mark.parametrize(
    ("function", "layer", "kind", "with_partition", "said"),
    [
        ("get-financial-data-for-acoes", "sor", "acoes", False, None),
        ("specialize-financial-data", "spec", None, True, '"objects specialized"'),
    ],
)
def test_a_function_killed_after_its_object_and_before_its_answer_is_tried_again(
    faulty: FaultyLake,
    number: int,
    function: str,
    layer: str,
    kind: str | None,
    with_partition: bool,
    said: str | None,
) -> None:
    day = faulty.day()
    table = faulty.table(layer, kind)
    started_at = time.time()
    with (
        SilentCatalog(faulty.emulator, table.prefix(number), takes_effect=with_partition) as catalog,
        faulty.setting(function, AWS_ENDPOINT_URL_GLUE=catalog.url),
    ):
        day.ask(number)
        until(catalog.asked.is_set, "the function to register its partition")
        written, registered = faulty.keys(table, number), faulty.has_partition(table, number)
        killed = faulty.kill(function)
    day.wait()
    if said:  # the second attempt writes the same object, which would remain after the compaction
        sources = [source for source, target in faulty.lake.derivations() if target == table]
        objects = sum(len(faulty.keys(source, number)) for source in sources)
        until(lambda: len(faulty.log(function, started_at, said)) >= objects, "an answer for each object")
    faulty.compact(day)

    assert written
    assert registered == with_partition
    assert killed
    faulty.check_told("digest", number, ALL_READ)
    faulty.check(day)


class SilentCatalog:
    """A Glue catalog that answers no calls about one partition, but executes them if `takes_effect` is set.

    The test can kill the calling function while the function waits for the answer.
    """

    def __init__(self, emulator: Emulator, location: str, *, takes_effect: bool) -> None:
        self.asked = threading.Event()
        self._closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                silent = location.encode() in body
                if takes_effect or not silent:
                    answer = requests.post(
                        emulator.endpoint_url,
                        body,
                        headers=self.headers,
                        timeout=30,
                        verify=str(emulator.ca_bundle),
                    )
                if silent:
                    outer.asked.set()
                    outer._closing.wait()
                    return
                self.send_response(answer.status_code)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> SilentCatalog:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()


def test_stage_1_started_again_in_mid_day_and_twice_at_once_starts_the_day_clean(faulty: FaultyLake) -> None:
    slow = faulty.assets[1].ticker  # still running when other batches end; not probed
    faulty.site.set_fault(slow, Fault("hang", seconds=30, times=2))
    day = faulty.day()
    started_at = time.time()
    day.start()
    # Wait for rows of this run, because another test's rows may exist until stage 1 clears the day.
    until(
        lambda: (
            (found := day.snapshot()).rows("sot") > 0
            and sum((*found.waiting.values(), *found.in_flight.values())) > 0
        ),
        "the first rows, while other tickers are still waiting",
    )

    again = [
        threading.Thread(
            target=faulty.invoke, args=("check-and-delete-partitions", {"anomesdia_exec": day.number})
        )
        for _ in range(2)
    ]
    for thread in again:
        thread.start()
    for thread in again:
        thread.join()
    until(lambda: len(faulty.log("get-tickers", started_at, '"tickers queued"')) == 3, "three listings")
    faulty.compact(day)

    faulty.check_told("digest", day.number, ALL_READ)
    faulty.check(day)


def test_the_workflow_waits_for_a_day_that_is_still_on_its_way(faulty: FaultyLake, number: int) -> None:
    faulty.site.latency_ms = 250
    day = faulty.day()
    started_at = time.time()
    day.ask(number)
    until(lambda: any(request.ticker for request in faulty.site.requests), "the first request for a page")

    faulty.compact(day)

    assert faulty.log("assess-day", started_at, "ainda sem resposta")
    faulty.check_told("digest", number, ALL_READ)
    faulty.check(day)


def test_an_object_that_does_not_come_through_is_named_and_the_rest_is_compacted(
    faulty: FaultyLake, number: int
) -> None:
    day = faulty.day()
    day.ask(number)
    day.wait()
    table = faulty.table("sot", "fiis")
    lost = faulty.keys(table, number)[0]
    faulty.s3.delete_object(Bucket=table.bucket, Key=lost)

    with faulty.impatient():
        ended = faulty.end_of(faulty.start_workflow(anomesdia_exec=number))

    assert (ended["status"], ended["error"]) == ("FAILED", "DayNotGood")
    object_id = lost.rsplit("/", 1)[1].split(".")[0]
    said = f"objetos da SoR que não chegaram a {table.name}: 1 ({object_id})"
    assert said in ended["cause"]
    faulty.check_told("failure", number, said)
    assert faulty.parts(faulty.table("sot", "acoes"), number) == set()

    faulty.compact(day, source="sor")
    assert faulty.told() == []  # for a past day that runs again, only a failure sends a notice
    faulty.check(day)


def test_an_evening_and_a_named_day_of_which_nothing_was_asked_for_fail_and_the_day_leaves_nothing(
    faulty: FaultyLake, today: int, number: int
) -> None:
    with faulty.impatient():
        evening = faulty.end_of(faulty.start_workflow())
        faulty.check_told("failure", today, f"Não há listagem de {today}.")
        named = faulty.end_of(faulty.start_workflow(anomesdia_exec=number))

    assert (evening["status"], evening["error"]) == ("FAILED", "DayNotGood")
    assert f"Não há listagem de {today}." in evening["cause"]
    assert (named["status"], named["error"]) == ("FAILED", "DayRefused")
    ((subject, text),) = faulty.told()
    assert subject.endswith(": FALHA na etapa Look")
    assert f"{number} was never run" in text
    assert faulty.keys(faulty.lake.quality, number) == []


def test_a_run_that_crosses_midnight_is_one_day_and_an_event_that_comes_again_long_after_changes_nothing(
    faulty: FaultyLake, recent: int
) -> None:
    """Messages and keys contain the day of the run, although the stages' clocks show another day."""
    today = int(f"{datetime.now(ZoneInfo('America/Sao_Paulo')):%Y%m%d}")
    todays = {table: faulty.keys(table, today) for table in faulty.lake.tables}
    day = faulty.day()
    day.ask(recent)
    day.wait()
    faulty.compact(day)

    faulty.check_told("digest", recent, ALL_READ)
    faulty.check(day)
    assert todays == {table: faulty.keys(table, today) for table in faulty.lake.tables}

    for kind in ("acoes", "fiis"):
        sor = faulty.table("sor", kind)
        events = [object_created(sor, key) for key in faulty.keys(sor, recent)]
        before = faulty.keys(faulty.table("sot", kind), recent)
        for event in [*reversed(events), *events]:
            faulty.invoke(f"prep-financial-data-for-{kind}", event)
        assert faulty.keys(faulty.table("sot", kind), recent) == before
    faulty.check(day)
    faulty.compact(day)

    faulty.check_told("digest", recent, ALL_READ)
    faulty.check(day)
