from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from fundamentus_site.errors import Blocked, LayoutNotRecognized, Unavailable
from get_tickers import handler as stage
from get_tickers.tickers import TickersNotSent, send_tickers
from moto_lake import DAY, Lake
from pynvest_lake import aws
from pynvest_lake.kinds import Kind
from pynvest_lake.messages import TickerMessage
from sandbox.site import GHOSTS, Fault, SiteServer, make_papers


@pytest.fixture
def site() -> Iterator[SiteServer]:
    with SiteServer(make_papers(DAY, 23, 12)) as site:
        yield site


@pytest.fixture
def queue(lake: Lake, site: SiteServer, context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(event: dict[str, Any]) -> dict[str, Any]:
        monkeypatch.setenv("FUNDAMENTUS_BASE_URL", site.base_url)
        monkeypatch.setenv("FETCH_HEADERS", '{"Accept-Language": "pt-BR"}')
        monkeypatch.setenv("TICKERS_QUEUE_URLS", json.dumps(lake.queue_urls))
        result: dict[str, Any] = stage.handler(event, context)
        return result

    return run


def listed(site: SiteServer, kind: str) -> list[str]:
    return sorted([*(paper.ticker for paper in site.papers.values() if paper.kind == kind), *GHOSTS[kind]])


def test_every_listed_ticker_is_queued_once_with_kind_and_day(
    lake: Lake, site: SiteServer, queue: Any
) -> None:
    result = queue({"anomesdia_exec": DAY})

    for kind in ("acoes", "fiis"):
        tickers = listed(site, kind)
        messages = sorted(lake.messages(kind), key=lambda message: message["ticker"])
        assert messages == [{"ticker": one, "kind": kind, "anomesdia_exec": DAY} for one in tickers]
        assert result[kind] == len(tickers)


def test_the_site_gets_the_headers_that_were_given(site: SiteServer, queue: Any) -> None:
    queue({"anomesdia_exec": DAY})

    assert [request.headers["Accept-Language"] for request in site.requests] == ["pt-BR", "pt-BR"]


def test_rows_of_a_listing_that_name_no_paper_are_passed_over_and_named(
    lake: Lake, site: SiteServer, queue: Any
) -> None:
    site.ghosts = {"acoes": ("Suspensa",), "fiis": ()}

    result = queue({"anomesdia_exec": DAY})

    assert len(lake.messages("acoes")) == result["acoes"] == 23
    (told,) = result["unreadable_rows"]["acoes"]
    assert "has ['Suspensa', '0,00'" in told
    assert result["unreadable_rows"]["fiis"] == []


def test_one_request_takes_ten_tickers(site: SiteServer, queue: Any) -> None:
    calls: list[int] = []
    aws.client("sqs").meta.events.register(
        "before-call.sqs.SendMessageBatch", lambda params, **_: calls.append(1)
    )

    queue({"anomesdia_exec": DAY})

    assert len(calls) == sum(-(-len(listed(site, kind)) // 10) for kind in ("acoes", "fiis"))


def test_a_trial_run_queues_only_what_was_asked_for_and_is_listed(
    lake: Lake, site: SiteServer, queue: Any
) -> None:
    stock, fund = listed(site, "acoes")[0], listed(site, "fiis")[0]

    result = queue({"anomesdia_exec": DAY, "tickers": [stock, fund, "NONE99"]})

    assert [message["ticker"] for message in lake.messages("acoes")] == [stock]
    assert [message["ticker"] for message in lake.messages("fiis")] == [fund]
    assert result["not_listed"] == ["NONE99"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("empty"), LayoutNotRecognized),
        (Fault("unrecognizable"), LayoutNotRecognized),
        (Fault("interstitial"), Blocked),
        (Fault("status", status=403), Blocked),
        (Fault("status", status=500), Unavailable),
    ],
)
def test_a_listing_that_fails_is_an_error_and_nothing_is_queued(
    lake: Lake, site: SiteServer, queue: Any, fault: Fault, error: type[Exception]
) -> None:
    site.set_fault("/fii_resultado.php", fault)

    with pytest.raises(error):
        queue({"anomesdia_exec": DAY})

    assert lake.messages("acoes") == []


def messages(count: int) -> list[TickerMessage]:
    return [TickerMessage(f"AA{position:02}3", Kind.ACOES, DAY) for position in range(count)]


def fail_entries(client: Any, failures: list[list[dict[str, Any]]]) -> list[list[str]]:
    """Let calls of SendMessageBatch report failures: the queue does not take those entries."""
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


def failure(entry: int, sender_fault: bool = False) -> dict[str, Any]:
    return {"Id": str(entry), "SenderFault": sender_fault, "Code": "InternalError", "Message": "busy"}


def test_what_a_batch_call_reports_as_failed_is_sent_again_and_nothing_else(lake: Lake) -> None:
    sent = fail_entries(lake.sqs, [[failure(0), failure(2)], [failure(2)]])

    send_tickers(lake.sqs, lake.queue_urls["acoes"], messages(5), wait_seconds=0)

    assert sent == [
        ["AA003", "AA013", "AA023", "AA033", "AA043"],
        ["AA003", "AA023"],
        ["AA023"],
    ]
    assert sorted(message["ticker"] for message in lake.messages("acoes")) == sent[0]


def test_tickers_that_the_queue_never_takes_are_named_after_all_others_were_sent(lake: Lake) -> None:
    fail_entries(lake.sqs, [[failure(1)]] + [[failure(1)]] * 5)

    with pytest.raises(TickersNotSent, match=r"did not take 1 of 13 tickers: .*AA013.*InternalError: busy"):
        send_tickers(lake.sqs, lake.queue_urls["acoes"], messages(13), wait_seconds=0)

    assert len(lake.messages("acoes")) == 12


def test_a_message_that_is_refused_for_what_it_is_is_not_sent_again(lake: Lake) -> None:
    sent = fail_entries(lake.sqs, [[failure(0, sender_fault=True)]])

    with pytest.raises(TickersNotSent, match="AA003"):
        send_tickers(lake.sqs, lake.queue_urls["acoes"], messages(2), wait_seconds=0)

    assert len(sent) == 1


def test_what_one_queue_does_not_take_keeps_nothing_from_the_other(
    lake: Lake, site: SiteServer, queue: Any
) -> None:
    fail_entries(aws.client("sqs"), [[failure(0, sender_fault=True)]])

    with pytest.raises(TickersNotSent, match="did not take 1 of"):
        queue({"anomesdia_exec": DAY})

    assert len(lake.messages("acoes")) == len(listed(site, "acoes")) - 1
    assert len(lake.messages("fiis")) == len(listed(site, "fiis"))


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (
            {"anomesdia_exec": DAY, "ticker": "PETR4"},
            "event has ticker, expected no fields but anomesdia_exec, tickers",
        ),
        ({"anomesdia_exec": DAY, "tickers": "PETR4"}, "tickers is 'PETR4', expected a list of tickers"),
    ],
)
def test_an_event_that_was_mistyped_queues_nothing(
    lake: Lake, queue: Any, event: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        queue(event)

    assert lake.messages("acoes") == []


def test_a_day_is_needed(queue: Any) -> None:
    with pytest.raises(ValueError, match="anomesdia_exec is None"):
        queue({})
