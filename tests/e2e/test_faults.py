"""Days that go wrong, on the emulator: the tables end exact all the same.

What one function suffices for is brought about on moto, in the tests of its stage.
"""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zoneinfo import ZoneInfo

import pytest
import requests
from faulty_lake import FaultyLake, object_created, until

from sandbox.emulator import Emulator
from sandbox.site import GHOSTS, Fault

pytestmark = pytest.mark.e2e


def test_bad_tickers_alone_end_in_the_dead_letter_queue_and_a_redrive_completes_the_day(
    faulty: FaultyLake, number: int
) -> None:
    down, silent, garbled, flaky = [paper.ticker for paper in faulty.papers if paper.kind == "acoes"][:4]
    faulty.site.set_fault(down, Fault("status", status=500))
    faulty.site.set_fault(silent, Fault("hang", seconds=30))
    faulty.site.set_fault(garbled, Fault("garbage"))
    faulty.site.set_fault(flaky, Fault("status", status=503, times=2))
    malformed = ["not JSON", json.dumps({"ticker": "a b", "kind": "fiis", "anomesdia_exec": number})]
    started_at = time.time()

    day = faulty.day()
    day.start(anomesdia_exec=number)
    faulty.send("fiis", *malformed)
    day.wait()
    minutes = (time.time() - started_at) / 60
    faulty.fold(day)

    faulty.check(day, without=(down, silent, garbled))
    dead = day.failed_tickers()
    assert sorted(json.loads(body)["ticker"] for body in dead["acoes"]) == sorted([down, silent, garbled])
    assert sorted(dead["fiis"]) == sorted(malformed)
    assert minutes < 2
    reasons = " ".join(faulty.log("get-financial-data-for-fiis", started_at, "malformed"))
    assert "message is no JSON" in reasons
    assert "ticker is 'a b'" in reasons
    # What the listing names but has no page was asked for once, and is no failure.
    assert day.tickers_without_page() == sorted(ticker for kind in GHOSTS for ticker in GHOSTS[kind])
    asked = [request.ticker for request in faulty.site.requests]
    assert {asked.count(ticker) for kind in GHOSTS for ticker in GHOSTS[kind]} == {1}
    assert asked.count(flaky) > 2

    faulty.site.clear_faults()
    faulty.redrive("acoes")
    day.wait()
    faulty.fold(day)

    faulty.check(day)


def test_a_block_stops_the_requests_keeps_the_messages_and_its_end_completes_the_day(
    faulty: FaultyLake, number: int
) -> None:
    day = faulty.day()
    faulty.site.block_after(6)

    day.start(anomesdia_exec=number)
    until(lambda: any(request.status == 403 for request in faulty.site.requests), "the first refusal")
    until(lambda: sum(day.snapshot().waiting.values()) == 0, "every message to be handed out once")
    refused = [request for request in faulty.site.requests if request.status == 403]
    faulty.site.clear_faults()
    day.wait()
    faulty.fold(day)

    # Two functions, two processes of each at most, two threads in each process.
    assert len(refused) <= 8
    assert day.failed_tickers() == {"acoes": [], "fiis": []}
    faulty.check(day)


@pytest.mark.parametrize(
    ("function", "layer", "kind", "with_partition", "said"),
    [
        ("get-financial-data-for-acoes", "sor", "acoes", False, None),
        ("get-financial-data-for-acoes", "sor", "acoes", True, None),
        ("prep-financial-data-for-acoes", "sot", "acoes", False, '"objects prepared"'),
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
        day.start(anomesdia_exec=number)
        until(catalog.asked.is_set, "the function to register its partition")
        written, registered = faulty.keys(table, number), faulty.has_partition(table, number)
        killed = faulty.kill(function)
    day.wait()
    if said:  # its second attempt writes the same object; after the fold that would be a stray
        sources = [source for source, target in faulty.lake.derivations() if target == table]
        objects = sum(len(faulty.keys(source, number)) for source in sources)
        until(lambda: len(faulty.log(function, started_at, said)) >= objects, "an answer for each object")
    faulty.fold(day)

    assert written
    assert registered == with_partition
    assert killed
    faulty.check(day)


class SilentCatalog:
    """A Glue that never answers about one partition, whether it did what it was asked or not.

    Who asks can be killed there.
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


def test_stage_1_started_again_in_mid_day_and_twice_at_once_starts_the_day_clean(
    faulty: FaultyLake, number: int
) -> None:
    slow = faulty.papers[0].ticker  # keeps its batch in flight while others land
    faulty.site.set_fault(slow, Fault("hang", seconds=30, times=2))
    day = faulty.day()
    started_at = time.time()
    day.start(anomesdia_exec=number)
    until(lambda: day.snapshot().rows("sot") > 0, "the first rows")
    left = day.snapshot()

    again = [
        threading.Thread(
            target=faulty.invoke, args=("check-and-delete-partitions", {"anomesdia_exec": number})
        )
        for _ in range(2)
    ]
    for thread in again:
        thread.start()
    for thread in again:
        thread.join()
    until(lambda: len(faulty.log("get-tickers", started_at, '"tickers queued"')) == 3, "three listings")
    day.wait()
    faulty.fold(day)

    assert sum(left.waiting.values()) + sum(left.in_flight.values()) > 0
    faulty.check(day)


def test_the_workflow_waits_for_a_day_that_is_still_on_its_way(faulty: FaultyLake, number: int) -> None:
    faulty.site.latency_ms = 250
    day = faulty.day()
    started_at = time.time()
    day.start(anomesdia_exec=number)
    until(lambda: any(request.ticker for request in faulty.site.requests), "the first page to be asked for")

    faulty.fold(day)

    assert faulty.log("dedup-financial-data-for-acoes", started_at, "has to wait")
    faulty.check(day)


def test_past_its_bound_the_workflow_fails_and_says_what_is_missing(faulty: FaultyLake, number: int) -> None:
    day = faulty.day()
    day.start(anomesdia_exec=number)
    day.wait()
    lost = faulty.keys(faulty.table("sot", "fiis"), number)[0]
    faulty.s3.delete_object(Bucket=faulty.table("sot", "fiis").bucket, Key=lost)
    url = faulty.lake.ticker_queues["fiis"]
    with faulty.trigger_off("fiis"):
        faulty.send("fiis", "one", "another")
        faulty.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1, VisibilityTimeout=120)

        ended = faulty.end_of(faulty.start_workflow(anomesdia_exec=number))

        faulty.sqs.purge_queue(QueueUrl=url)
    assert (ended["status"], ended["error"]) == ("FAILED", "DayNotComplete")
    assert f"of {number} has to wait" in ended["cause"]
    assert "queue of fiis: 1 waiting, 1 in flight, 0 delayed messages" in ended["cause"]
    object_id = lost.rsplit("/", 1)[1].split(".")[0]
    sor, sot = faulty.table("sor", "fiis").name, faulty.table("sot", "fiis").name
    assert f"1 objects of {sor} are not in {sot}: {object_id}" in ended["cause"]

    faulty.reprocess(number)
    faulty.fold(day)
    faulty.check(day)


def test_a_day_of_which_nothing_arrived_fails_and_says_where_to_look(faulty: FaultyLake, number: int) -> None:
    ended = faulty.end_of(faulty.start_workflow(anomesdia_exec=number))

    assert (ended["status"], ended["error"]) == ("FAILED", "NothingArrived")
    assert f"nothing of {number} is in {faulty.table('spec').name}" in ended["cause"]


def test_an_event_that_comes_long_after_the_dedup_is_folded_by_the_next(
    faulty: FaultyLake, number: int
) -> None:
    day = faulty.day()
    day.start(anomesdia_exec=number)
    day.wait()
    faulty.fold(day)

    for kind in ("acoes", "fiis"):
        sor = faulty.table("sor", kind)
        events = [object_created(sor, key) for key in faulty.keys(sor, number)]
        for event in [*reversed(events), *events]:
            faulty.invoke(f"prep-financial-data-for-{kind}", event)
        assert faulty.parts(faulty.table("sot", kind), number) == faulty.parts(sor, number)
    faulty.fold(day)

    faulty.check(day)


def test_a_run_that_crosses_midnight_is_one_day_in_all_five_tables(faulty: FaultyLake) -> None:
    """Stage 1 decides the day; to every later stage, and to the workflow, the clock says another one."""
    now = datetime.now(ZoneInfo("America/Sao_Paulo"))
    zone = "Pacific/Kiritimati" if now.hour >= 8 else "Etc/GMT+12"  # where it is tomorrow, or still yesterday
    number, today = (int(time.strftime("%Y%m%d")) for time in (now.astimezone(ZoneInfo(zone)), now))
    day = faulty.day()
    with faulty.setting("check-and-delete-partitions", SCHEDULE_TIMEZONE=zone):
        day.start()
        day.number = number
        day.wait()
    faulty.fold(day)

    assert number != today
    faulty.check(day)
    assert not [
        table.name
        for table in faulty.lake.tables
        if faulty.keys(table, today) or faulty.has_partition(table, today)
    ]
