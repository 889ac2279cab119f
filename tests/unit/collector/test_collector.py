"""Tests of the collector with the sample site and moto's S3."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
import time_machine
from botocore.exceptions import ClientError, EndpointConnectionError, UnauthorizedSSOTokenError
from moto import mock_aws

from b3.kind import Kind
from collector import collect, errors, patience
from collector.__main__ import INTERRUPTED, main
from lambda_packages import MANAGED_LAYER, ROOT, pins
from moto_lake import REGION
from pynvest_lake.archive import Archive, ArchivedPage
from sandbox.site import Fault, SiteServer, make_assets
from sandbox.site.pages import detail_page

BATCH = 10
BUCKET = f"pynvest-work-123456789012-{REGION}"
DAY = 20201123  # a Monday
EVENING = datetime(2020, 11, 23, 22, 0, tzinfo=timezone.utc)  # 19:00 in São Paulo


class CollectorMachine:
    """A machine that runs the collector, with a site and S3."""

    def __init__(self, site: SiteServer, capsys: pytest.CaptureFixture[str]) -> None:
        self.site = site
        self.now = EVENING
        self.session = boto3.Session()
        self.s3 = boto3.client("s3", region_name=REGION)
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.archive = Archive(self.s3, BUCKET)
        self.s3_is_ahead = timedelta()
        self.calls: list[tuple[str, str]] = []
        self._capsys = capsys
        self.session.events.register("after-call.s3", self._set_date_header)
        self.session.events.register("before-parameter-build.s3", self._note)

    def _set_date_header(self, parsed: Any, **kwargs: Any) -> None:
        moment = format_datetime(self.now + self.s3_is_ahead, usegmt=True)
        parsed["ResponseMetadata"]["HTTPHeaders"]["date"] = moment

    def _note(self, params: Any, model: Any, **kwargs: Any) -> None:
        self.calls.append((model.name, params.get("Key") or params["Prefix"]))

    @contextmanager
    def failing(self, operation: str, error: Exception, after: int = 0, times: int = 1000) -> Iterator[None]:
        """Let an S3 operation fail after some successful calls."""
        calls = 0

        def fail(**kwargs: Any) -> None:
            nonlocal calls
            calls += 1
            if after < calls <= after + times:
                raise error

        self.session.events.register(f"before-call.s3.{operation}", fail)
        yield
        self.session.events.unregister(f"before-call.s3.{operation}", fail)

    def run(self, *options: str, bucket: str = BUCKET) -> int:
        """Run the collector; if the site is down, the collector gives up in less than a second."""
        arguments = [f"--bucket={bucket}", f"--site={self.site.base_url}", "--patience=0.01", *options]
        return main(arguments, now=lambda: self.now, session=self.session)

    def said(self) -> str:
        """Return the collector's output since the last call."""
        printed = self._capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return printed.out + printed.err

    @property
    def keys(self) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    @property
    def objects(self) -> set[str]:
        return set(self.archive.keys(DAY))

    @property
    def archived(self) -> list[ArchivedPage]:
        return [page for key in self.objects for page in self.archive.read(key).pages]

    @property
    def tickers(self) -> list[str]:
        return sorted(page.ticker for page in self.archived if page.ticker)

    @property
    def manifests(self) -> list[set[str]]:
        """Return the object keys in each manifest of the day. The smallest manifest comes first."""
        keys = [key for key in self.keys if key.endswith(".manifest.json")]
        found = [json.load(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"]) for key in keys]
        assert {content["anomesdia_exec"] for content in found} <= {DAY}
        return sorted((set(content["objects"]) for content in found), key=len)

    def listed(self, *kinds: str) -> list[str]:
        assets = [asset.ticker for asset in self.site.assets.values() if asset.kind in kinds]
        return sorted([*assets, *(ghost for kind in kinds for ghost in self.site.ghosts[kind])])

    @property
    def every(self) -> list[str]:
        return self.listed("acoes", "fiis")

    def asked(self) -> Counter[str]:
        return Counter(request.path for request in self.site.requests)


@pytest.fixture
def machine(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[CollectorMachine]:
    monkeypatch.setattr(patience, "FIRST_WAIT_SECONDS", 0.1)
    monkeypatch.setattr(collect, "PAGES_AN_OBJECT", BATCH)
    with (
        time_machine.travel(EVENING, tick=True),
        mock_aws(),
        SiteServer(make_assets(DAY, 20, 10)) as site,
    ):
        yield CollectorMachine(site, capsys)


def test_a_complete_day_is_archived_and_its_manifest_names_all_objects(machine: CollectorMachine) -> None:
    assert machine.run() == 0

    assert machine.manifests == [machine.objects]
    assert Counter((page.kind, page.ticker) for page in machine.archived) == Counter(
        (kind, ticker) for kind in ("acoes", "fiis") for ticker in (None, *machine.listed(kind))
    )


def test_the_collector_has_the_headers_and_limits_of_the_functions(machine: CollectorMachine) -> None:
    machine.run("--header", "user-agent: me, at home", "--header", "X-Mine: 1")

    assert set(machine.asked().values()) == {1}
    assert machine.site.most_in_flight <= 2
    assert machine.site.connections <= 2
    for request in machine.site.requests:
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert headers["user-agent"] == "me, at home"
        assert headers["accept-language"] == "pt-BR,pt;q=0.9"
        assert headers["accept"].startswith("text/html")
        assert headers["x-mine"] == "1"


def test_it_names_itself_and_prints_its_progress(machine: CollectorMachine) -> None:
    machine.run()

    assert "pynvest-tools" in machine.site.requests[0].headers["User-Agent"]
    said = machine.said()
    assert f"{len(machine.every)} assets are listed, the pages of 0 are archived already" in said
    assert f"{BATCH} of {len(machine.every)} pages are archived" in said
    assert f"{DAY} is complete" in said


def test_the_collector_only_gets_puts_and_lists_objects_below_pages(machine: CollectorMachine) -> None:
    machine.run()
    machine.run()

    assert {operation for operation, _ in machine.calls} == {"ListObjectsV2", "GetObject", "PutObject"}
    assert all(key.startswith("pages/") for _, key in machine.calls)
    assert all(
        re.fullmatch(rf"pages/anomesdia_exec={DAY}/[0-9a-f]{{32}}\.(?:jsonl\.gz|manifest\.json)", key)
        for key in machine.keys
    )


@pytest.mark.parametrize("pages", [0, 7, 10, 27])
def test_it_continues_after_an_interrupt_and_requests_no_page_twice(
    machine: CollectorMachine, pages: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = collect.wait

    def interrupted(futures: Any, timeout: float) -> Any:
        if sum(request.ticker is not None for request in machine.site.requests) >= pages:
            raise KeyboardInterrupt
        return wait(futures, timeout=0.001)

    monkeypatch.setattr(collect, "wait", interrupted)
    assert machine.run() == INTERRUPTED
    assert "ended; all received pages are archived" in machine.said()
    assert machine.manifests == []
    before = machine.asked()
    assert pages <= before.total() - 2 < len(machine.every)

    monkeypatch.setattr(collect, "wait", wait)
    assert machine.run() == 0
    assert set(machine.asked().values()) == {1}
    assert machine.manifests == [machine.objects]


def test_pages_fetched_before_1845_and_archived_refusals_do_not_count(
    machine: CollectorMachine,
) -> None:
    good, wait = detail_page(machine.site.assets["PETR4"]), b"<html><body>Just a moment...</body></html>"
    early = ArchivedPage("PETR4", "acoes", "http://site/a", "2020-11-23T21:44:59Z", 200, None, good)
    refused = ArchivedPage("VALE3", "acoes", "http://site/b", "2020-11-23T21:50:00Z", 200, None, wait)
    machine.archive.put(DAY, [early, refused])

    assert machine.run() == 0
    assert {"PETR4", "VALE3"} <= {request.ticker for request in machine.site.requests}


def test_a_complete_day_gets_no_second_manifest(machine: CollectorMachine) -> None:
    machine.run()
    machine.site.clear_log()
    keys = machine.keys

    assert machine.run() == 0
    assert "no new pages" in machine.said()
    assert (machine.site.requests, machine.keys) == ([], keys)


def test_a_kind_with_an_old_session_is_requested_again_when_the_site_shows_a_newer_one(
    machine: CollectorMachine,
) -> None:
    machine.site.session = date(2020, 11, 20)
    machine.run()
    late = machine.objects
    machine.now += timedelta(hours=1)
    machine.site.clear_log()

    assert machine.run() == 0
    assert sorted(request.ticker for request in machine.site.requests) == ["HGLG11", "PETR4"]
    assert machine.manifests == [late]

    machine.site.session = None
    machine.site.clear_log()
    with time_machine.travel(EVENING + timedelta(hours=1), tick=True):
        assert machine.run() == 0
    assert set(machine.asked()) >= {Kind.ACOES.listing_path, Kind.FIIS.listing_path}
    assert {request.ticker for request in machine.site.requests} >= set(machine.every)
    assert machine.manifests == [late, machine.objects]
    machine.site.clear_log()

    assert machine.run() == 0
    assert machine.site.requests == []


def test_an_interrupted_second_request_of_a_late_kind_continues_at_the_next_start(
    machine: CollectorMachine,
) -> None:
    machine.site.session = date(2020, 11, 20)
    machine.run()
    machine.site.session = None
    machine.now += timedelta(hours=1)
    with time_machine.travel(machine.now, tick=True):
        machine.site.set_fault(min(machine.listed("acoes")), Fault("unrecognizable"))
        machine.site.block_after(2 + 12)
        assert machine.run() == errors.SiteRefuses.status
    machine.site.clear_faults()
    machine.now += timedelta(hours=1)
    with time_machine.travel(machine.now, tick=True):
        assert machine.run() == 0

    newest = sorted(machine.archived, key=lambda page: page.fetched_at)
    shown = {page.ticker: page.body for page in newest if page.ticker in machine.site.assets}
    assert shown == {ticker: detail_page(asset) for ticker, asset in machine.site.assets.items()}
    machine.site.clear_log()

    assert machine.run() == 0
    assert machine.site.requests == []


def test_a_second_collectors_listing_causes_no_request(machine: CollectorMachine) -> None:
    machine.run()
    listings = [
        replace(page, fetched_at="2020-11-23T22:30:00Z") for page in machine.archived if not page.ticker
    ]
    machine.archive.put(DAY, listings)
    machine.site.clear_log()

    assert machine.run() == 0
    assert machine.site.requests == []


def test_the_option_again_requests_everything_and_puts_another_manifest(machine: CollectorMachine) -> None:
    machine.run()
    first = machine.objects
    machine.site.clear_log()

    with time_machine.travel(EVENING + timedelta(hours=1), tick=True):
        assert machine.run("--again") == 0
    assert set(machine.asked().values()) == {1}
    assert len(machine.site.requests) == len(machine.every) + 2
    assert machine.manifests == [first, machine.objects]


@pytest.mark.parametrize("status", [403, 503])
def test_a_day_runs_without_an_asset_that_never_answers(machine: CollectorMachine, status: int) -> None:
    ticker = sorted(machine.site.assets)[0]
    machine.site.set_fault(ticker, Fault("status", status=status, retry_after=60))

    assert machine.run() == errors.Incomplete.status
    said = machine.said()
    assert f"Missing: {ticker}; the last answer: " in said
    assert f"status {status}" in said
    assert "a manifest was put" in said
    first = machine.objects
    assert machine.manifests == [first]
    assert machine.tickers == [other for other in machine.every if other != ticker]

    assert machine.run() == errors.Incomplete.status
    assert machine.manifests == [first]

    machine.site.clear_faults()
    machine.site.clear_log()
    assert machine.run() == 0
    assert [request.ticker for request in machine.site.requests] == [ticker]
    assert machine.manifests == [first, machine.objects]


def test_three_refusals_in_a_row_stop_it_and_the_received_pages_get_a_manifest(
    machine: CollectorMachine,
) -> None:
    machine.site.block_after(15)

    assert machine.run("--threads=1") == errors.SiteRefuses.status
    said = machine.said()
    assert "the site refuses this machine" in said
    assert "Start again in some hours" in said
    assert re.search(r"15 of \d+ pages of 20201123 are archived", said)
    assert sum(request.status == 403 for request in machine.site.requests) == 3
    assert len(machine.tickers) == 15
    assert machine.manifests == [machine.objects]


def test_status_429_stops_it_at_once(machine: CollectorMachine) -> None:
    refused = sorted(machine.site.assets)[BATCH // 2]
    machine.site.set_fault(refused, Fault("status", status=429, retry_after=60))

    assert machine.run("--threads=1") == errors.SiteRefuses.status
    assert machine.site.requests[-1].ticker == refused
    assert machine.manifests == [machine.objects]


def test_if_both_listings_are_refused_it_requests_nothing_else(machine: CollectorMachine) -> None:
    machine.site.set_fault("*", Fault("status", status=403))

    assert machine.run() == errors.SiteRefuses.status
    assert "the site refuses the listing of fiis" in machine.said()
    assert len(machine.site.requests) == 2
    assert machine.keys == []


@pytest.mark.parametrize(
    ("fault", "error", "waits"),
    [
        (Fault("status", status=403), errors.SiteRefuses, False),
        (Fault("status", status=503, retry_after=60), errors.Incomplete, True),
        (Fault("unrecognizable"), errors.ListingUnreadable, True),
    ],
    ids=["refused", "not there", "unreadable"],
)
def test_a_missing_listing_affects_only_its_kind(
    machine: CollectorMachine, fault: Fault, error: type[errors.CollectorError], waits: bool
) -> None:
    machine.site.set_fault("/fii_resultado.php", fault)

    assert machine.run() == error.status
    said = machine.said()
    assert "listing of fiis" in said
    assert (said.count("trying again") >= 2) is waits
    assert machine.tickers == machine.listed("acoes")
    assert machine.manifests == [machine.objects]

    machine.site.clear_faults()
    assert machine.run() == 0
    assert len(machine.manifests) == 2


def test_a_challenge_page_is_a_refusal_and_is_not_archived(machine: CollectorMachine) -> None:
    ticker = sorted(machine.site.assets)[0]
    machine.site.set_fault(ticker, Fault("interstitial"))

    assert machine.run() == errors.Incomplete.status
    assert ticker not in machine.tickers


def test_pages_that_fail_temporarily_are_requested_again(machine: CollectorMachine) -> None:
    for ticker in sorted(machine.site.assets)[:3]:
        machine.site.set_fault(ticker, Fault("status", status=503, times=3))  # all attempts of the first run

    assert machine.run() == 0
    assert machine.tickers == machine.every


def test_it_waits_for_a_site_that_goes_down_and_the_day_stays_incomplete(machine: CollectorMachine) -> None:
    for ticker in sorted(machine.site.assets)[15:]:
        machine.site.set_fault(ticker, Fault("status", status=503, retry_after=60))

    assert machine.run() == errors.Incomplete.status
    said = machine.said()
    assert "trying again in" in said
    assert "status 503" in said
    assert "The next start asks for the missing pages" in said
    assert machine.manifests == [machine.objects]
    archived = len(machine.tickers)

    machine.site.clear_faults()
    assert machine.run() == 0
    assert f"the pages of {archived} are archived already" in machine.said()


def test_a_page_in_another_layout_is_archived_requested_again_and_reported(machine: CollectorMachine) -> None:
    mended, strange = sorted(machine.site.assets)[:2]
    machine.site.set_fault(mended, Fault("other", ticker=strange, times=1))
    machine.site.set_fault(strange, Fault("other_layout"))

    assert machine.run() == 0
    assert machine.asked()[f"/detalhes.php?papel={mended}"] == 2
    assert machine.asked()[f"/detalhes.php?papel={strange}"] == 2
    assert re.search(rf"1 pages are archived that .*: {strange}\.", machine.said())
    assert machine.manifests == [machine.objects]


@pytest.mark.parametrize("status", [403, 503])
def test_a_complete_day_succeeds_even_if_the_second_request_for_a_page_fails(
    machine: CollectorMachine, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange = sorted(machine.site.assets)[0]
    machine.site.set_fault(strange, Fault("other_layout"))
    fetch = collect.Collection._fetch

    def fail_second_request(self: Any, assets: Any, fetched: Any) -> None:
        if list(assets) == [(Kind.ACOES, strange)]:
            machine.site.set_fault(strange, Fault("status", status=status, retry_after=60))
        fetch(self, assets, fetched)

    monkeypatch.setattr(collect.Collection, "_fetch", fail_second_request)

    assert machine.run() == 0
    assert [request.status for request in machine.site.requests if request.ticker == strange] == [200, status]
    assert machine.manifests == [machine.objects]


def test_pages_in_a_new_layout_of_the_site_are_requested_and_archived_once(machine: CollectorMachine) -> None:
    for ticker in machine.site.assets:
        machine.site.set_fault(ticker, Fault("other_layout"))

    assert machine.run() == 0
    assert set(machine.asked().values()) == {1}
    assert f"{len(machine.site.assets)} pages are archived that this version cannot read" in machine.said()


def test_a_day_is_not_started_after_the_next_session_has_opened(machine: CollectorMachine) -> None:
    machine.now += timedelta(hours=15)  # 10:00 on the next day in São Paulo

    assert machine.run() == errors.TooLate.status
    assert "the next session has opened (24/11/2020 10:00 in Sao Paulo)" in machine.said()
    assert (machine.site.requests, machine.keys) == ([], [])


def test_a_day_with_all_pages_gets_its_manifest_even_after_the_next_session_has_opened(
    machine: CollectorMachine,
) -> None:
    machine.run()
    for key in set(machine.keys) - machine.objects:
        machine.s3.delete_object(Bucket=BUCKET, Key=key)
    machine.site.clear_log()
    machine.now += timedelta(hours=15)

    assert machine.run() == 0
    assert machine.site.requests == []
    assert machine.manifests == [machine.objects]


def test_no_page_is_requested_after_the_next_session_has_opened(
    machine: CollectorMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = collect.wait

    def wait_until_it_opens(futures: Any, timeout: float) -> Any:
        found = wait(futures, timeout=timeout)
        machine.now += timedelta(hours=15)
        return found

    monkeypatch.setattr(collect, "wait", wait_until_it_opens)

    assert machine.run() == errors.TooLate.status
    assert re.search(r"10 of \d+ of its pages are archived", machine.said())
    assert len(machine.site.requests) == BATCH + 2
    assert machine.manifests == [machine.objects]


def test_on_a_holiday_the_day_before_may_be_named(machine: CollectorMachine) -> None:
    machine.now += timedelta(hours=18)

    assert machine.run("--day", str(DAY)) == 0
    assert machine.manifests == [machine.objects]


def test_a_site_that_shows_a_later_session_gives_no_manifest(machine: CollectorMachine) -> None:
    for ticker in machine.site.assets:
        machine.site.set_fault(ticker, Fault("later_session"))
    machine.now += timedelta(hours=18)

    assert machine.run("--day", str(DAY)) == errors.TooLate.status
    assert "the site shows a later session than 20201123" in machine.said()
    assert machine.manifests == []
    assert len(machine.site.requests) == BATCH + 2


def test_a_day_with_pages_of_a_later_session_is_not_called_complete(
    machine: CollectorMachine,
) -> None:
    later = sorted(machine.site.assets)[0]
    machine.site.set_fault(later, Fault("later_session"))

    assert machine.run() == 0
    said = machine.said()
    assert f"{DAY} has ended without 1 asset, because the site shows a later session: {later}" in said
    assert "is complete" not in said
    assert machine.manifests == [machine.objects]


@pytest.mark.parametrize(("minutes", "is_wrong"), [(-6, True), (-4, False), (4, False), (6, True)])
def test_a_wrong_clock_is_refused_before_any_request_to_the_site(
    machine: CollectorMachine, minutes: int, is_wrong: bool
) -> None:
    machine.s3_is_ahead = timedelta(minutes=minutes)

    assert machine.run() == (errors.WrongClock.status if is_wrong else 0)
    assert ("this machine's clock says 2020-11-23T22:00:00Z" in machine.said()) is is_wrong
    assert (machine.site.requests == [], machine.keys == []) == (is_wrong, is_wrong)


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as AWS says it"}}, "any")


@pytest.mark.parametrize(
    ("raised", "error", "text"),
    [
        (refusal("ExpiredToken"), errors.NoCredentials, "AWS rejects the credentials"),
        (refusal("InvalidAccessKeyId"), errors.NoCredentials, "AWS rejects the credentials"),
        (refusal("SignatureDoesNotMatch"), errors.NoCredentials, "AWS rejects the credentials"),
        (refusal("AccessDenied"), errors.AccessDenied, "collector_policy_json"),
        (refusal("RequestTimeTooSkewed"), errors.WrongClock, "clock is wrong"),
        (refusal("InvalidRequest"), errors.StorageFailed, "S3 answered with InvalidRequest"),
        (UnauthorizedSSOTokenError(), errors.NoCredentials, "there are no AWS credentials"),
    ],
    ids=lambda part: part.response["Error"]["Code"] if isinstance(part, ClientError) else None,
)
def test_errors_of_aws_are_reported(
    machine: CollectorMachine, raised: Exception, error: type[errors.CollectorError], text: str
) -> None:
    with machine.failing("ListObjectsV2", raised):
        assert machine.run() == error.status
    assert text in machine.said()
    assert machine.site.requests == []


def test_expired_credentials_stop_it_and_it_continues_with_new_ones(
    machine: CollectorMachine,
) -> None:
    with machine.failing("PutObject", refusal("ExpiredToken"), after=3):  # two listings and a batch of pages
        assert machine.run() == errors.NoCredentials.status
    assert "Renew them and start again" in machine.said()
    archived = machine.tickers
    assert len(archived) == BATCH
    assert machine.manifests == []

    machine.site.clear_log()
    assert machine.run() == 0
    assert {request.ticker for request in machine.site.requests} == set(machine.every) - set(archived)


def test_missing_credentials_are_reported(
    machine: CollectorMachine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert main([f"--bucket={BUCKET}"], now=lambda: machine.now) == errors.NoCredentials.status
    assert "there are no AWS credentials" in machine.said()


def test_a_missing_profile_is_reported(machine: CollectorMachine) -> None:
    assert main([f"--bucket={BUCKET}", "--profile=nobody"]) == errors.NoCredentials.status
    assert "nobody" in machine.said()


def test_it_waits_for_a_lost_connection_to_s3(machine: CollectorMachine) -> None:
    lost = EndpointConnectionError(endpoint_url="https://s3")

    with machine.failing("PutObject", lost, after=2, times=2):
        assert machine.run() == 0
    assert machine.said().count("S3 cannot be reached") == 2
    assert set(machine.asked().values()) == {1}


def test_a_connection_to_s3_that_stays_lost_stops_it(machine: CollectorMachine) -> None:
    with machine.failing("PutObject", EndpointConnectionError(endpoint_url="https://s3")):
        assert machine.run() == errors.Incomplete.status
    assert "S3 cannot be reached" in machine.said()


@pytest.mark.parametrize(
    "bucket", ["my-bucket", "pynvest-sor-123456789012-sa-east-1", "pynvest-work-123-sa-east-1"]
)
def test_a_bucket_other_than_a_work_bucket_is_refused_before_any_call(
    machine: CollectorMachine, bucket: str
) -> None:
    assert machine.run(bucket=bucket) == errors.WrongBucket.status
    assert "is not the name of a lake's work bucket" in machine.said()
    assert machine.calls == []


def test_a_missing_work_bucket_is_reported(machine: CollectorMachine) -> None:
    assert machine.run(bucket=f"other-work-123456789012-{REGION}") == errors.WrongBucket.status
    assert "there is no bucket other-work" in machine.said()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "which bucket?"),
        ([f"--bucket={BUCKET}", "--day=20200101"], "--day is 20200101, expected a weekday"),
        ([f"--bucket={BUCKET}", "--day=27/11/2026"], "'27/11/2026', expected a day as YYYYMMDD"),
        ([f"--bucket={BUCKET}", "--patience=nan"], "'nan', expected a number of minutes"),
        ([f"--bucket={BUCKET}", "--header=nonsense"], "expected a name, a colon and a value"),
        ([f"--bucket={BUCKET}", "--header=User-Agent: “me”"], "in Latin letters and straight quotes"),
        ([f"--bucket={BUCKET}", "--header=User-Agent: me\nX: 1"], "in Latin letters and straight quotes"),
        ([f"--bucket={BUCKET}", "--header=User Agent: me"], "in Latin letters and straight quotes"),
        ([f"--bucket={BUCKET}", "--header=HOST: x"], "the header HOST decides whether an answer can be read"),
        ([f"--bucket={BUCKET}", "--site=fundamentus"], "expected an address"),
    ],
)
def test_an_invalid_command_line_is_reported(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert text in capsys.readouterr().err


def test_it_needs_only_its_own_requirements() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import collector.__main__, sys; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    others = {"aws_lambda_powertools", "awswrangler", "bs4", "numpy", "pandas", "pyarrow", "pynvest", "rich"}
    assert not loaded & others
    assert {"boto3", "certifi", "lxml"} <= loaded


def test_its_requirements_have_the_versions_of_the_tests() -> None:
    ours = pins(ROOT / "collector" / "requirements.txt")
    layers = pins(MANAGED_LAYER) | pins(ROOT / "lambda" / "layer" / "requirements.txt")

    assert len(ours) == 4
    assert ours.items() <= (pins(ROOT / "requirements-dev.txt") | layers).items()
