from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import time_machine
from botocore.exceptions import ClientError
from pynvest.scrappers.fundamentus import REQUEST_HEADER

from b3.kind import Kind
from fundamentus_site.breaker import Breaker
from fundamentus_site.site import FundamentusSite
from get_financial_data import handler as stage
from lake_rows import sqs_event
from moto_lake import DAY, Lake, deny_putting, set_environment
from pynvest_lake import aws
from pynvest_lake.archive import ArchivedPage
from pynvest_lake.contract import SOR, SOR_ACOES
from pynvest_lake.ledger import AssetEntry, Outcome
from pynvest_lake.storage import list_day, read
from sandbox.site import GHOSTS, Fault, SiteServer, make_assets
from sandbox.site.pages import detail_page

ASSETS = make_assets(DAY, 20, 10)
STOCKS = [asset.ticker for asset in ASSETS if asset.kind == "acoes"]
TOLD = ("later_session", "layout", "failed", "refused")
"""Outcomes whose assets the result lists with reasons."""


@pytest.fixture
def site() -> Iterator[SiteServer]:
    with SiteServer(ASSETS) as site:
        yield site


@pytest.fixture
def fetch(
    lake: Lake,
    site: SiteServer,
    context: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    breaker = Breaker(60)
    monkeypatch.setattr(stage, "_breaker", lambda seconds: breaker)
    monkeypatch.setattr(stage, "sleep", lambda seconds: None)

    def run(
        *bodies: object,
        kind: str = "acoes",
        threads: int = 2,
        left: float = 60,
        receive_count: int = 1,
        keep_pages: str = "true",
    ) -> dict[str, Any]:
        set_environment(
            monkeypatch,
            lake,
            TICKER_KIND=kind,
            FUNDAMENTUS_BASE_URL=site.base_url,
            FETCH_THREADS=str(threads),
            TARGET_TABLE=lake.table_setting(SOR[Kind(kind)]),
            KEEP_PAGES=keep_pages,
        )
        context.get_remaining_time_in_millis = lambda: left * 1000
        return stage.handler(sqs_event(*bodies, receive_count=receive_count), context)

    return run


def message(ticker: str, kind: str = "acoes", day: int = DAY) -> dict[str, Any]:
    return {"ticker": ticker, "kind": kind, "anomesdia_exec": day}


def ledger_entries(lake: Lake) -> dict[str, AssetEntry]:
    """Return the ledger's entry for each asset."""
    ids = {item.id for item in list_day(lake.s3, lake.tables[SOR_ACOES], DAY)}
    assets = lake.ledger.read(DAY).assets(ids)
    return {ticker: entry for (_, ticker), entry in assets.items()}


def archived_pages(lake: Lake) -> list[ArchivedPage]:
    return [page for key in lake.archive.keys(DAY) for page in lake.archive.read(key).pages]


def landed(lake: Lake, day: int = DAY) -> list[dict[str, Any]]:
    return lake.rows(SOR_ACOES, day)


def failed(result: dict[str, Any]) -> list[int]:
    return sorted(
        int(item["itemIdentifier"].removeprefix("message-")) for item in result["batchItemFailures"]
    )


def asked(site: SiteServer) -> list[str]:
    return [request.ticker for request in site.requests if request.ticker]


def without_time(row: dict[str, Any]) -> dict[str, Any]:
    return {column: text for column, text in row.items() if not column.startswith("datetime_")}


def test_a_batch_becomes_one_object_with_every_cell_of_its_pages(
    lake: Lake, site: SiteServer, fetch: Any
) -> None:
    result = fetch(*(message(one) for one in STOCKS))

    rows = {row["nome_papel"]: without_time(row) for row in landed(lake)}
    assert result["batchItemFailures"] == []
    assert len(lake.keys(SOR_ACOES)) == 1
    assert lake.partitions(SOR_ACOES) == [str(DAY)]
    assert rows == {one: site.assets[one].expected_sor() for one in STOCKS}


def test_the_same_batch_twice_writes_the_same_object_again(lake: Lake, fetch: Any) -> None:
    batch = [message(one) for one in STOCKS[:3]]

    with time_machine.travel(datetime.now(timezone.utc), tick=False):  # the rows contain the time
        fetch(*batch)
        before = lake.keys(SOR_ACOES)
        fetch(*reversed(batch))

    assert lake.keys(SOR_ACOES) == before


def test_the_same_ticker_twice_in_a_batch_is_read_once_and_acknowledged_twice(
    lake: Lake, site: SiteServer, fetch: Any
) -> None:
    one = STOCKS[0]

    result = fetch(message(one), message(one))

    assert asked(site) == [one]
    assert len(landed(lake)) == 1
    assert failed(result) == []


def test_an_unexpected_error_affects_only_its_asset(
    lake: Lake, fetch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = STOCKS[:2]
    read_page = FundamentusSite.coleta_indicadores_de_ativo

    def stumble(self: FundamentusSite, ticker: str, **page: Any) -> Any:
        return read_page(self, ticker, **page) if ticker != bad else [][0]

    monkeypatch.setattr(FundamentusSite, "coleta_indicadores_de_ativo", stumble)

    result = fetch(message(good), message(bad))

    assert [row["nome_papel"] for row in landed(lake)] == [good]
    assert failed(result) == [1]
    assert result["failed"] == {bad: "IndexError: list index out of range"}


def test_messages_of_two_days_land_in_their_own_days(lake: Lake, fetch: Any) -> None:
    first, second = STOCKS[:2]

    fetch(message(first, day=DAY), message(second, day=DAY - 1))

    assert [row["nome_papel"] for row in landed(lake, day=DAY)] == [first]
    assert [row["nome_papel"] for row in landed(lake, day=DAY - 1)] == [second]


def test_year_columns_count_from_the_day_of_the_message_and_not_from_the_page(
    lake: Lake, site: SiteServer, fetch: Any
) -> None:
    one = STOCKS[0]
    site.assets[one] = asset = site.assets[one].with_cell("dt_ult_cot", "30/12/2025")

    fetch(message(one, day=20251230))

    assert list(map(without_time, landed(lake, day=20251230))) == [asset.expected_sor(20251230)]
    assert asset.expected_sor(20251230) != asset.expected_sor()


def test_a_repeated_message_gives_the_same_time_of_its_reading(lake: Lake, fetch: Any) -> None:
    one = message(STOCKS[0]) | {"asked_at": "2026-11-23T21:45:07Z"}

    fetch(one)
    fetch(one)

    assert {row["datetime_leitura"] for row in landed(lake)} == {"23-11-2026 18:45:07"}


def test_a_row_has_the_requested_ticker(lake: Lake, site: SiteServer, fetch: Any) -> None:
    one = STOCKS[0]
    asset = site.assets[one]
    site.assets[one] = asset.with_cell("nome_papel", one.lower())

    fetch(message(one))

    assert [row["nome_papel"] for row in landed(lake)] == [one]


def test_a_ticker_without_a_page_is_acknowledged_counted_and_named(
    lake: Lake, site: SiteServer, fetch: Any
) -> None:
    ghost, one = GHOSTS["acoes"][0], STOCKS[0]

    result = fetch(message(ghost), message(one))

    assert failed(result) == []
    assert result["no_such_paper"] == [ghost]
    assert asked(site).count(ghost) == 1
    assert len(landed(lake)) == 1


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        pytest.param(Fault("status", status=500), "failed", id="failed"),
        pytest.param(Fault("other_layout"), "layout", id="layout"),
        pytest.param(Fault("status", status=403), "refused", id="refused"),
        pytest.param(Fault("later_session"), "later_session", id="later session"),
    ],
)
def test_a_bad_ticker_does_not_affect_the_rest_of_its_batch(
    lake: Lake, site: SiteServer, fetch: Any, fault: Fault, outcome: str
) -> None:
    bad, *good = STOCKS[:4]
    site.set_fault(bad, fault)

    result = fetch(message(bad), *(message(one) for one in good))

    # A failed asset has no entry in the ledger: its message goes back to the queue.
    assert failed(result) == ([0] if outcome == "failed" else [])
    assert {name: list(result[name]) for name in TOLD} == {name: [bad] * (name == outcome) for name in TOLD}
    assert sorted(row["nome_papel"] for row in landed(lake)) == sorted(good)
    assert set(ledger_entries(lake)) == {*good, *([] if outcome == "failed" else [bad])}


def test_a_refusal_followed_by_a_page_affects_only_its_asset(
    lake: Lake, site: SiteServer, fetch: Any
) -> None:
    odd, good = STOCKS[:4], STOCKS[4:8]
    for one in odd:
        site.set_fault(one, Fault("status", status=403))

    result = fetch(*(message(one) for pair in zip(odd, good, strict=True) for one in pair), threads=1)

    assert sorted(result["refused"]) == sorted(odd)
    assert sorted(row["nome_papel"] for row in landed(lake)) == sorted(good)


def test_a_failure_at_the_last_receive_is_acknowledged_and_in_the_ledger(
    lake: Lake, site: SiteServer, fetch: Any
) -> None:
    bad = STOCKS[0]
    site.set_fault(bad, Fault("status", status=500))

    assert [failed(fetch(message(bad), receive_count=count)) for count in (2, 3)] == [[0], []]

    assert ledger_entries(lake)[bad].outcome is Outcome.FAILED
    assert "status 500" in str(ledger_entries(lake)[bad].why)
    assert lake.keys(SOR_ACOES) == []


def test_a_slow_asset_does_not_delay_the_others(lake: Lake, site: SiteServer, fetch: Any) -> None:
    slow, *others = STOCKS[:10]
    site.set_fault(slow, Fault("status", status=503, times=1, retry_after=2))

    assert failed(fetch(*(message(one) for one in (slow, *others)), threads=2)) == []

    # While `slow` waits for its retry, requests for other assets start.
    _, again = (place for place, ticker in enumerate(asked(site)) if ticker == slow)
    assert again > 4
    assert len(landed(lake)) == 10


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("status", [403, 429])
def test_a_site_that_refuses_everything_gets_at_most_24_requests_a_round(
    site: SiteServer, fetch: Any, status: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.set_fault("*", Fault("status", status=status))
    batch = [message(one) for one in STOCKS[:10]]

    for _ in range(8):  # the maximum number of concurrent functions; each process has its own breaker
        breaker = Breaker(60)
        monkeypatch.setattr(stage, "_breaker", lambda seconds, breaker=breaker: breaker)
        for half in (batch[:5], batch[5:]):
            assert len(fetch(*half, threads=threads)["refused"]) == 5

    assert len(asked(site)) <= 24


def test_a_refused_process_waits_and_reads_after_the_breaker_has_closed(
    site: SiteServer, fetch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, waits = [0.0], []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    monkeypatch.setattr("fundamentus_site.breaker.monotonic", lambda: now[0])
    breaker = Breaker(60)
    monkeypatch.setattr(stage, "_breaker", lambda seconds: breaker)
    monkeypatch.setattr(stage, "sleep", sleep)
    first, second, third = STOCKS[:3]
    breaker.refused(first, rate_limited=True)

    assert list(fetch(message(first))["refused"]) == [first]
    assert (waits, asked(site)) == ([1.5], [])
    now[0] = 59
    assert fetch(message(second))["rows"] == 1
    assert fetch(message(third))["rows"] == 1
    assert waits == [1.5, 1.5]


def test_the_breaker_cools_down_within_the_visibility_timeout(
    fetch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cool_downs = []

    def breaker_of(seconds: float) -> Breaker:
        cool_downs.append(seconds)
        return Breaker(seconds)

    monkeypatch.setattr(stage, "_breaker", breaker_of)

    fetch(message(STOCKS[0]))

    assert cool_downs == [60.0]


def test_no_more_requests_are_in_flight_than_threads(site: SiteServer, fetch: Any) -> None:
    site.latency_ms = 100

    fetch(*(message(one) for one in STOCKS), threads=3)

    assert site.most_in_flight == 3
    assert site.connections == 3


def test_messages_beyond_the_time_limit_go_back_to_the_queue_and_the_rest_is_written(
    lake: Lake, site: SiteServer, fetch: Any
) -> None:
    batch = STOCKS[:6]
    site.latency_ms = 2400
    # The function reserves a third of `left` for writing. Four seconds are enough even on a busy machine.
    left = 12.0
    started = time.monotonic()

    result = fetch(*(message(one) for one in batch), threads=1, left=left)

    rows = landed(lake)
    assert time.monotonic() - started < left
    assert 0 < len(rows) < 6
    assert len(rows) + len(failed(result)) == 6
    assert "the deadline has passed" in result["failed"][batch[5]]
    assert set(ledger_entries(lake)) == {row["nome_papel"] for row in rows}


def test_a_renamed_label_is_in_ledger_result_and_log_with_count_and_example(
    lake: Lake, site: SiteServer, fetch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    good, *renamed = STOCKS[:3]
    for one in renamed:
        site.set_fault(one, Fault("renamed_label", label="P/L"))

    result = fetch(*(message(one) for one in (good, *renamed)))

    assert (result["rows"], failed(result)) == (3, [])
    counted = {"papers": 2, "example": min(renamed)}
    assert (result["unknown_labels"], result["lacking_core_labels"]) == (
        {"P/L (novo)": counted},
        {"P/L": counted},
    )
    for entry in map(ledger_entries(lake).__getitem__, renamed):
        assert (entry.unknown_labels, entry.unknown_count) == (("P/L (novo)",), None)
        assert entry.lacking_labels == ("P/L",)
    (line,) = [record for record in caplog.records if record.message == "batch read"]
    assert (line.levelname, line.lacking_core_labels) == ("WARNING", {"P/L": counted})


def test_the_site_gets_the_headers_that_were_given(site: SiteServer, fetch: Any) -> None:
    fetch(message(STOCKS[0]))

    headers = site.requests[-1].headers
    assert headers["Accept-Language"] == "pt-BR"
    assert headers["User-Agent"] == REQUEST_HEADER["User-Agent"]


def test_malformed_messages_fail_with_their_reasons_and_do_not_stop_others(lake: Lake, fetch: Any) -> None:
    one = STOCKS[0]

    result = fetch("not json", message(one, kind="fiis"), message(one, day=20300101), message(one))

    assert failed(result) == [0, 1, 2]
    assert [row["nome_papel"] for row in landed(lake)] == [one]
    assert lake.keys(SOR_ACOES, 20300101) == []
    expected = ("JSONDecodeError", "kind is 'fiis'", "20300101 is after today")
    for reason, part in zip(result["malformed"], expected, strict=True):
        assert part in reason


def test_the_ledger_names_object_session_and_time_of_a_reading(
    lake: Lake, site: SiteServer, fetch: Any
) -> None:
    one, ghost = STOCKS[0], GHOSTS["acoes"][0]

    fetch(message(one) | {"round": 2}, message(ghost))

    (item,) = list_day(lake.s3, lake.tables[SOR_ACOES], DAY)
    (page,) = [page for page in archived_pages(lake) if page.ticker == one]
    entry = ledger_entries(lake)[one]
    session = int(f"{site.assets[one].expected_sot(DAY)['dt_ult_cot']:%Y%m%d}")
    assert (entry.outcome, entry.round, entry.object, entry.why) == (Outcome.READ, 2, item.id, None)
    assert (entry.session, entry.fetched_at) == (session, page.fetched_at)
    assert ledger_entries(lake)[ghost].outcome is Outcome.NO_SUCH_PAPER


def test_every_received_page_is_archived_unchanged(lake: Lake, site: SiteServer, fetch: Any) -> None:
    good, odd, refused = STOCKS[:3]
    site.set_fault(odd, Fault("other_layout"))
    site.set_fault(refused, Fault("status", status=403))

    fetch(*(message(one) for one in (good, odd, GHOSTS["acoes"][0])), message(refused), threads=1)

    pages = {page.ticker: page for page in archived_pages(lake)}
    assert set(pages) == {good, odd, GHOSTS["acoes"][0]}
    assert f"papel={good}" in pages[good].url
    served = requests.get(pages[good].url, timeout=5)
    assert (pages[good].body, pages[good].status) == (served.content, 200)
    assert pages[good].content_type == served.headers["Content-Type"]


def test_no_page_is_archived_if_keep_pages_is_false(lake: Lake, fetch: Any) -> None:
    fetch(message(STOCKS[0]), keep_pages="false")

    assert archived_pages(lake) == []


def test_the_batch_succeeds_if_the_archive_refuses_and_the_ledger_says_so(lake: Lake, fetch: Any) -> None:
    deny_putting("pages")
    one = STOCKS[0]

    result = fetch(message(one))

    assert (result["rows"], failed(result), archived_pages(lake)) == (1, [], [])
    ((entry, _),) = lake.ledger.read(DAY).batches
    assert entry.archived is False


@pytest.mark.parametrize("part", [SOR_ACOES, "ledger"])
def test_rows_or_a_ledger_that_cannot_be_written_fail_the_batch(fetch: Any, part: str) -> None:
    deny_putting(part)

    with pytest.raises(ClientError, match="Access Denied"):
        fetch(message(STOCKS[0]))


def places(lake: Lake) -> dict[str, dict[str, str]]:
    """Return references to the archived pages by ticker, in the form that messages use."""
    return {
        str(page.ticker): {"object": key, "fetched_at": page.fetched_at}
        for key in lake.archive.keys(DAY)
        for page in lake.archive.read(key).pages
    }


def test_an_archived_page_gives_the_same_rows_without_a_request_to_the_site(
    lake: Lake, site: SiteServer, fetch: Any
) -> None:
    batch = STOCKS[:5]
    fetch(*(message(one) for one in batch))
    (before,) = list_day(lake.s3, lake.tables[SOR_ACOES], DAY)
    rows, at = read(lake.s3, before).rows, places(lake)
    lake.s3.delete_object(Bucket=before.table.bucket, Key=before.key)
    site.clear_log()
    opened: list[str] = []
    aws.client("s3").meta.events.register(
        "before-call.s3.GetObject", lambda params, **_: opened.append(params["url_path"])
    )

    fetch(*(message(one) | {"page": at[one]} for one in batch))

    assert read(lake.s3, before).rows == rows  # datetime_exec is the page's fetch time
    assert asked(site) == []
    assert sum("/pages/" in path for path in opened) == 1
    assert len(places(lake)) == 5


def test_the_newest_readable_archived_page_of_an_asset_counts(
    lake: Lake, site: SiteServer, fetch: Any
) -> None:
    one, other = STOCKS[:2]
    own, of_other = (detail_page(site.assets[ticker]) for ticker in (one, other))
    bodies = [own, own, of_other, b"<html>Access denied</html>"]
    pages = [
        ArchivedPage(one, "acoes", "https://site", f"2026-11-23T2{hour}:00:00Z", 200, None, body)
        for hour, body in enumerate(bodies)
    ]
    key = lake.archive.put(DAY, pages)

    fetch(*(message(one) | {"page": {"object": key, "fetched_at": page.fetched_at}} for page in pages))

    (row,) = landed(lake)
    assert row["datetime_exec"] == "23-11-2026 18:00:00"  # 21:00 in UTC
    assert (ledger_entries(lake)[one].outcome, ledger_entries(lake)[one].fetched_at) == (
        Outcome.READ,
        "2026-11-23T21:00:00Z",
    )


def test_a_missing_archived_page_affects_only_its_asset(lake: Lake, fetch: Any) -> None:
    good, lost = STOCKS[:2]
    fetch(message(good))
    at = places(lake)[good]

    result = fetch(message(good) | {"page": at}, message(lost) | {"page": at}, receive_count=3)

    assert (result["rows"], failed(result)) == (1, [])
    assert f"has no page of {lost}" in result["failed"][lost]
    assert ledger_entries(lake)[lost].outcome is Outcome.FAILED
