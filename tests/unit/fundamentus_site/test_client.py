from __future__ import annotations

import gzip
import io
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fundamentus_site.client import SiteClient, redirected
from fundamentus_site.errors import FundamentusError, Unavailable
from fundamentus_site.page import MAX_PAGE_BYTES

PAGE = "<html>Fundamentus</html>"
INTERSTITIAL = "<html><title>Um momento</title><p>www.fundamentus.com.br: verificando ...</p></html>"
HTTP_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
ELSEWHERE = "http://fundamentus.invalid/resultado.php"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        site = self.server
        with site.lock:
            site.requests.append((self.path, self.client_address[1]))
            site.headers.append({name.title(): text for name, text in self.headers.items()})
            site.in_flight += 1
            site.most_in_flight = max(site.most_in_flight, site.in_flight)
            answers = site.answers[self.path]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        try:
            answer(self)
        except ConnectionError:
            self.close_connection = True
        finally:
            with site.lock:
                site.in_flight -= 1

    def do_CONNECT(self) -> None:
        self.do_GET()

    def log_message(self, *args: Any) -> None:
        pass


Serving = Callable[[Handler], None]


@dataclass
class Answer:
    body: str | bytes = PAGE
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(self, handler: Handler) -> None:
        body = self.body.encode() if isinstance(self.body, str) else self.body
        handler.send_response(self.status)
        for name, text in {"Content-Length": str(len(body)), **self.headers}.items():
            handler.send_header(name, text)
        handler.end_headers()
        handler.wfile.write(body)


def raw(answer: bytes) -> Serving:
    """Send bytes and close the connection."""

    def serve(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(answer)

    return serve


def endless(head: bytes, piece: bytes) -> Serving:
    """Send `head`, then `piece` again and again. The pauses are shorter than the client's time limit."""

    def serve(handler: Handler) -> None:
        raw(head)(handler)
        while not handler.server.released.wait(0.01):
            handler.wfile.write(piece)

    return serve


def reset_connection(handler: Handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


class Site(ThreadingHTTPServer):
    """A loopback site. Each request to a path gets the path's next answer. The last answer is repeated."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers: dict[str, list[Serving]] = {}
        self.requests: list[tuple[str, int]] = []
        self.headers: list[dict[str, str]] = []
        self.in_flight = self.most_in_flight = 0
        self.lock = threading.Lock()
        self.released = threading.Event()

    def serve(self, *answers: Serving, path: str = "/page") -> None:
        self.answers[path] = list(answers)


@pytest.fixture
def server() -> Iterator[Site]:
    with Site() as site:
        threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield site
        site.released.set()
        site.shutdown()


def client(**options: Any) -> SiteClient:
    settings = {"max_connections": 2, "timeout_seconds": 5.0, "backoff_seconds": 0.001}
    return SiteClient({}, **{**settings, **options})


def get(server: Site, not_after: float | None = None, **options: Any) -> str:
    return client(**options).get(f"{server.url}/page", not_after).text


def failure(server: Site, *answers: Serving, **options: Any) -> FundamentusError:
    server.serve(*answers)
    with pytest.raises(FundamentusError) as error:
        get(server, **options)
    assert f"{server.url}/page" in str(error.value)
    return error.value


def test_a_flaky_page_is_read(server: Site) -> None:
    server.serve(Answer("", 503), reset_connection, Answer())
    assert get(server) == PAGE
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [500, 599])
def test_status_5xx_is_retried_and_then_unavailable(server: Site, status: int) -> None:
    assert f"status {status}" in str(failure(server, Answer("oops", status)))
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "answer",
    [Answer("", 204), Answer("", 403), Answer("", 404), Answer("", 429), Answer(INTERSTITIAL, 503)],
    ids=["204", "403", "404", "429", "challenge"],
)
def test_other_answers_are_not_retried(server: Site, answer: Answer) -> None:
    assert f"status {answer.status}" in str(failure(server, answer))
    assert len(server.requests) == 1


def test_the_client_waits_as_long_as_the_server_asks(server: Site) -> None:
    server.serve(Answer("", 503, {"Retry-After": "0.5"}), Answer())
    started = time.monotonic()
    get(server)
    assert time.monotonic() - started >= 0.5


def test_a_server_that_asks_for_a_long_wait_gets_no_retry(server: Site) -> None:
    failure(server, Answer("", 503, {"Retry-After": "3600"}))
    assert len(server.requests) == 1


def test_an_invalid_retry_after_is_ignored(server: Site) -> None:
    server.serve(Answer("", 503, {"Retry-After": "soon"}), Answer())
    assert get(server) == PAGE


def test_no_attempt_starts_after_the_deadline(server: Site) -> None:
    assert "the deadline has passed" in str(failure(server, Answer(), not_after=time.monotonic()))
    assert server.requests == []


def test_no_wait_lasts_longer_than_the_deadline(server: Site) -> None:
    started = time.monotonic()
    failure(server, endless(b"", b""), timeout_seconds=20.0, not_after=started + 0.3)
    assert time.monotonic() - started < 15
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [b"Content-Length: 1000\r\n\r\n<html>Fundamentus</html>", b"\r\n<html>Fundamentus"],
    ids=["before its length", "before </html>"],
)
def test_a_truncated_page_is_unavailable(server: Site, answer: bytes) -> None:
    assert type(failure(server, raw(HTTP_OK + answer))) is Unavailable
    assert len(server.requests) == 3


CHUNKED = HTTP_OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "slow",
    [
        endless(b"", b""),
        endless(b"", b"x"),
        endless(HTTP_OK + b"X-Header: ", b"x"),
        endless(HTTP_OK + b"\r\n", b"x"),
        endless(HTTP_OK + b"Content-Length: 100000\r\n\r\n", b"x"),
        endless(CHUNKED, b"1\r\nx\r\n"),
        endless(CHUNKED + b"fffff\r\n", b"x"),
    ],
    ids=["nothing", "status line", "headers", "body", "body of a declared length", "chunks", "one chunk"],
)
def test_a_hanging_or_slow_server_does_not_exceed_the_timeout(server: Site, slow: Serving) -> None:
    started = time.monotonic()
    assert "was not complete" in str(failure(server, slow, timeout_seconds=0.3, attempts=1))
    assert time.monotonic() - started < 15


def test_an_endless_chunk_of_size_minus_one_is_refused(server: Site) -> None:
    error = failure(server, endless(CHUNKED + b"-1\r\n", b"x" * 1024 * 1024), attempts=1)
    assert "more than 2097152 bytes" in str(error)


def compressed(body: bytes, encoding: str) -> Answer:
    return Answer(body, headers={"Content-Type": "text/html", "Content-Encoding": encoding})


@pytest.mark.parametrize("encoding", ["gzip", "X-GZIP"])
def test_a_compressed_page_is_read(server: Site, encoding: str) -> None:
    server.serve(compressed(gzip.compress(PAGE.encode()), encoding))
    assert get(server) == PAGE


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Answer(b"x" * (MAX_PAGE_BYTES + 1)), "more than 2097152 bytes"),
        (compressed(gzip.compress(b"\0" * 10**8), "gzip"), "more than 2097152 bytes"),
        (compressed(gzip.compress(gzip.compress(b"x")), "gzip, gzip"), "the encoding 'gzip, gzip'"),
        (compressed(b"x", "br"), "the encoding 'br'"),
        (compressed(b"not compressed", "gzip"), "incorrect header check"),
        (compressed(gzip.compress(PAGE.encode())[:-9], "gzip"), "IncompleteRead"),
    ],
    ids=["large", "large once decompressed", "compressed twice", "unknown", "not compressed", "breaks off"],
)
def test_an_oversized_or_broken_body_is_unavailable(server: Site, answer: Answer, found: str) -> None:
    error = failure(server, answer)
    assert type(error) is Unavailable
    assert found in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 302 Found\r\nLocation: /manuten\xe7\xe3o.php\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://a..b/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: //:99999/\r\nContent-Length: 0\r\n\r\n",
        CHUNKED + b"-5\r\nabc\r\n0\r\n\r\n",
        CHUNKED + b"1" * 70_000 + b"\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200 + b"\r\n",
    ],
    ids=["latin-1", "brackets", "dots", "file", "port", "negative chunk", "long chunk", "status", "headers"],
)
def test_invalid_addresses_and_invalid_http_are_unavailable(server: Site, answer: bytes) -> None:
    server.serve(Answer("", 404), path="/manuten%E7%E3o.php")
    assert type(failure(server, raw(answer))) is Unavailable


def test_a_redirect_is_followed(server: Site) -> None:
    server.serve(Answer("", 302, {"Location": "/novo?papel=PETR4"}))
    server.serve(Answer(), path="/novo?papel=PETR4")
    assert get(server) == PAGE


def test_a_redirect_to_another_host_is_not_followed(server: Site) -> None:
    other = server.url.replace("127.0.0.1", "localhost")
    error = failure(server, Answer("", 302, {"Location": f"{other}/page"}))
    assert "expected the same host" in str(error)
    assert len(server.requests) == 1


def test_a_redirect_loop_is_unavailable(server: Site) -> None:
    assert "more than 3 redirects" in str(failure(server, Answer("", 302, {"Location": "/page"}), attempts=1))
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("http://site/a", "https://site/b", "https://site/b"),
        ("https://site/a", "http://site/b", None),
        ("https://site/a", "https://SITE:443/b", "https://SITE:443/b"),
        ("https://site/a", "https://www.site/b", None),
        ("http://site:8080/a", "http://site:8081/b", None),
        ("http://site:8080/a", "https://site/b", None),
        ("https://site/a", "//other@site/b", "https://other@site/b"),
        ("https://site/a", "https://site\\@other/b", None),
    ],
)
def test_redirects_lead_to_the_same_host_and_never_from_https_to_http(
    url: str, location: str, target: str | None
) -> None:
    if target is None:
        with pytest.raises(Unavailable, match="expected the same host"):
            redirected(url, location)
    else:
        assert redirected(url, location) == target


def test_a_connection_that_opens_after_the_timeout_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def resolve_slowly(*args: Any, **options: Any) -> Any:
        threading.Event().wait(0.3)
        return resolve(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_slowly)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(Unavailable, match="was not complete") as held:
            client(timeout_seconds=0.2, attempts=1).get(url)
        with listener.accept()[0] as connection:
            connection.settimeout(5)
            assert connection.recv(1) == b"", held


def test_a_reused_connection_that_the_server_closes_costs_no_attempt(server: Site) -> None:
    server.serve(Answer(), reset_connection, Answer())
    site = client(attempts=1)
    for _ in range(2):
        assert site.get(f"{server.url}/page").text == PAGE
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
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = server.url.replace("http://", "https://")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    return server


@pytest.mark.parametrize("fixture", ["server", "tls_server"])
def test_an_unrequested_answer_is_not_used_for_a_later_request(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    server: Site = request.getfixturevalue(fixture)

    def answer_twice(handler: Handler) -> None:
        one, other = (
            HTTP_OK + b"Content-Length: %d\r\n\r\n" % len(body) + body
            for body in (b"<html>Fundamentus 1</html>", b"<html>Fundamentus 2</html>")
        )
        # `one` fills the buffer of http.client. A second request on this connection would read `other`.
        handler.wfile.write(one.ljust(io.DEFAULT_BUFFER_SIZE) + other)

    server.serve(answer_twice, Answer("<html>Fundamentus 3</html>"))
    site = client(max_connections=1, attempts=1)
    assert site.get(f"{server.url}/page").text == "<html>Fundamentus 1</html>"
    assert site.get(f"{server.url}/page").text == "<html>Fundamentus 3</html>"


def test_pages_are_fetched_over_a_few_reused_connections(server: Site) -> None:
    server.serve(Answer())
    site = client(max_connections=3)
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(site.get, [f"{server.url}/page"] * 40))
    assert server.most_in_flight <= 3
    assert len({connection for _, connection in server.requests}) <= 3


def test_a_retried_request_keeps_its_place_before_the_next(server: Site) -> None:
    asked = threading.Event()

    def fail(handler: Handler) -> None:
        asked.set()
        Answer("", 503)(handler)

    server.serve(fail, Answer(), path="/first")
    server.serve(Answer(), path="/second")
    site = client(max_connections=1, backoff_seconds=0.3)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(site.get, f"{server.url}/first")
        assert asked.wait(10)
        second = threads.submit(site.get, f"{server.url}/second")
    assert (first.result().text, second.result().text) == (PAGE, PAGE)
    assert [path for path, _ in server.requests] == ["/first", "/first", "/second"]


def test_neither_cookies_nor_passwords_of_this_machine_are_sent(
    server: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    server.serve(Answer(headers={"Set-Cookie": "a=b"}))
    site = client()
    for _ in range(2):
        site.get(f"{server.url}/page")
    assert not {"Cookie", "Authorization"} & {name for one in server.headers for name in one}


PASSWORD = f"Basic {b64encode(b'me:se cret').decode()}"


@pytest.fixture
def proxy(server: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Set environment variables that make the site the proxy, and return the site."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, server.url.replace("//", "//me:se%20cret@"))
    for name in ("no_proxy", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    return server


def test_an_allowed_proxy_of_the_environment_is_used(proxy: Site) -> None:
    proxy.serve(Answer(), path=ELSEWHERE)
    assert client(use_proxy=True).get(ELSEWHERE).text == PAGE
    assert proxy.headers[0]["Proxy-Authorization"] == PASSWORD


def test_a_proxy_gets_its_password_with_connect(proxy: Site) -> None:
    proxy.serve(Answer("", 502), path="fundamentus.invalid:443")
    with pytest.raises(Unavailable, match="502"):
        client(use_proxy=True, attempts=1).get("https://fundamentus.invalid/resultado.php")
    assert proxy.headers[0]["Proxy-Authorization"] == PASSWORD


@pytest.mark.parametrize(("options", "no_proxy"), [({}, ""), ({"use_proxy": True}, ".invalid")])
def test_no_proxy_is_used_otherwise(
    proxy: Site, monkeypatch: pytest.MonkeyPatch, options: dict[str, bool], no_proxy: str
) -> None:
    monkeypatch.setenv("no_proxy", no_proxy)
    with pytest.raises(Unavailable, match="gaierror"):
        client(**options, attempts=1).get(ELSEWHERE)
    assert proxy.requests == []


def connected(then: Serving, after: float = 0.0) -> Serving:
    """Wait `after` seconds, answer CONNECT, and call `then` when the client starts its handshake."""

    def serve(handler: Handler) -> None:
        handler.server.released.wait(after)
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        handler.connection.recv(65536)
        then(handler)

    return serve


@pytest.mark.parametrize(
    ("slow", "seconds"),
    [
        (endless(b"HTTP/1.1 200 OK\r\nX: ", b"x"), 0.3),
        (connected(endless(b"\x16\x03\x03\x3f\xff", b"x")), 0.3),
        (connected(endless(b"", b""), after=1.8), 2.0),
    ],
    ids=["answer to CONNECT", "handshake", "a late answer leaves no time for the handshake"],
)
def test_a_slow_proxy_does_not_exceed_the_timeout(proxy: Site, slow: Serving, seconds: float) -> None:
    proxy.serve(slow, path="fundamentus.invalid:443")
    started = time.monotonic()
    with pytest.raises(Unavailable, match="was not complete"):
        client(use_proxy=True, timeout_seconds=seconds, attempts=1).get(ELSEWHERE.replace("http:", "https:"))
    assert time.monotonic() - started < 3
