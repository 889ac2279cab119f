from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from pynvest.scrappers.fundamentus import REQUEST_HEADER, Fundamentus

from get_financial_data import handler as stage
from get_financial_data.collect import Breaker
from lake_rows import sqs_event
from moto_lake import DAY, Lake
from pynvest_lake import aws
from pynvest_lake.contract import SOR_ACOES, SOR_FIIS
from pynvest_lake.storage import list_day, read
from sandbox.site import GHOSTS, Fault, Paper, SiteServer, make_papers

TOLD = ("later_session", "layout", "failed", "refused")
"""Outcomes of which the result names papers with reasons."""


@pytest.fixture
def site() -> Iterator[SiteServer]:
    with SiteServer(make_papers(DAY, 20, 10)) as site:
        yield site


@pytest.fixture
def hidden() -> list[dict[str, Any]]:
    """Record changes of visibility, and answer them as SQS does."""
    requests: list[dict[str, Any]] = []

    def answer(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        requests.append(json.loads(params["body"]))
        return SimpleNamespace(status_code=200), {}

    aws.client("sqs").meta.events.register("before-call.sqs.ChangeMessageVisibility", answer)
    return requests


@pytest.fixture
def fetch(
    lake: Lake,
    site: SiteServer,
    context: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    hidden: list[dict[str, Any]],
) -> Any:
    breaker = Breaker(60)
    monkeypatch.setattr(stage, "_breaker", lambda seconds: breaker)

    def run(
        *bodies: object, kind: str = "acoes", threads: int = 2, timeout: float = 5, left: float = 60
    ) -> dict[str, Any]:
        table = {"acoes": SOR_ACOES, "fiis": SOR_FIIS}[kind]
        monkeypatch.setenv("TICKER_KIND", kind)
        monkeypatch.setenv("FUNDAMENTUS_BASE_URL", site.base_url)
        monkeypatch.setenv("FETCH_HEADERS", '{"Accept-Language": "pt-BR"}')
        monkeypatch.setenv("FETCH_THREADS", str(threads))
        monkeypatch.setenv("FETCH_TIMEOUT_SECONDS", str(timeout))
        monkeypatch.setenv("TARGET_TABLE", json.dumps(vars(lake.tables[table])))
        monkeypatch.setenv("TICKERS_QUEUE_URL", lake.queue_urls[kind])
        monkeypatch.setenv("SQS_VISIBILITY_TIMEOUT_SECONDS", "60")
        context.get_remaining_time_in_millis = lambda: left * 1000
        result: dict[str, Any] = stage.handler(sqs_event(*bodies), context)
        return result

    return run


def message(ticker: str, kind: str = "acoes", day: int = DAY) -> dict[str, Any]:
    return {"ticker": ticker, "kind": kind, "anomesdia_exec": day}


def tickers(site: SiteServer, kind: str = "acoes") -> list[str]:
    return [paper.ticker for paper in site.papers.values() if paper.kind == kind]


def landed(lake: Lake, table: str = SOR_ACOES, day: int = DAY) -> list[dict[str, Any]]:
    objects = list_day(lake.s3, lake.tables[table], day)
    return [row for item in objects for row in read(lake.s3, item).rows.to_pylist()]


def failed(result: dict[str, Any]) -> list[int]:
    return sorted(
        int(item["itemIdentifier"].removeprefix("message-")) for item in result["batchItemFailures"]
    )


def asked(site: SiteServer) -> list[str]:
    return [request.ticker for request in site.requests if request.ticker]


def without_time(row: dict[str, Any]) -> dict[str, Any]:
    return {column: text for column, text in row.items() if column != "datetime_exec"}


@pytest.mark.parametrize(
    ("kind", "table", "column"), [("acoes", SOR_ACOES, "nome_papel"), ("fiis", SOR_FIIS, "fii")]
)
def test_a_batch_becomes_one_object_that_holds_every_page_cell_by_cell(
    lake: Lake, site: SiteServer, fetch: Any, kind: str, table: str, column: str
) -> None:
    result = fetch(*(message(one, kind) for one in tickers(site, kind)), kind=kind)

    papers: dict[str, Paper] = site.papers
    rows = landed(lake, table)
    assert result["batchItemFailures"] == []
    assert len(lake.keys(table)) == 1
    assert lake.partitions(table) == [str(DAY)]
    assert sorted(row[column] for row in rows) == sorted(tickers(site, kind))
    for row in rows:
        assert without_time(row) == papers[row[column]].expected_sor()


def test_the_same_batch_twice_writes_the_same_object_again(lake: Lake, site: SiteServer, fetch: Any) -> None:
    batch = [message(one) for one in tickers(site)[:3]]

    fetch(*batch)
    before = lake.keys(SOR_ACOES)
    fetch(*reversed(batch))

    assert lake.keys(SOR_ACOES) == before


def test_the_same_ticker_twice_in_a_batch_is_read_once_and_acknowledged_twice(
    lake: Lake, site: SiteServer, fetch: Any
) -> None:
    one = tickers(site)[0]

    result = fetch(message(one), message(one))

    assert asked(site) == [one]
    assert len(landed(lake)) == 1
    assert failed(result) == []


def test_an_error_that_nobody_foresaw_is_that_papers_alone(
    lake: Lake, site: SiteServer, fetch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = tickers(site)[:2]
    read_page = Fundamentus.coleta_indicadores_de_ativo

    def stumble(self: Fundamentus, ticker: str) -> Any:
        return read_page(self, ticker) if ticker != bad else [][0]

    monkeypatch.setattr(Fundamentus, "coleta_indicadores_de_ativo", stumble)

    result = fetch(message(good), message(bad))

    assert [row["nome_papel"] for row in landed(lake)] == [good]
    assert failed(result) == [1]
    assert result["failed"] == {bad: "IndexError: list index out of range"}


def test_messages_of_two_days_land_in_their_own_days(lake: Lake, site: SiteServer, fetch: Any) -> None:
    first, second = tickers(site)[:2]

    fetch(message(first, day=DAY), message(second, day=DAY + 1))

    assert [row["nome_papel"] for row in landed(lake, day=DAY)] == [first]
    assert [row["nome_papel"] for row in landed(lake, day=DAY + 1)] == [second]


def test_a_ticker_without_a_page_is_acknowledged_counted_and_named(
    lake: Lake, site: SiteServer, fetch: Any
) -> None:
    ghost, one = GHOSTS["acoes"][0], tickers(site)[0]

    result = fetch(message(ghost), message(one))

    assert failed(result) == []
    assert result["no_such_paper"] == [ghost]
    assert asked(site).count(ghost) == 1
    assert len(landed(lake)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=500),
        Fault("hang", seconds=5),
        Fault("garbage"),
        Fault("truncated"),
        Fault("broken"),
        Fault("other_layout"),
        Fault("reset"),
        Fault("drip", seconds=0.2),
    ],
    ids=lambda fault: fault.kind,
)
def test_a_bad_ticker_alone_comes_again_and_the_rest_of_its_batch_lands(
    lake: Lake, site: SiteServer, fetch: Any, fault: Fault
) -> None:
    bad, *good = tickers(site)[:4]
    site.set_fault(bad, fault)

    result = fetch(message(bad), *(message(one) for one in good), timeout=0.5)

    outcome = "layout" if fault.kind in ("garbage", "broken", "other_layout") else "failed"
    assert failed(result) == [0]
    assert {name: list(result[name]) for name in TOLD} == {name: [bad] * (name == outcome) for name in TOLD}
    assert sorted(row["nome_papel"] for row in landed(lake)) == sorted(good)


def test_a_page_of_one_ticker_that_answers_for_another_is_not_taken(
    lake: Lake, site: SiteServer, fetch: Any
) -> None:
    one, other = tickers(site)[:2]
    site.set_fault(one, Fault("other", ticker=other))

    result = fetch(message(one))

    assert failed(result) == [0]
    assert f"asked for {one} (acoes), found the page of {other!r}" in result["layout"][one]
    assert landed(lake) == []


def test_a_flaky_ticker_lands(lake: Lake, site: SiteServer, fetch: Any) -> None:
    one = tickers(site)[0]
    site.set_fault(one, Fault("status", status=503, times=2))

    assert failed(fetch(message(one))) == []
    assert len(landed(lake)) == 1


@pytest.mark.parametrize(
    "fault", [Fault("status", status=403), Fault("interstitial")], ids=lambda fault: fault.kind
)
def test_once_refused_no_more_is_asked_and_the_rest_is_handed_back(
    lake: Lake, site: SiteServer, fetch: Any, hidden: list[dict[str, Any]], fault: Fault
) -> None:
    batch = tickers(site)[:10]
    site.set_fault(batch[3], fault)

    result = fetch(*(message(one) for one in batch), threads=1)

    assert asked(site) == batch[:4]
    assert failed(result) == list(range(3, 10))
    assert sorted(row["nome_papel"] for row in landed(lake)) == sorted(batch[:3])
    assert list(result["refused"]) == batch[3:]
    assert all("was not asked for: the site refuses" in result["refused"][one] for one in batch[4:])
    # The refused one comes back later than the rest, lest it hold them up again.
    assert [(one["ReceiptHandle"], one["VisibilityTimeout"]) for one in hidden] == [("handle-3", 120)]


def test_a_refused_paper_that_the_queue_does_not_hide_fails_alone(
    lake: Lake, site: SiteServer, fetch: Any
) -> None:
    good, refused = tickers(site)[:2]
    site.set_fault(refused, Fault("status", status=403))
    beyond = {"Error": {"Code": "InvalidParameterValue", "Message": "VisibilityTimeout is beyond the limit"}}
    aws.client("sqs").meta.events.register_first(
        "before-call.sqs.ChangeMessageVisibility", lambda **_: (SimpleNamespace(status_code=400), beyond)
    )

    result = fetch(message(good), message(refused), threads=1)

    assert [row["nome_papel"] for row in landed(lake)] == [good]
    assert failed(result) == [1]


def test_a_block_after_40_pages_stops_the_requests_and_its_end_completes_the_day(
    lake: Lake, fetch: Any, site: SiteServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.papers.update({paper.ticker: paper for paper in make_papers(DAY, 60, 0)})
    batch = tickers(site)
    site.block_after(40)

    kept = failed(fetch(*(message(one) for one in batch), threads=2))

    assert len(batch) == 60
    # The other thread's request may be under way when the first is refused; none is sent after that.
    assert 41 <= len(asked(site)) <= 42
    assert len(kept) == 20

    site.block_after(None)
    monkeypatch.setattr(stage, "_breaker", lambda _: Breaker(0))  # the cool-down is over
    assert failed(fetch(*(message(batch[position]) for position in kept))) == []
    assert sorted(row["nome_papel"] for row in landed(lake)) == sorted(batch)


def test_a_process_that_was_refused_asks_nothing_until_its_cool_down_is_over(
    site: SiteServer, fetch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    cool_downs = []

    def breaker_of(seconds: float) -> Breaker:
        cool_downs.append(seconds)
        return breaker

    breaker = Breaker(cool_down_seconds=60, clock=lambda: now[0])
    monkeypatch.setattr(stage, "_breaker", breaker_of)
    batch = [message(one) for one in tickers(site)[:4]]
    site.block_after(0)
    fetch(*batch, threads=1)
    site.clear_faults()
    site.clear_log()

    now[0] = 59.0
    held_back = fetch(*batch)
    assert (asked(site), len(failed(held_back))) == ([], 4)

    now[0] = 60.0
    assert failed(fetch(*batch)) == []
    # Half the queue's visibility timeout: what was handed back is tried when it comes again.
    assert set(cool_downs) == {30.0}


def test_no_more_requests_are_in_flight_than_threads(site: SiteServer, fetch: Any) -> None:
    site.latency_ms = 20

    fetch(*(message(one) for one in tickers(site)), threads=3)

    assert site.most_in_flight == 3
    assert site.connections == 3


def test_what_the_time_does_not_suffice_for_is_handed_back_and_the_rest_lands(
    lake: Lake, site: SiteServer, fetch: Any
) -> None:
    batch = tickers(site)[:6]
    site.latency_ms = 800
    started = time.monotonic()

    result = fetch(*(message(one) for one in batch), threads=1, left=4.0)

    rows = landed(lake)
    assert time.monotonic() - started < 4.0
    assert 0 < len(rows) < 6
    assert len(rows) + len(failed(result)) == 6
    assert "the time for it was over" in result["failed"][batch[5]]


def test_a_page_of_a_later_session_is_not_stored_not_asked_for_again_and_named(
    lake: Lake, site: SiteServer, fetch: Any
) -> None:
    late, good = tickers(site)[:2]
    site.set_fault(late, Fault("later_session"))

    result = fetch(message(late), message(good))

    assert failed(result) == []
    assert list(result["later_session"]) == [late]
    assert "of 23/11/2026, found the session of 24/11/2026" in result["later_session"][late]
    assert [row["nome_papel"] for row in landed(lake)] == [good]
    assert asked(site).count(late) == 1


def test_a_renamed_label_costs_its_own_column_and_is_named_with_a_paper_and_how_many(
    lake: Lake, site: SiteServer, fetch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(stage.logger.registered_handler, "stream", log)
    batch = tickers(site)[:4]
    for label, some in (("P/L", batch[1:3]), ("EV / EBITDA", batch[3:])):
        for one in some:
            site.set_fault(one, Fault("renamed_label", label=label))

    result = fetch(*(message(one) for one in batch))

    assert result["unknown_labels"] == {
        "P/L (novo)": {"papers": 2, "example": min(batch[1:3])},
        "EV / EBITDA (novo)": {"papers": 1, "example": batch[3]},
    }
    assert result["lacking_core_labels"] == {"P/L": {"papers": 2, "example": min(batch[1:3])}}
    assert (result["rows"], failed(result)) == (4, [])
    lost = {batch[1]: "vlr_ind_p_sobre_l", batch[2]: "vlr_ind_p_sobre_l", batch[3]: "vlr_ind_ev_sobre_ebitda"}
    for row in landed(lake):
        ticker = row["nome_papel"]
        expected = site.papers[ticker].expected_sor()
        if ticker in lost:
            assert expected[lost[ticker]] is not None
            expected[lost[ticker]] = None
        assert without_time(row) == expected
    told = [json.loads(line) for line in log.getvalue().splitlines() if "batch read" in line]
    assert [(line["level"], line["lacking_core_labels"]) for line in told] == [
        ("WARNING", result["lacking_core_labels"])
    ]


def test_pages_in_utf_8_under_an_older_header_lose_nothing(lake: Lake, site: SiteServer, fetch: Any) -> None:
    site.set_fault("*", Fault("utf8_under_latin1"))

    result = fetch(*(message(one) for one in tickers(site)))

    assert (result["unknown_labels"], result["lacking_core_labels"]) == ({}, {})
    assert len(landed(lake)) == len(tickers(site))
    for row in landed(lake):
        assert without_time(row) == site.papers[row["nome_papel"]].expected_sor()


def test_the_site_gets_the_headers_that_were_given(site: SiteServer, fetch: Any) -> None:
    fetch(message(tickers(site)[0]))

    headers = site.requests[-1].headers
    assert headers["Accept-Language"] == "pt-BR"
    assert headers["User-Agent"] == REQUEST_HEADER["User-Agent"]


MALFORMED = [
    "not json",
    {"kind": "acoes", "anomesdia_exec": DAY},
    message("a b"),
    message("PETR4") | {"extra": 1},
    message("PETR4", kind="fiis"),
    message("PETR4", day=1),
]


def test_malformed_messages_fail_with_the_reason_in_the_log_and_stop_nothing(
    lake: Lake, site: SiteServer, fetch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(stage.logger.registered_handler, "stream", log)
    one = tickers(site)[0]

    result = fetch(*MALFORMED, message(one))

    assert failed(result) == list(range(len(MALFORMED)))
    assert [row["nome_papel"] for row in landed(lake)] == [one]
    for said in ("message is no JSON", "expected an object with", "ticker is 'a b'", "kind 'fiis'", "is 1,"):
        assert said in log.getvalue()


def test_a_batch_of_nothing_but_failures_names_every_one_and_writes_nothing(lake: Lake, fetch: Any) -> None:
    result = fetch(*MALFORMED)

    assert len(failed(result)) == len(MALFORMED)
    assert lake.keys(SOR_ACOES) == []


def test_an_object_that_cannot_be_written_fails_the_batch(
    lake: Lake, site: SiteServer, fetch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.s3.delete_bucket(Bucket="lake-sor")

    with pytest.raises(lake.s3.exceptions.NoSuchBucket):
        fetch(message(tickers(site)[0]))


def test_the_years_are_those_of_the_messages_day(lake: Lake, site: SiteServer, fetch: Any) -> None:
    one = next(paper for paper in site.papers.values() if paper.kind == "acoes" and paper.variety == "listed")

    fetch(message(one.ticker, day=20270104))

    row = landed(lake, day=20270104)[0]
    assert row["pct_var_ano_a0"] is None
    assert without_time(row) == one.expected_sor(20270104)
