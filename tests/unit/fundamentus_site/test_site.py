from __future__ import annotations

import gzip
import html
import io
import logging
import socket
import ssl
import threading
import time
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from pynvest.scrappers import fundamentus as pynvest_fundamentus

from b3.kind import Kind
from fundamentus_site.asset_page import Labels
from fundamentus_site.client import SiteClient, redirected
from fundamentus_site.errors import (
    FundamentusError,
    LayoutNotRecognized,
    NoSuchAsset,
    Refused,
    Unavailable,
)
from fundamentus_site.page import MAX_PAGE_BYTES, Page
from fundamentus_site.site import FundamentusSite
from pynvest_lake.contract import SOR_ACOES, SOR_FIIS, table_schema
from sandbox.site import make_assets
from sandbox.site.pages import detail_page

DAY = 20261123
SCHEMAS = {Kind.ACOES: table_schema(SOR_ACOES), Kind.FIIS: table_schema(SOR_FIIS)}
LABELS = {kind: Labels(schema.labels, schema.core_labels) for kind, schema in SCHEMAS.items()}
SITE = FundamentusSite("http://site", labels=LABELS)
EVENING = datetime(2026, 11, 23, 21, 50, tzinfo=timezone.utc)

# ---------------------------------------------------------------------------------------------- the pages

STOCK_ASSET, FUND_ASSET = make_assets(DAY, 1, 1)
Row = dict[str, "str | None"]
STOCK: Row = STOCK_ASSET.expected_sor()
FUND: Row = FUND_ASSET.expected_sor()
COMPANY = "PETROBRAS PN"


def stock_page(ticker: str = "PETR4", company: str = COMPANY) -> str:
    page = detail_page(STOCK_ASSET).decode("iso-8859-1")
    return page.replace("PETR4", ticker).replace(COMPANY, company)


def document(*parts: str) -> str:
    menu = '<table><tr><td><a href="/resultado.php">?</a></td></tr></table>'
    head = "<head><title>Fundamentus - Detalhes</title></head>"
    return f"<!DOCTYPE html><html>{head}<body>{menu}{''.join(parts)}</body></html>"


NOTHING_FOUND = document("<h1>Nenhum papel encontrado</h1>")
INTERSTITIAL = "<html><title>Um momento</title><p>www.fundamentus.com.br: verificando ...</p></html>"


def listing_page(*tickers: str) -> str:
    rows = (f'<tr><td><a href="detalhes.php?papel={t}">{t}</a></td><td>1,00</td></tr>' for t in tickers)
    return f"<html><title>Fundamentus</title><body><table>{''.join(rows)}</table></body></html>"


# ---------------------------------------------------------------------------------------------- the server


@dataclass
class Answer:
    body: str | bytes = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/html; charset=ISO-8859-1"})

    def send(self, handler: BaseHTTPRequestHandler) -> None:
        body = self.body.encode("iso-8859-1") if isinstance(self.body, str) else self.body
        handler.send_response(self.status)
        for name, text in {"Content-Length": str(len(body)), **self.headers}.items():
            handler.send_header(name, text)
        handler.end_headers()
        handler.wfile.write(body)


Serving = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """A loopback site. Each path gives its answers in the order of the list, then repeats the last answer."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Serving]] = {}
        self.requests: list[tuple[str, int]] = []
        self.headers: list[dict[str, str]] = []
        self.most_in_flight = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        self.released = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                with site._lock:
                    site.requests.append((self.path, self.client_address[1]))
                    site.headers.append({name.title(): text for name, text in self.headers.items()})
                    site._in_flight += 1
                    site.most_in_flight = max(site.most_in_flight, site._in_flight)
                    answers = site.answers[self.path]
                    answer = answers.pop(0) if len(answers) > 1 else answers[0]
                try:
                    answer(self)
                except ConnectionError:
                    self.close_connection = True
                finally:
                    with site._lock:
                        site._in_flight -= 1

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    def serve(self, path: str, *answers: Answer | Serving | str) -> None:
        self.answers[path] = [
            answer.send
            if isinstance(answer, Answer)
            else Answer(answer).send
            if isinstance(answer, str)
            else answer
            for answer in answers
        ]

    def asset(self, ticker: str, *answers: Answer | Serving | str) -> None:
        self.serve(f"/detalhes.php?papel={ticker}", *answers)

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def server() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def client(server: Site, **options: Any) -> FundamentusSite:
    return FundamentusSite(
        server.url, **{"labels": LABELS, "timeout_seconds": 5.0, "backoff_seconds": 0.001, **options}
    )


def page_of(body: bytes, fetched_at: datetime = EVENING) -> Page:
    return Page("http://site/page", 200, "text/html; charset=UTF-8", body, fetched_at)


def read_asset(
    site: FundamentusSite,
    ticker: str,
    kind: Kind = Kind.ACOES,
    *,
    day: int = DAY,
    not_after: float | None = None,
) -> Row:
    page = site.fetch_asset(ticker, not_after=not_after)
    frame = site.coleta_indicadores_de_ativo(ticker, page=page, kind=kind, day=day)
    row: Row = frame.iloc[0].to_dict()
    return row


def list_tickers(site: FundamentusSite, kind: Kind = Kind.ACOES) -> list[str]:
    return site.extracao_tickers_de_ativos(kind.listing)


def read_stock(server: Site, page: Answer | str) -> Row:
    server.asset("PETR4", page)
    return read_asset(client(server), "PETR4")


# --------------------------------------------------------------------------------------- assets, cell by cell


def without_moment(asset: dict[str, str | None]) -> dict[str, str | None]:
    assert asset["datetime_exec"]
    return {column: text for column, text in asset.items() if column != "datetime_exec"}


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("O que &eacute; isto? &amp; C&iacute;a", "O que é isto? & Cía"),
        ("?", "?"),
        ("?Papel", "?Papel"),
        ("Dia", "Dia"),
        ("2026", "2026"),
        ("Cotação", "Cotação"),
        ("<a href='x'>A &lt;b&gt; S.A.</a>", "A <b> S.A."),
        ("A<!-- ? -->B", "AB"),
        ("A\n  B", "A\n  B"),
        ("&nbsp;A&nbsp;B&nbsp;", "A\xa0B"),
        ("d&#180;&Aacute;gua \x96 1&ordf;", "d´Água – 1ª"),
    ],
)
def test_a_text_is_kept_as_it_stands_whatever_it_looks_like(server: Site, written: str, text: str) -> None:
    asset = read_stock(server, stock_page(company=written))
    assert without_moment(asset) == {**STOCK, "nome_empresa": text}


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), include_characters="\n\t")))
def test_any_text_is_read_back(text: str) -> None:
    body = stock_page(company=html.escape(text)).encode()
    frame = SITE.coleta_indicadores_de_ativo("PETR4", page=page_of(body), kind=Kind.ACOES, day=DAY)
    assert without_moment(frame.iloc[0].to_dict()) == {**STOCK, "nome_empresa": text.strip()}


def test_labels_are_known_by_their_name_whatever_their_dots_spaces_and_marks(server: Site) -> None:
    page = stock_page()
    for written, other in {
        "Patrim. Líq": "Patrim. Líq.",
        "EV / EBITDA": "EV/EBITDA",
        "Marg. Bruta": "Marg.\n  Bruta",
        "Cres. Rec (5a)": "Cres.&nbsp;Rec (5a)",
    }.items():
        page = page.replace(f'"txt">{written}<', f'"txt">{other}<')
    for written in ("label w15", "label w1", "data"):
        page = page.replace(f'class="{written}"', "")
    assert without_moment(read_stock(server, page)) == STOCK


# ------------------------------------------------------------------------------- the methods of pynvest


def test_a_frame_has_one_row_of_objects_and_says_what_else_is_known_of_the_page() -> None:
    body = stock_page().replace('"txt">P/L<', '"txt">P/L novo<').encode()
    frame = SITE.coleta_indicadores_de_ativo("petr4 ", page=page_of(body), kind=Kind.ACOES, day=DAY)

    assert set(frame.dtypes) == {np.dtype(object)}
    assert frame.shape == (1, len(STOCK) + 1)
    assert frame.at[0, "vlr_ind_p_sobre_l"] is None
    assert frame.attrs == {
        "unknown_labels": ("P/L novo",),
        "unknown_count": 1,
        "lacking_core": ("P/L",),
        "session": date(2026, 11, 23),
    }


@pytest.mark.parametrize("moment", ["2026-11-23T21:50:07+00:00", "2026-11-23T18:50:07-03:00"])
def test_the_moment_of_a_frame_is_that_at_which_the_page_came_in_brasilia(moment: str) -> None:
    page = page_of(stock_page().encode(), datetime.fromisoformat(moment))
    frame = SITE.coleta_indicadores_de_ativo("PETR4", page=page, kind=Kind.ACOES, day=DAY)
    assert frame.at[0, "datetime_exec"] == "23-11-2026 18:50:07"


def test_without_a_page_the_site_is_asked_and_without_a_kind_the_pages_is_read(server: Site) -> None:
    server.asset("PETR4", stock_page())
    server.asset("HGLG11", Answer(detail_page(FUND_ASSET)))
    site = client(server)
    for ticker, row in (("PETR4", STOCK), ("HGLG11", FUND)):
        frame = site.coleta_indicadores_de_ativo(ticker, day=DAY)
        assert without_moment(frame.iloc[0].to_dict()) == row
    assert len(server.requests) == 2


def test_without_a_day_a_page_is_read_for_the_one_at_which_it_came() -> None:
    next_year = datetime.fromisoformat("2027-01-01T03:00:00+00:00")
    for moment, first in ((next_year, None), (next_year - timedelta(seconds=1), STOCK["pct_var_ano_a0"])):
        frame = SITE.coleta_indicadores_de_ativo("PETR4", page=page_of(stock_page().encode(), moment))
        assert frame.at[0, "pct_var_ano_a0"] == first


def test_types_are_stage_4s() -> None:
    with pytest.raises(ValueError, match=r"drops minus signs: .* stage 4, prep_financial_data"):
        SITE.coleta_indicadores_de_ativo("PETR4", parse_dtypes=True)


def test_there_are_two_listings(server: Site) -> None:
    server.serve("/fii_resultado.php", listing_page("HGLG11"))
    assert client(server).extracao_tickers_de_ativos(" FIIs") == ["HGLG11"]
    page = page_of(listing_page("PETR4").encode())
    assert client(server).extracao_tickers_de_ativos(page=page) == ["PETR4"]
    with pytest.raises(TypeError, match="tipo is 'bdrs', expected 'ações' or 'fiis'"):
        client(server).extracao_tickers_de_ativos("bdrs")


def test_one_site_reads_for_days_of_two_years(server: Site) -> None:
    server.asset("PETR4", stock_page().replace("23/11/2026", "30/12/2025"))
    site = client(server)
    for _ in range(2):
        for day, column in ((20251230, "pct_var_ano_a1"), (20260102, "pct_var_ano_a0")):
            assert read_asset(site, "PETR4", day=day)["pct_var_ano_a0"] == STOCK[column]


def test_a_site_without_labels_reads_listings_only(server: Site) -> None:
    server.serve("/resultado.php", listing_page("PETR4"))
    server.asset("PETR4", stock_page())
    site = client(server, labels=None)
    assert list_tickers(site) == ["PETR4"]
    with pytest.raises(ValueError, match="PETR4 cannot be read: this object has no labels of acoes"):
        read_asset(site, "PETR4")


# ---------------------------------------------------------------------------------------------- outcomes


def outcome(
    server: Site, *answers: Answer | Serving | str, kind: Kind = Kind.ACOES, **options: Any
) -> FundamentusError:
    server.asset("PETR4", *answers)
    with pytest.raises(FundamentusError) as error:
        read_asset(client(server, **options), "PETR4", kind)
    assert f"{server.url}/detalhes.php?papel=PETR4" in str(error.value)
    return error.value


def test_an_asset_that_the_site_does_not_know_is_told_as_such(server: Site) -> None:
    error = outcome(server, NOTHING_FOUND)
    assert type(error) is NoSuchAsset
    assert "finds no paper PETR4" in str(error)
    assert len(server.requests) == 1


def test_403_is_a_refusal_at_once(server: Site) -> None:
    error = outcome(server, Answer("Access denied", 403))
    assert type(error) is Refused
    assert "status 403" in str(error)
    assert len(server.requests) == 1


def test_429_is_a_refusal_at_once_that_speaks_of_the_rate(server: Site) -> None:
    error = outcome(server, Answer("slow down", 429))
    assert isinstance(error, Refused)
    assert error.rate_limited
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_5xx_is_asked_again_and_is_unavailable_when_it_stays(server: Site, status: int) -> None:
    error = outcome(server, Answer("oops", status))
    assert type(error) is Unavailable
    assert f"status {status}" in str(error)
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [404, 407, 451, 503])
@pytest.mark.parametrize("body", [INTERSTITIAL, "<title>Login do Wi-Fi</title>"])
def test_a_challenge_is_a_refusal_whatever_its_status_and_so_is_a_strange_page_but_of_a_server_that_fails(
    server: Site, status: int, body: str
) -> None:
    failed = status == 503 and body != INTERSTITIAL
    assert type(outcome(server, Answer(body, status))) is (Unavailable if failed else Refused)
    assert len(server.requests) == (3 if failed else 1)


@pytest.mark.parametrize("status", [404, 410, 401, 204])
def test_any_other_status_is_unavailable_and_not_asked_again(server: Site, status: int) -> None:
    error = outcome(server, Answer("", status))
    assert type(error) is Unavailable
    assert f"status {status}" in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body", [b"", b"   ", b'{"papel": "PETR4"}', bytes(range(256)) * 20, b"papel;cotacao\nPETR4;1"]
)
def test_a_body_that_is_no_html_page_is_a_broken_answer(server: Site, body: bytes) -> None:
    error = outcome(server, Answer(body))
    assert type(error) is Unavailable
    assert "no HTML page" in str(error)


def test_indicator_tables_without_any_label_are_not_recognized(server: Site) -> None:
    error = outcome(server, document('<table class="w728"><tr><td></td></tr></table>'))
    assert type(error) is LayoutNotRecognized
    assert "tables without indicators" in str(error)


def test_a_page_of_another_asset_is_not_recognized(server: Site) -> None:
    error = outcome(server, stock_page("VALE3"))
    assert type(error) is LayoutNotRecognized
    assert "asked for PETR4 (acoes), found the page of 'VALE3'" in str(error)


# ---------------------------------------------------------------------------------------------- the session


def reset_connection(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def break_off(page: str, *, declared: bool) -> Serving:
    def serve(handler: BaseHTTPRequestHandler) -> None:
        body = page.encode("iso-8859-1")
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        if declared:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])
        handler.close_connection = True

    return serve


def drip(head: bytes, byte: bytes) -> Serving:
    """Send a body byte by byte, with short pauses that stay within a socket's time limit."""

    def serve(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.wfile.write(head)
        for _ in range(3000):
            handler.wfile.write(byte)
            handler.wfile.flush()
            time.sleep(0.01)

    return serve


def hang(server: Site) -> Serving:
    def serve(handler: BaseHTTPRequestHandler) -> None:
        server.released.wait(30)
        handler.close_connection = True

    return serve


def test_a_flaky_page_is_read(server: Site) -> None:
    server.asset("PETR4", Answer("", 503), reset_connection, stock_page())
    assert without_moment(read_asset(client(server), "PETR4")) == STOCK
    assert len(server.requests) == 3


def test_a_closed_port_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(Unavailable, match="ConnectionRefusedError"):
        FundamentusSite(url, backoff_seconds=0.001).fetch_asset("PETR4")


@pytest.mark.parametrize("declared", [True, False])
def test_a_page_that_breaks_off_is_unavailable_and_never_read_in_part(server: Site, declared: bool) -> None:
    assert type(outcome(server, break_off(stock_page(), declared=declared))) is Unavailable
    assert len(server.requests) == 3


HTTP_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


@pytest.mark.parametrize(
    "slow",
    [
        drip(b"", b"x"),
        drip(HTTP_OK + b"X-Header: ", b"x"),
        drip(HTTP_OK + b"\r\n", b"x"),
        drip(HTTP_OK + b"Content-Length: 100000\r\n\r\n", b"x"),
        drip(HTTP_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        drip(HTTP_OK + b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n", b"x"),
        drip(b"HTTP/1.1 500 Oops\r\nContent-Length: 100000\r\n\r\n", b"x"),
    ],
    ids=[
        "status line",
        "headers",
        "body",
        "body of a declared length",
        "chunks",
        "one chunk",
        "body of a 500",
    ],
)
def test_a_server_that_drips_does_not_hold_us(server: Site, slow: Serving) -> None:
    started = time.monotonic()
    assert type(outcome(server, slow, timeout_seconds=0.3, attempts=2)) is Unavailable
    assert time.monotonic() - started < 15
    assert len(server.requests) == 2


def test_a_server_that_hangs_does_not_hold_us(server: Site) -> None:
    started = time.monotonic()
    error = outcome(server, hang(server), timeout_seconds=0.3, attempts=2)
    assert type(error) is Unavailable
    assert time.monotonic() - started < 15


def test_a_connection_that_comes_after_its_time_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def resolve_slowly(*args: Any, **options: Any) -> Any:
        threading.Event().wait(0.3)
        return resolve(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_slowly)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(Unavailable, match="was not complete") as held:
            FundamentusSite(url, timeout_seconds=0.2, attempts=1).fetch_asset("PETR4")
        with listener.accept()[0] as connection:
            connection.settimeout(5)
            assert connection.recv(1) == b"", held


def test_a_page_after_a_cut_connection_is_read_on_a_new_one(server: Site) -> None:
    server.asset("VALE3", drip(HTTP_OK + b"Content-Length: 100000\r\n\r\n", b"x"), stock_page("VALE3"))
    site = client(server, timeout_seconds=0.3, max_connections=1)
    assert read_asset(site, "VALE3")["nome_papel"] == "VALE3"


def test_a_kept_connection_that_the_server_closes_costs_no_attempt(server: Site) -> None:
    server.asset("PETR4", stock_page(), reset_connection, stock_page())
    site = client(server, attempts=1)
    for _ in range(2):
        assert read_asset(site, "PETR4")["nome_papel"] == "PETR4"
    first, second, third = (connection for _, connection in server.requests)
    assert first == second != third


@pytest.fixture
def tls_server(server: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return the site over TLS, with a certificate that the client trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.IPAddress(ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2000, 1, 1))
        .not_valid_after(datetime(2100, 1, 1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    trusted = tmp_path / "certificate.pem"
    trusted.write_bytes(secret + certificate.public_bytes(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(trusted)
    server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
    server.url = server.url.replace("http://", "https://")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    return server


@pytest.mark.parametrize("fixture", ["server", "tls_server"])
def test_an_answer_that_no_request_asked_for_answers_no_later_request(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    server: Site = request.getfixturevalue(fixture)

    def answer_twice(handler: BaseHTTPRequestHandler) -> None:
        one, other = (
            HTTP_OK + b"Content-Length: %d\r\n\r\n" % len(body) + body
            for body in (b"<html>Fundamentus 1</html>", b"<html>Fundamentus 2</html>")
        )
        # http.client reads 8192 bytes at once; what follows them is what a later request would read.
        handler.wfile.write(one.ljust(io.DEFAULT_BUFFER_SIZE) + other)

    server.serve("/twice", answer_twice)
    server.serve("/later", "<html>Fundamentus 3</html>")
    site = SiteClient({}, max_connections=1, timeout_seconds=5, attempts=1)
    assert site.get(f"{server.url}/twice").text == "<html>Fundamentus 1</html>"
    assert site.get(f"{server.url}/later").text == "<html>Fundamentus 3</html>"


def compressed(body: bytes, encoding: str) -> Answer:
    return Answer(body, headers={"Content-Type": "text/html", "Content-Encoding": encoding})


def raw_deflate(body: bytes) -> bytes:
    return zlib.compress(body)[2:-4]


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("X-GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
    ],
)
def test_a_compressed_page_is_read(server: Site, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    answer = compressed(pack(stock_page().encode("iso-8859-1")), encoding)
    assert without_moment(read_stock(server, answer)) == STOCK


TOO_LARGE = b"x" * (MAX_PAGE_BYTES + 1)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Answer(TOO_LARGE), "more than 2097152 bytes"),
        (compressed(gzip.compress(b"\0" * 10**8), "gzip"), "more than 2097152 bytes"),
        (compressed(gzip.compress(gzip.compress(b"x")), "gzip, gzip"), "the encoding 'gzip, gzip'"),
        (compressed(b"x", "br"), "the encoding 'br'"),
        (compressed(b"not compressed", "gzip"), "incorrect header check"),
        (compressed(gzip.compress(stock_page().encode())[:-100], "gzip"), "IncompleteRead"),
    ],
    ids=["large", "large once decompressed", "compressed twice", "unknown", "not compressed", "breaks off"],
)
def test_an_oversized_or_broken_body_is_unavailable(server: Site, answer: Answer, found: str) -> None:
    error = outcome(server, answer)
    assert type(error) is Unavailable
    assert found in str(error)


def test_an_answer_without_end_in_a_chunk_of_size_minus_one_is_not_kept(server: Site) -> None:
    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.wfile.write(HTTP_OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n")
        for _ in range(100):
            handler.wfile.write(b"x" * 1024 * 1024)

    error = outcome(server, flood, attempts=1)
    assert "more than 2097152 bytes" in str(error)


def raw(answer: bytes) -> Serving:
    def serve(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(answer)
        handler.close_connection = True

    return serve


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 302 Found\r\nLocation: /manuten\xe7\xe3o.php\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://a..b/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: //:99999/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 70_000 + b"\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200 + b"\r\n",
    ],
    ids=["latin-1", "brackets", "dots", "file", "port", "negative chunk", "long chunk", "status", "headers"],
)
def test_whatever_goes_wrong_with_addresses_and_http_is_unavailable(server: Site, answer: bytes) -> None:
    server.serve("/manuten%E7%E3o.php", Answer("", 404))
    assert type(outcome(server, raw(answer))) is Unavailable


def test_a_charset_with_a_nul_is_passed_over(server: Site) -> None:
    headers = {"Content-Type": "text/html; charset*=''%00"}
    answer = Answer(stock_page().encode("iso-8859-1"), headers=headers)
    assert without_moment(read_stock(server, answer)) == STOCK


def test_a_host_without_an_address_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        FundamentusSite("http://fundamentus.invalid", attempts=1).fetch_asset("PETR4")


def test_the_time_that_the_server_asks_for_is_waited(server: Site) -> None:
    server.asset("PETR4", Answer("", 503, {"Retry-After": "1"}), stock_page())
    started = time.monotonic()
    read_asset(client(server), "PETR4")
    assert time.monotonic() - started >= 1


@pytest.mark.parametrize(("status", "kind_of_error"), [(429, Refused), (503, Unavailable)])
def test_a_server_that_asks_for_a_long_wait_is_not_asked_again(
    server: Site, status: int, kind_of_error: type[FundamentusError]
) -> None:
    assert type(outcome(server, Answer("", status, {"Retry-After": "3600"}))) is kind_of_error
    assert len(server.requests) == 1


def test_a_retry_after_that_is_no_time_is_passed_over(server: Site) -> None:
    server.asset("PETR4", Answer("", 503, {"Retry-After": "soon"}), stock_page())
    assert read_asset(client(server), "PETR4")["nome_papel"] == "PETR4"


def test_no_attempt_starts_after_the_callers_time_is_over(server: Site) -> None:
    server.asset("PETR4", stock_page())
    with pytest.raises(Unavailable, match="its time was over"):
        read_asset(client(server), "PETR4", not_after=time.monotonic())
    assert server.requests == []


def test_nothing_is_waited_for_past_the_callers_time(server: Site) -> None:
    server.asset("PETR4", hang(server))
    started = time.monotonic()
    with pytest.raises(Unavailable):
        read_asset(client(server, timeout_seconds=20.0), "PETR4", not_after=started + 0.3)
    assert time.monotonic() - started < 15
    assert len(server.requests) == 1


def test_a_redirect_is_followed(server: Site) -> None:
    server.asset("PETR4", Answer("", 302, {"Location": "/novo?papel=PETR4"}))
    server.serve("/novo?papel=PETR4", stock_page())
    assert read_asset(client(server), "PETR4")["nome_papel"] == "PETR4"


def test_a_redirect_to_another_host_or_port_is_not_followed(server: Site) -> None:
    other = Site()
    try:
        other.asset("PETR4", stock_page())
        for host in (other.url, server.url.replace("127.0.0.1", "localhost")):
            error = outcome(server, Answer("", 302, {"Location": f"{host}/detalhes.php?papel=PETR4"}))
            assert type(error) is Unavailable
            assert "expected the same host" in str(error)
        assert other.requests == []
    finally:
        other.close()


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("http://site/a", "https://site/b", "https://site/b"),
        ("https://site/a", "http://site/b", None),
        ("https://site/a", "https://SITE:443/b", "https://SITE:443/b"),
        ("https://site/a", "https://www.site/b", None),
        ("http://site:8080/a", "https://site/b", None),
        ("https://site/a", "//other@site/b", "https://other@site/b"),
        ("https://site/a", "https://site\\@other/b", None),
    ],
)
def test_redirects_lead_to_the_same_host_and_never_from_https_to_http(
    url: str, location: str, target: str | None
) -> None:
    if target is None:
        with pytest.raises(Unavailable):
            redirected(url, location)
    else:
        assert redirected(url, location) == target


def test_neither_cookies_nor_passwords_of_this_machine_are_sent(
    server: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    server.asset("PETR4", Answer(stock_page(), headers={"Set-Cookie": "a=b"}))
    site = client(server)
    for _ in range(2):
        read_asset(site, "PETR4")
    assert not {"cookie", "authorization"} & {name.lower() for one in server.headers for name in one}


# ------------------------------------------------------------------------------------------------- proxies


def proxied(server: Site, monkeypatch: pytest.MonkeyPatch, *, use_proxy: bool = True) -> SiteClient:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, server.url.replace("//", "//me:se%20cret@"))
    for name in ("no_proxy", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    return SiteClient({}, max_connections=1, timeout_seconds=0.5, attempts=1, use_proxy=use_proxy)


def test_a_proxy_is_used_where_it_may_be_and_the_environment_names_one(
    server: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.serve("http://fundamentus.invalid/detalhes.php?papel=PETR4", stock_page())
    page = proxied(server, monkeypatch).get("http://fundamentus.invalid/detalhes.php?papel=PETR4")
    assert page.body == stock_page().encode("iso-8859-1")
    assert server.headers[0]["Proxy-Authorization"] == f"Basic {b64encode(b'me:se cret').decode()}"


def test_no_proxy_is_used_otherwise(server: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    unaware = proxied(server, monkeypatch, use_proxy=False)
    with pytest.raises(Unavailable, match="gaierror"):
        unaware.get("http://fundamentus.invalid/resultado.php")
    monkeypatch.setenv("no_proxy", ".invalid")
    with pytest.raises(Unavailable, match="gaierror"):
        proxied_but_for = SiteClient({}, max_connections=1, timeout_seconds=0.5, attempts=1, use_proxy=True)
        proxied_but_for.get("http://fundamentus.invalid/resultado.php")
    assert server.requests == []


@pytest.mark.parametrize(
    ("scheme", "answers"),
    [
        ("http", [b"HTTP/1.1 200 OK\r\nX: "]),
        ("http", [HTTP_OK + b"Content-Length: 1000\r\n\r\n"]),
        ("https", [b"HTTP/1.1 200 OK\r\nX: "]),
        ("https", [b"HTTP/1.1 200 OK\r\n\r\n", b"\x16\x03\x03\x3f\xff"]),
    ],
    ids=["head", "body", "answer to CONNECT", "handshake"],
)
def test_a_proxy_that_drips_does_not_hold_us(
    monkeypatch: pytest.MonkeyPatch, scheme: str, answers: list[bytes]
) -> None:
    with dripping(answers) as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        through = SiteClient({}, max_connections=1, timeout_seconds=0.3, attempts=1, use_proxy=True)
        started = time.monotonic()
        with pytest.raises(Unavailable, match="was not complete"):
            through.get(f"{scheme}://fundamentus.invalid/resultado.php")
        assert time.monotonic() - started < 10


def test_a_proxy_that_uses_up_the_time_leaves_none_for_the_handshake(monkeypatch: pytest.MonkeyPatch) -> None:
    with dripping([b"HTTP/1.1 200 OK\r\n\r\n"], after=1.8, pause=30.0) as proxy:
        monkeypatch.setenv("https_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        through = SiteClient({}, max_connections=1, timeout_seconds=2.0, attempts=1, use_proxy=True)
        started = time.monotonic()
        with pytest.raises(Unavailable, match="was not complete"):
            through.get("https://fundamentus.invalid/resultado.php")
        assert time.monotonic() - started < 3


@contextmanager
def dripping(answers: list[bytes], after: float = 0.0, pause: float = 0.02) -> Iterator[str]:
    """Accept one client, answer its requests with `answers` after some seconds, then drip bytes."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            for answer in answers:
                connection.recv(65536)
                released.wait(after)
                connection.sendall(answer)
            while not released.wait(pause):
                connection.sendall(b"x")

    released = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            released.set()
            thread.join()


def test_redirects_in_a_circle_are_unavailable(server: Site) -> None:
    error = outcome(server, Answer("", 302, {"Location": "/detalhes.php?papel=PETR4"}))
    assert type(error) is Unavailable
    assert "more than 3 redirects" in str(error)
    assert len(server.requests) == 4


def test_pages_come_over_few_connections_kept_open_under_one_identity(server: Site) -> None:
    tickers = [f"AAAA{number}" for number in range(40)]
    for ticker in tickers:
        server.asset(ticker, stock_page(ticker))
    server.serve("/resultado.php", listing_page(*tickers))
    site = client(server, max_connections=3)
    list_tickers(site, Kind.ACOES)
    with ThreadPoolExecutor(12) as threads:
        assets = list(threads.map(lambda ticker: read_asset(site, ticker), tickers))
    assert [asset["nome_papel"] for asset in assets] == tickers
    assert server.most_in_flight <= 3
    assert len({connection for _, connection in server.requests}) <= 3
    user_agents = {headers["User-Agent"] for headers in server.headers}
    assert user_agents == {pynvest_fundamentus.REQUEST_HEADER["User-Agent"]}


def test_given_headers_are_laid_over_those_of_pynvest_whatever_their_capitals(server: Site) -> None:
    server.asset("PETR4", stock_page())
    server.serve("/resultado.php", listing_page("PETR4"))
    for headers in ({"Accept-Language": "pt-BR"}, {"user-agent": "me", "Accept": "text/html"}):
        site = client(server, headers=headers)
        read_asset(site, "PETR4")
        list_tickers(site)
    pynvests = pynvest_fundamentus.REQUEST_HEADER["User-Agent"]
    sent = [
        tuple(request.get(name) for name in ("User-Agent", "Accept", "Accept-Language"))
        for request in server.headers
    ]
    assert sent == [(pynvests, "*/*", "pt-BR")] * 2 + [("me", "text/html", None)] * 2
    assert set(pynvest_fundamentus.REQUEST_HEADER) == {"User-Agent"}


def test_a_trailing_slash_of_the_address_does_not_matter(server: Site) -> None:
    server.asset("PETR4", stock_page())
    site = FundamentusSite(f"{server.url}/", labels=LABELS)
    assert read_asset(site, "PETR4")["nome_papel"] == "PETR4"


def test_pynvest_writes_nothing_to_the_log_by_itself(server: Site, capfd: pytest.CaptureFixture[str]) -> None:
    server.serve("/resultado.php", Answer("", 404))
    site = [client(server) for _ in range(3)][-1]
    with pytest.raises(Unavailable):
        list_tickers(site, Kind.ACOES)
    assert logging.getLogger(pynvest_fundamentus.log_config.__code__.co_filename).handlers == []
    assert capfd.readouterr() == ("", "")


# ---------------------------------------------------------------------------------------------- listings


def test_a_ticker_without_a_digit_is_an_asset_like_any_other(server: Site) -> None:
    server.serve("/resultado.php", listing_page("VALE3", "ABCD"))
    assert list_tickers(client(server)) == ["ABCD", "VALE3"]
