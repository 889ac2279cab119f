from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from urllib.parse import urlsplit

import pytest
import requests

from sandbox.site import FUND_VARIETIES, GHOSTS, STOCK_VARIETIES, Fault, SiteServer, make_assets
from sandbox.site.pages import detail_page

DAY = 20261123
ASSETS = make_assets(DAY)


def test_a_few_assets_have_every_variety() -> None:
    for assets in (ASSETS, make_assets(DAY, len(STOCK_VARIETIES), len(FUND_VARIETIES))):
        for kind, varieties in (("acoes", STOCK_VARIETIES), ("fiis", FUND_VARIETIES)):
            assert {asset.variety for asset in assets if asset.kind == kind} == set(varieties)


def test_tickers_are_unlike_each_other_and_those_without_a_page() -> None:
    assets = make_assets(DAY, 1000, 450)
    tickers = [asset.ticker for asset in assets] + [ticker for ghosts in GHOSTS.values() for ticker in ghosts]
    assert len(tickers) == len(set(tickers)) == 1000 + 450 + 3
    assert all(re.fullmatch(r"[A-Z][A-Z0-9]{3}(3|4|5|6|11)", ticker) for ticker in tickers)


@pytest.mark.parametrize(
    ("day", "session"),
    [
        (20261128, date(2026, 11, 27)),  # a Saturday
        (20261129, date(2026, 11, 27)),
        (20280229, date(2028, 2, 29)),
        (20261231, date(2026, 12, 31)),
        (20290102, date(2029, 1, 2)),
    ],
)
def test_assets_are_made_for_any_day_and_were_traded_in_its_last_session(day: int, session: date) -> None:
    assets = make_assets(day)
    quoted = {asset: asset.expected_sot()["dt_ult_cot"] for asset in assets}
    traded = {quoted[asset] for asset in assets if asset.variety in ("listed", "real_estate")}
    assert len(assets) == len(ASSETS)
    assert traded == {session}
    assert max(when for when in quoted.values() if when) == session


def test_a_cell_that_the_page_lacks_is_not_changed() -> None:
    with pytest.raises(ValueError, match="the page of PETR4 has no cell of segmento"):
        ASSETS[0].with_cell("segmento", "x")


@pytest.fixture
def site() -> Iterator[SiteServer]:
    with SiteServer(ASSETS) as site:
        yield site


def test_a_page_is_as_the_real_ones_are() -> None:
    page = detail_page(ASSETS[0]).decode("iso-8859-1")
    assert '<table class="w728"' in page
    assert "<title>Fundamentus - PETR4" in page
    assert re.search(
        r'<span class="help tips" title="Preço da ação sobre [^"]*">\?</span><span class="txt">P/L</span>',
        page,
    )
    assert '<span class="txt">Dia</span>' in page
    assert re.search(r'<span class="oscil"><font color="#\w+">\s*-?\d+,\d\d%\s*</font></span>', page)
    assert re.search(r'<span class="txt">\s*\n\s*PETR4\s*\n\s*</span>', page)


def test_an_unknown_path_is_not_found(site: SiteServer) -> None:
    assert requests.get(f"{site.base_url}/index.html", timeout=5).status_code == 404


def test_a_kept_alive_connection_is_quick_and_counted_once(site: SiteServer) -> None:
    seconds = []
    with requests.Session() as session:
        for asset in ASSETS:
            started_at = time.monotonic()
            answer = session.get(f"{site.base_url}/detalhes.php?papel={asset.ticker}", timeout=5)
            seconds.append(time.monotonic() - started_at)
            assert answer.content == detail_page(asset)
    assert min(seconds) < 0.03  # with a delayed ACK, each request would take 0.04 s or more
    assert site.connections == 1
    assert [request.ticker for request in site.requests] == [asset.ticker for asset in ASSETS]


def test_a_fault_may_spare_the_clients_that_say_who_they_are(site: SiteServer) -> None:
    site.set_fault("*", Fault("status", status=403, spared="at home"))
    url = f"{site.base_url}/detalhes.php?papel=PETR4"

    assert requests.get(url, timeout=5).status_code == 403
    assert requests.get(url, timeout=5, headers={"User-Agent": "I, at home"}).status_code == 200


def test_a_listing_has_todays_headings_and_one_asset_twice(site: SiteServer) -> None:
    text = requests.get(f"{site.base_url}/resultado.php", timeout=5).text
    headings = re.findall(r"<th><a[^>]*>(.*?)</a></th>", text)
    assert headings[:2] == ["Papel", "Cotação"]
    tickers = re.findall(r"<tr><td>.*?>([A-Z0-9]+)</a>", text)
    assert len(tickers) == len(set(tickers)) + 1


def test_a_closed_site_answers_no_kept_alive_connection(site: SiteServer) -> None:
    with SiteServer(ASSETS) as other:
        address = urlsplit(other.base_url)
        connection = http.client.HTTPConnection(address.netloc, timeout=5)
        connection.request("GET", "/detalhes.php?papel=PETR4")
        assert connection.getresponse().read() == detail_page(ASSETS[0])
    connection.auto_open = 0
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        connection.request("GET", "/detalhes.php?papel=PETR4")
        connection.getresponse()


def test_the_site_of_the_trial_is_a_process_that_ends_with_the_one_that_started_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox.site", "--port", "0", "--day", str(DAY)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        address = process.stdout.readline().split()[-1]
        listed = requests.get(f"{address}/resultado.php", timeout=5).text
        process.stdin.close()
        process.wait(5)
    assert "PETR4" in listed
    assert not re.search("GIPO4|TABA4", listed)  # names that are made up
