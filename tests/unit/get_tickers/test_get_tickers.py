from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import time_machine

from b3.kind import Kind
from fundamentus_site.site import FundamentusSite
from get_tickers import handler as stage
from get_tickers import rounds
from get_tickers.listings import NoListing, from_site
from get_tickers.tickers import TickersNotSent, send_tickers
from lake_rows import put_part
from moto_lake import DAY, WORK_BUCKET, Lake, deny_putting, set_environment
from pynvest_lake import aws
from pynvest_lake.archive import ArchivedPage
from pynvest_lake.contract import SOR
from pynvest_lake.ledger import AssetEntry, BatchEntry, Listing, Outcome
from pynvest_lake.messages import TickerMessage
from sandbox.site import GHOSTS, Fault, SiteServer, make_assets

PAST = 20261120
ASSETS = make_assets(DAY, 23, 12)
LISTED = {
    kind: sorted([*(asset.ticker for asset in ASSETS if asset.kind == kind), *GHOSTS[kind]]) for kind in Kind
}
STOCKS, FUNDS = LISTED.values()


@pytest.fixture
def site() -> Iterator[SiteServer]:
    with SiteServer(ASSETS) as site:
        yield site


@pytest.fixture
def queue(lake: Lake, site: SiteServer, context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(event: dict[str, Any], fetch_from: str = "site") -> dict[str, Any]:
        set_environment(monkeypatch, lake, FUNDAMENTUS_BASE_URL=site.base_url, FETCH_FROM=fetch_from)
        monkeypatch.setattr(rounds, "PATIENCE_SECONDS", 0.0)
        return stage.handler(event, context)

    return run


FORBIDDEN = Fault("status", status=403)


def queued(lake: Lake, kind: str = "acoes") -> list[str]:
    """Receive all messages of a queue, and return their tickers in order."""
    return sorted(message["ticker"] for message in lake.messages(kind))


def test_every_listed_ticker_is_queued_once_with_kind_and_day(lake: Lake, queue: Any) -> None:
    before = datetime.now(timezone.utc).replace(microsecond=0)
    result = queue({"anomesdia_exec": DAY})

    for kind, tickers in LISTED.items():
        messages = sorted(lake.messages(kind), key=lambda message: message["ticker"])
        (asked_at,) = {message.pop("asked_at") for message in messages}
        assert before <= datetime.fromisoformat(asked_at) <= datetime.now(timezone.utc)
        asked = {"kind": kind, "anomesdia_exec": DAY, "round": 0}
        assert messages == [{"ticker": one, **asked} for one in tickers]
        assert result[kind] == len(tickers)


def test_the_site_gets_the_headers_that_were_given(site: SiteServer, queue: Any) -> None:
    queue({"anomesdia_exec": DAY})

    assert [request.headers["Accept-Language"] for request in site.requests] == ["pt-BR", "pt-BR"]


def test_listing_rows_without_an_asset_are_skipped_and_named(
    lake: Lake, site: SiteServer, queue: Any
) -> None:
    site.ghosts = {"acoes": ("Suspensa",), "fiis": ()}

    result = queue({"anomesdia_exec": DAY})

    assert len(lake.messages("acoes")) == result["acoes"] == 23
    (told,) = result["unreadable_rows"]["acoes"]
    assert "has ['Suspensa', '0,00'" in told
    assert result["unreadable_rows"]["fiis"] == []
    assert lake.ledger.listing(DAY).unreadable == {Kind.ACOES: 1, Kind.FIIS: 0}


def test_a_partial_run_and_its_round_have_only_the_given_tickers(lake: Lake, queue: Any) -> None:
    stock, fund = STOCKS[0], FUNDS[0]

    result = queue({"anomesdia_exec": DAY, "tickers": [stock, fund, "NONE99"]})

    assert (queued(lake), queued(lake, "fiis"), result["not_listed"]) == ([stock], [fund], ["NONE99"])
    answer(lake, Kind.ACOES, Outcome.REFUSED, stock)
    answer(lake, Kind.FIIS, Outcome.READ, fund)
    queue({"anomesdia_exec": DAY, "only_missing": True})
    assert (queued(lake), queued(lake, "fiis")) == ([stock], [])
    listing = lake.ledger.listing(DAY)
    assert (listing.is_partial, [*listing]) == (True, [(Kind.ACOES, stock), (Kind.FIIS, fund)])


def answer(lake: Lake, kind: Kind, outcome: Outcome, *tickers: str, session: int | None = None) -> None:
    """Write an outcome into the ledger, as stage 3 does; for ``read``, also put an object into SoR."""
    item = put_part(lake, SOR[kind], tickers) if outcome is Outcome.READ else None
    entry = AssetEntry(outcome, object=item.id if item else None, session=session)
    lake.ledger.write_batch(DAY, BatchEntry(kind, dict.fromkeys(tickers, entry)))


def test_the_listings_are_archived_unchanged(lake: Lake, queue: Any) -> None:
    queue({"anomesdia_exec": DAY})

    (key,) = lake.archive.keys(DAY)
    pages = lake.archive.read(key).pages
    assert [(page.ticker, page.kind) for page in pages] == [(None, "acoes"), (None, "fiis")]
    assert [page.body for page in pages] == [requests.get(page.url, timeout=5).content for page in pages]


def refuse_listings(site: SiteServer, fault: Fault | None = FORBIDDEN) -> None:
    for listing in ("/resultado.php", "/fii_resultado.php"):
        site.set_fault(listing, fault)


@pytest.mark.parametrize("fault", [Fault("unrecognizable"), Fault("status", status=403)])
def test_a_failed_listing_affects_only_its_kind_and_a_round_requests_it(
    lake: Lake, site: SiteServer, queue: Any, fault: Fault
) -> None:
    site.set_fault("/fii_resultado.php", fault)

    result = queue({"anomesdia_exec": DAY})

    assert (result["acoes"], result["fiis"]) == (len(STOCKS), 0)
    assert [problem.partition(": ")[0] for problem in result["problems"]] == ["no listing of fiis"]
    site.clear_faults()
    answer(lake, Kind.ACOES, Outcome.READ, *queued(lake))
    queue({"anomesdia_exec": DAY, "only_missing": True})
    assert (queued(lake), queued(lake, "fiis")) == ([], FUNDS)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault("unrecognizable"), "failed: "),
        (Fault("error_page"), "refused: "),
        (Fault("status", status=500), "failed: "),
    ],
)
def test_without_a_listing_nothing_is_queued_and_the_ledger_has_the_reason(
    lake: Lake, site: SiteServer, queue: Any, fault: Fault, why: str
) -> None:
    refuse_listings(site, fault)

    result = queue({"anomesdia_exec": DAY})

    written = lake.ledger.read(DAY)
    assert result["no_listing"].startswith(why)
    assert (written.listing, [one.reason for one in written.rounds]) == (None, [result["no_listing"]])
    assert lake.messages("acoes") == []


def test_a_site_that_is_down_is_retried_for_a_while_and_a_refusal_is_not(
    site: SiteServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    def read() -> None:
        reader = FundamentusSite(site.base_url, attempts=1)
        with pytest.raises(NoListing):
            from_site(reader, 240.0, not_after=time.monotonic() + 60)

    monkeypatch.setattr("get_tickers.listings.sleep", sleep)
    monkeypatch.setattr("get_tickers.listings.monotonic", lambda: now[0])
    refuse_listings(site, Fault("status", status=500))
    read()
    assert 180 < now[0] < 240
    assert len(site.requests) == 2 * 7
    site.clear_log()
    now[0] = 0.0
    refuse_listings(site)
    read()
    assert (now[0], len(site.requests)) == (0.0, 2)


def test_a_short_time_limit_leaves_time_for_the_listings_and_limits_the_retries(
    lake: Lake, site: SiteServer, context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    context.get_remaining_time_in_millis = lambda: 6_000
    set_environment(monkeypatch, lake, FUNDAMENTUS_BASE_URL=site.base_url)

    assert "no_listing" not in stage.handler({"anomesdia_exec": DAY}, context)
    refuse_listings(site, Fault("unrecognizable"))
    begun = time.monotonic()
    assert "no_listing" in stage.handler({"anomesdia_exec": DAY}, context)
    assert time.monotonic() - begun < 60  # without the limit, the retries take four minutes


def test_listings_are_not_requested_after_the_deadline(site: SiteServer) -> None:
    with pytest.raises(NoListing, match=r"failed: .*the deadline has passed"):
        from_site(FundamentusSite(site.base_url), 0.0, not_after=time.monotonic())

    assert site.requests == []


def test_only_missing_queues_tickers_without_a_final_outcome(lake: Lake, queue: Any) -> None:
    queue({"anomesdia_exec": DAY})
    lake.messages("acoes"), lake.messages("fiis")
    answer(lake, Kind.ACOES, Outcome.READ, *STOCKS[:-3])
    answer(lake, Kind.ACOES, Outcome.REFUSED, STOCKS[-3])
    answer(lake, Kind.ACOES, Outcome.NO_SUCH_PAPER, STOCKS[-2])
    answer(lake, Kind.ACOES, Outcome.LAYOUT, STOCKS[-1])
    answer(lake, Kind.FIIS, Outcome.READ, *FUNDS[1:])
    answer(lake, Kind.FIIS, Outcome.LATER_SESSION, FUNDS[0])

    result = queue({"anomesdia_exec": DAY, "only_missing": True})

    asked = [(message["ticker"], message["round"]) for message in lake.messages("acoes")]
    assert sorted(asked) == [(STOCKS[-3], 1), (STOCKS[-1], 1)]
    assert lake.messages("fiis") == []
    assert (result["round"], result["acoes"], result["fiis"]) == (1, 2, 0)
    assert lake.ledger.read(DAY).rounds[1].assets[Kind.ACOES] == [STOCKS[-3], STOCKS[-1]]


def test_only_missing_waits_for_a_round_that_is_not_settled(lake: Lake, queue: Any) -> None:
    queue({"anomesdia_exec": DAY})
    lake.messages("acoes"), lake.messages("fiis")
    answer(lake, Kind.ACOES, Outcome.REFUSED, *STOCKS)

    result = queue({"anomesdia_exec": DAY, "only_missing": True})

    assert result["still_asked"] == len(FUNDS)
    assert lake.messages("acoes") == []
    assert len(lake.ledger.read(DAY).rounds) == 1


def test_only_missing_treats_a_round_as_settled_after_its_messages_expire(lake: Lake, queue: Any) -> None:
    long_ago = datetime.now(timezone.utc) - timedelta(seconds=2161)
    lake.ledger.start_round(DAY, LISTED, long_ago, number=0)

    result = queue({"anomesdia_exec": DAY, "only_missing": True})

    assert result["acoes"] == len(STOCKS)


def test_only_missing_completes_half_a_listing_and_starts_a_day_without_a_listing(
    lake: Lake, site: SiteServer, queue: Any
) -> None:
    half = STOCKS[:10]
    lake.ledger.write_listing(DAY, Listing({Kind.ACOES: dict.fromkeys([*half, "DELI3"])}))

    queue({"anomesdia_exec": DAY, "only_missing": True})

    listing = lake.ledger.listing(DAY)
    assert sorted(listing.assets[Kind.ACOES]) == sorted([*STOCKS, "DELI3"])
    assert listing.assets[Kind.ACOES][half[0]] == site.assets[half[0]].expected_sot(DAY)["vlr_cot"]
    assert len(lake.archive.keys(DAY)) == 1


@pytest.mark.parametrize(
    "event", [{"only_missing": True}, {"tickers": ["PETR4"]}], ids=["round", "partial run"]
)
def test_a_run_of_some_tickers_starts_no_round_if_the_site_gives_no_listing(
    lake: Lake, site: SiteServer, queue: Any, event: dict[str, Any]
) -> None:
    refuse_listings(site)

    assert queue({"anomesdia_exec": DAY, **event})["no_listing"].startswith("refused: ")
    assert lake.ledger.read(DAY).rounds == ()


def test_a_partial_run_of_unlisted_tickers_starts_no_round(lake: Lake, queue: Any) -> None:
    assert queue({"anomesdia_exec": DAY, "tickers": ["NONE99"]})["not_listed"] == ["NONE99"]
    assert lake.ledger.read(DAY).rounds == ()


def test_a_round_uses_the_ledgers_listing_if_the_site_gives_none(
    lake: Lake, site: SiteServer, queue: Any
) -> None:
    listing = Listing({Kind.ACOES: {"PETR4": 1.0}, Kind.FIIS: {}})
    lake.ledger.write_listing(DAY, listing)
    refuse_listings(site)

    queue({"anomesdia_exec": DAY, "only_missing": True})

    assert queued(lake) == ["PETR4"]
    assert lake.ledger.listing(DAY) == listing


def test_a_round_after_midnight_uses_and_archives_the_sites_listing(lake: Lake, queue: Any) -> None:
    lake.ledger.write_listing(PAST, Listing({Kind.ACOES: {"PETR4": 1.0}, Kind.FIIS: {}}))

    with time_machine.travel("2026-11-21T05:00:00Z"):
        queue({"anomesdia_exec": PAST, "only_missing": True})

    assert lake.ledger.listing(PAST).assets[Kind.ACOES]["PETR4"] != 1.0
    assert len(lake.archive.keys(PAST)) == 1


def test_a_round_after_the_next_opening_adds_to_the_listing_keeps_its_prices_and_archives_no_page(
    lake: Lake, queue: Any
) -> None:
    lake.ledger.write_listing(PAST, Listing({Kind.ACOES: {"PETR4": 1.0}, Kind.FIIS: {}}))

    with time_machine.travel("2026-11-23T21:44:00Z"):
        queue({"anomesdia_exec": PAST, "only_missing": True})

    listing = lake.ledger.listing(PAST)
    assert listing.assets[Kind.ACOES]["PETR4"] == 1.0
    assert sorted(listing.assets[Kind.FIIS]) == queued(lake, "fiis") == FUNDS
    assert lake.archive.keys(PAST) == []


def test_after_the_next_session_has_closed_a_round_uses_the_ledgers_listing(
    lake: Lake, site: SiteServer, queue: Any
) -> None:
    lake.ledger.write_listing(PAST, Listing({Kind.ACOES: {"PETR4": 1.0}, Kind.FIIS: {}}))

    with time_machine.travel("2026-11-23T21:45:00Z"):
        queue({"anomesdia_exec": PAST, "only_missing": True})

    assert (queued(lake), queued(lake, "fiis"), site.requests) == (["PETR4"], [], [])


def test_tickers_are_queued_if_the_archive_refuses_the_listings_and_the_ledger_says_so(
    lake: Lake, queue: Any
) -> None:
    deny_putting("pages")

    result = queue({"anomesdia_exec": DAY})

    listing = lake.ledger.listing(DAY)
    assert (result["pages_kept"], result["acoes"]) == (False, len(STOCKS))
    assert not listing.archived


def archive_pages(lake: Lake, site: SiteServer, *tickers: str, at: str = "2026-11-23T21:45:07Z") -> str:
    """Archive the listings and the pages of `tickers`, all with the fetch time `at`."""
    source = FundamentusSite(site.base_url)
    pages = [ArchivedPage.of(source.fetch_listing(kind), kind, None) for kind in Kind]
    pages += [ArchivedPage.of(source.fetch_asset(one), Kind.ACOES, one) for one in tickers]
    return lake.archive.put(DAY, [replace(page, fetched_at=at) for page in pages])


@pytest.mark.parametrize(
    ("event", "fetch_from"), [({"source": "pages"}, "site"), ({"only_missing": True}, "pages")]
)
def test_a_day_is_queued_from_its_archived_pages_without_a_request_to_the_site(
    lake: Lake, site: SiteServer, queue: Any, event: dict[str, Any], fetch_from: str
) -> None:
    archived = STOCKS[:3]
    key = archive_pages(lake, site, *archived)
    site.clear_log()

    queue({"anomesdia_exec": DAY, **event}, fetch_from=fetch_from)

    at = {"object": key, "fetched_at": "2026-11-23T21:45:07Z"}
    messages = lake.messages("acoes")
    assert {message["ticker"] for message in messages} == set(archived)
    assert [message["page"] for message in messages] == [at] * 3
    assert site.requests == []
    written = lake.ledger.read(DAY)
    assert sorted(written.listing.assets[Kind.ACOES]) == STOCKS
    assert written.rounds[0].assets[Kind.ACOES] == archived


def test_every_archived_page_of_an_asset_is_queued_unless_it_is_older_than_the_day(
    lake: Lake, site: SiteServer, queue: Any
) -> None:
    one = STOCKS[0]
    # 02:59:59 UTC is 23:59:59 of the previous day in São Paulo.
    for at in ("2026-11-23T02:59:59Z", "2026-11-23T03:00:00Z", "2026-11-24T12:00:00Z"):
        archive_pages(lake, site, one, at=at)

    result = queue({"anomesdia_exec": DAY, "source": "pages"})

    at = sorted(message["page"]["fetched_at"] for message in lake.messages("acoes"))
    assert at == ["2026-11-23T03:00:00Z", "2026-11-24T12:00:00Z"]
    assert any(f"the page of {one} is older than {DAY}" in problem for problem in result["problems"])


def listing_page(fetched_at: str, **prices: str) -> ArchivedPage:
    rows = "".join(f"<tr><td><a>{ticker}</a><td>{price}" for ticker, price in prices.items())
    rows += "<tr><td><a>Suspensa</a><td>0,00"
    body = f"<table><tr><th>Papel<th>Cotação{rows}</table>".encode()
    return ArchivedPage(None, "acoes", "http://site/resultado.php", fetched_at, 200, "text/html", body)


def test_the_latest_archived_price_before_the_next_session_is_preferred(lake: Lake, queue: Any) -> None:
    pages = [
        listing_page("2026-11-24T13:00:00Z", PETR4="3,00", NOVA3="4,00"),  # 10:00 in São Paulo
        listing_page("2026-11-24T12:59:59Z", PETR4="2,00"),
        listing_page("2026-11-23T21:45:00Z", PETR4="1,00", VALE3="5,00"),
    ]
    lake.archive.put(DAY, pages)

    queue({"anomesdia_exec": DAY, "source": "pages"})

    listing = lake.ledger.listing(DAY)
    assert listing.assets[Kind.ACOES] == {"PETR4": 2.0, "VALE3": 5.0, "NOVA3": 4.0}
    assert listing.unreadable == {Kind.ACOES: 1}


def test_a_damaged_line_of_the_archive_is_named_and_the_rest_is_queued(
    lake: Lake, site: SiteServer, queue: Any
) -> None:
    good, bad = STOCKS[:2]
    archive_pages(lake, site, good)
    key = f"pages/anomesdia_exec={DAY}/ff.jsonl.gz"
    damaged = gzip.compress(f'{{"ticker": "{bad}", "kind": "ac'.encode())
    lake.s3.put_object(Bucket=WORK_BUCKET, Key=key, Body=damaged)

    result = queue({"anomesdia_exec": DAY, "source": "pages"})

    assert queued(lake) == [good]
    assert any(key in problem for problem in result["problems"])


def test_the_ledger_says_that_the_archive_has_no_page(lake: Lake, queue: Any) -> None:
    result = queue({"anomesdia_exec": DAY, "source": "pages"})

    assert "the archive has no page" in result["no_listing"]
    assert lake.ledger.read(DAY).rounds[0].reason == result["no_listing"]


@pytest.mark.parametrize("known", [True, False], ids=["known listing", "no listing"])
def test_pages_are_queued_without_a_readable_listing_and_the_days_listing_stays(
    lake: Lake, site: SiteServer, queue: Any, known: bool
) -> None:
    one, other = STOCKS[:2]
    listing = Listing({Kind.ACOES: {one: 1.0, other: 2.0}, Kind.FIIS: {}}) if known else None
    if listing:
        lake.ledger.write_listing(DAY, listing)
    refuse_listings(site, Fault("unrecognizable"))
    archive_pages(lake, site, one)

    queue({"anomesdia_exec": DAY, "source": "pages"})

    assert queued(lake) == [one]
    assert lake.ledger.listing(DAY) == listing


@pytest.mark.parametrize("source", [{}, {"source": "pages"}])
def test_a_run_of_a_day_with_rounds_is_its_next_round(
    lake: Lake, site: SiteServer, queue: Any, source: dict[str, str]
) -> None:
    archive_pages(lake, site, STOCKS[0])
    lake.ledger.start_round(DAY, {}, datetime.now(timezone.utc), number=3)

    assert queue({"anomesdia_exec": DAY, **source})["round"] == 4


@pytest.mark.parametrize("fault", [None, FORBIDDEN], ids=["with its listing", "without a listing"])
def test_a_partial_run_after_a_full_run_does_not_make_the_day_partial(
    lake: Lake, site: SiteServer, queue: Any, fault: Fault | None
) -> None:
    refuse_listings(site, fault)
    queue({"anomesdia_exec": DAY})
    site.clear_faults()
    one = STOCKS[0]

    queue({"anomesdia_exec": DAY, "tickers": [one]})

    written = lake.ledger.read(DAY)
    assert (written.is_partial, sorted(written.listing.assets[Kind.ACOES])) == (False, STOCKS)
    assert written.rounds[-1].assets[Kind.ACOES] == [one]


@pytest.mark.parametrize(
    ("event", "fetch_from", "why"),
    [
        ({"anomesdia_exec": 20300101, "only_missing": True}, "site", "20300101 is after today, 20261123"),
        ({"anomesdia_exec": 20300101, "source": "pages"}, "site", "20300101 is after today, 20261123"),
        ({"anomesdia_exec": 20261120}, "site", "20261120 is past"),
        ({"anomesdia_exec": 20261120, "tickers": ["PETR4"]}, "site", "20261120 is past"),
        ({"probe": "PETR4"}, "pages", "this lake does not ask the site"),
    ],
)
def test_a_refused_event_requests_and_writes_nothing(
    lake: Lake, site: SiteServer, queue: Any, event: dict[str, Any], fetch_from: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        queue(event, fetch_from)

    assert site.requests == []
    assert lake.s3.list_objects_v2(Bucket=WORK_BUCKET)["KeyCount"] == 0


@pytest.mark.parametrize(
    ("probe", "place", "fault", "said"),
    [
        (True, "PETR4", None, "read"),
        (True, "/resultado.php", Fault("status", status=403), "refused"),
        (True, "/fii_resultado.php", Fault("unrecognizable"), "layout"),
        (True, "PETR4", Fault("status", status=503), "down"),
        (True, "HGLG11", Fault("interstitial"), "refused"),
        ("PETR4", "PETR4", None, "read"),
        ("HGLG11", "HGLG11", None, "read"),
        ("HGLG11", "HGLG11", Fault("other_layout"), "layout"),
        (GHOSTS["acoes"][0], "PETR4", None, "no_such_paper"),
    ],
)
def test_a_probe_reports_the_sites_answer_requests_each_page_once_and_writes_nothing(
    lake: Lake, site: SiteServer, queue: Any, probe: str | bool, place: str, fault: Fault | None, said: str
) -> None:
    site.set_fault(place, fault)

    result = queue({"probe": probe})

    assert (result["probe"], result["answer"]) == (probe, said)
    assert ("the site refuses this address" in result.get("why", "")) == (said == "refused")
    assert len({request.path for request in site.requests}) == len(site.requests) <= 4
    assert lake.messages("acoes") == lake.messages("fiis") == []
    assert lake.s3.list_objects_v2(Bucket=WORK_BUCKET)["KeyCount"] == 0


def messages(count: int) -> list[TickerMessage]:
    return [TickerMessage(f"AA{position:02}3", Kind.ACOES, DAY) for position in range(count)]


def fail_entries(client: Any, failures: list[list[dict[str, Any]]]) -> list[list[str]]:
    """Let call N of SendMessageBatch fail for the entries ``failures[N]``. Return the tickers per call."""
    sent: list[list[str]] = []

    def drop(params: dict[str, Any], context: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]] | None:
        body = json.loads(params["body"])
        sent.append([json.loads(entry["MessageBody"])["ticker"] for entry in body["Entries"]])
        failing = failures.pop(0) if failures else []
        ids = {failure["Id"] for failure in failing}
        body["Entries"] = [entry for entry in body["Entries"] if entry["Id"] not in ids]
        params["body"] = json.dumps(body).encode()
        context["failing"] = failing
        return None if body["Entries"] else (SimpleNamespace(status_code=200), {"Failed": failing})

    def report(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        parsed["Failed"] = context["failing"]

    client.meta.events.register("before-call.sqs.SendMessageBatch", drop)
    client.meta.events.register("after-call.sqs.SendMessageBatch", report)
    return sent


def failure(entry: int) -> dict[str, Any]:
    return {"Id": str(entry), "SenderFault": False, "Code": "InternalError", "Message": "busy"}


def test_only_failed_entries_of_a_batch_call_are_sent_again(lake: Lake) -> None:
    sent = fail_entries(lake.sqs, [[failure(0), failure(2)], [failure(2)]])

    send_tickers(lake.sqs, lake.queue_urls["acoes"], messages(5))

    assert sent == [
        ["AA003", "AA013", "AA023", "AA033", "AA043"],
        ["AA003", "AA023"],
        ["AA023"],
    ]
    assert queued(lake) == sent[0]


def test_tickers_that_the_queue_never_accepts_are_named_after_all_others_were_sent(lake: Lake) -> None:
    fail_entries(lake.sqs, [[failure(1)]] + [[failure(1)]] * 5)

    with pytest.raises(TickersNotSent, match=r"did not take 1 of 13 tickers: .*AA013.*InternalError: busy"):
        send_tickers(lake.sqs, lake.queue_urls["acoes"], messages(13))

    assert len(lake.messages("acoes")) == 12


def test_a_failure_of_one_queue_does_not_affect_the_other(lake: Lake, queue: Any) -> None:
    fail_entries(aws.client("sqs"), [[failure(0)]] * 6)

    with pytest.raises(TickersNotSent, match="did not take 1 of"):
        queue({"anomesdia_exec": DAY})

    assert len(lake.messages("acoes")) == len(STOCKS) - 1
    assert len(lake.messages("fiis")) == len(FUNDS)


LATE = {
    "anomesdia_exec": DAY,
    "only_missing": True,
    "old_session": {"session": 20261120, "ticker": "PETR4"},
}


@pytest.mark.parametrize("probed", ["PETR4", "HGLG11"])
def test_with_a_new_session_the_assets_read_in_the_week_before_are_queued_again(
    lake: Lake, queue: Any, probed: str
) -> None:
    answer(lake, Kind.ACOES, Outcome.READ, *STOCKS[:2], session=20261120)
    answer(lake, Kind.ACOES, Outcome.READ, STOCKS[2], session=20261113)
    answer(lake, Kind.ACOES, Outcome.READ, *STOCKS[3:], session=20261112)
    answer(lake, Kind.FIIS, Outcome.NO_SUCH_PAPER, *FUNDS)

    result = queue({**LATE, "old_session": {"session": 20261120, "ticker": probed}})

    assert result["sessions"] == [DAY]
    assert queued(lake) == STOCKS[:3]


def test_an_asset_that_has_shown_a_later_session_is_not_queued_again(lake: Lake, queue: Any) -> None:
    answer(lake, Kind.ACOES, Outcome.READ, *STOCKS, session=20261120)
    answer(lake, Kind.ACOES, Outcome.LATER_SESSION, *STOCKS[1:])
    answer(lake, Kind.FIIS, Outcome.NO_SUCH_PAPER, *FUNDS)

    queue(LATE)

    assert queued(lake) == STOCKS[:1]


def test_a_new_session_of_the_second_late_kind_is_found(lake: Lake, site: SiteServer, queue: Any) -> None:
    answer(lake, Kind.ACOES, Outcome.READ, *STOCKS, session=20261119)
    answer(lake, Kind.FIIS, Outcome.READ, *FUNDS, session=20261120)
    site.set_fault("PETR4", Fault("status", status=404))
    late = [{"session": 20261118, "ticker": "PETR4"}, {"session": 20261120, "ticker": "HGLG11"}]

    result = queue({**LATE, "old_session": late})

    assert result["sessions"] == [None, DAY]
    assert queued(lake, "fiis") == FUNDS


def test_without_a_new_session_no_asset_that_was_read_is_queued(
    lake: Lake, site: SiteServer, queue: Any
) -> None:
    answer(lake, Kind.ACOES, Outcome.READ, *STOCKS, session=20261120)
    answer(lake, Kind.FIIS, Outcome.NO_SUCH_PAPER, *FUNDS)
    site.session = datetime(2026, 11, 20).date()

    shown = queue(LATE)["sessions"]
    site.set_fault("PETR4", Fault("status", status=404))
    silent = queue(LATE)["sessions"]

    assert (shown, silent) == ([20261120], [None])
    assert lake.messages("acoes") == []


def test_without_a_readable_session_a_probe_succeeds_and_a_round_queues_missing_assets(
    lake: Lake, site: SiteServer, queue: Any
) -> None:
    site.assets["PETR4"] = site.assets["PETR4"].with_cell("dt_ult_cot", "-")

    probed = queue({"probe": True})
    round_of_day = queue(LATE)

    assert probed == {"probe": True, "answer": "read"}
    assert round_of_day["sessions"] == [None]
    assert queued(lake) == list(STOCKS)


@pytest.mark.parametrize(("event", "fetch_from"), [({"source": "pages"}, "site"), ({}, "pages")])
def test_only_archived_pages_of_the_given_tickers_are_queued(
    lake: Lake, site: SiteServer, queue: Any, event: dict[str, Any], fetch_from: str
) -> None:
    one, other = STOCKS[:2]
    archive_pages(lake, site, one, other)

    queue({"anomesdia_exec": DAY, "tickers": [one], **event}, fetch_from=fetch_from)

    assert queued(lake) == [one]
    assert list(lake.ledger.listing(DAY)) == [(Kind.ACOES, one)]
