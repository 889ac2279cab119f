"""Fetches pages of the site over few reused connections, with limits on time, size, redirects and attempts.

The client uses ``http.client``, which keeps no cookies, does not read ``~/.netrc``, does not follow redirects
and does not decompress. ``http.client`` also limits the length of each line of a header or chunk.
"""

from __future__ import annotations

import base64
import os
import random
import socket
import ssl
import threading
import time
import zlib
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from select import select
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi

from b3.bounds import printable
from fundamentus_site.errors import FundamentusError, Unavailable
from fundamentus_site.page import MAX_PAGE_BYTES, Page, meaning

MAX_REDIRECTS = 3
CONNECT_SECONDS = 5.0
MAX_WAIT_SECONDS = 10.0
"""Longest wait between attempts. If the server asks for more (``Retry-After``), no attempt follows."""
UNSETTABLE_HEADERS = ("accept-encoding", "connection", "content-length", "host")
"""Callers must not set these headers: they decide whether an answer can be read."""

_DEFAULT_HEADERS = {"Accept": "*/*", "Accept-Encoding": "gzip"}
_DEFAULT_PORTS = {"http": 80, "https": 443}
_REDIRECTS = (301, 302, 303, 307, 308)
_WITHOUT_BODY = (403, 429)
"""For these statuses the client does not read the body: the status alone decides the error."""
_GZIP = 31
"""zlib's window bits for the format of gzip."""
_LIBRARIES_ERRORS = (OSError, HTTPException, ValueError, zlib.error)
"""The errors of the libraries for DNS, TLS, HTTP, addresses and charsets."""


class SiteClient:
    """A polite client: it has one identity, few concurrent requests, and a wait between attempts.

    Thread-safe.

    Parameters
    ----------
    headers
        Headers of the requests, without `UNSETTABLE_HEADERS`.
    max_connections
        The maximum number of concurrent requests; further requests wait.
    timeout_seconds
        The time limit of an attempt in seconds, from its request to the end of the body. The limit also holds
        if the server sends slowly.
    attempts
        The number of attempts. If the last attempt fails, the client raises the error of this attempt.
    backoff_seconds
        The wait after the first failed attempt, in seconds. The wait doubles after each further attempt. Each
        wait is extended by a random 0 to 50%.
    use_proxy
        Whether to use the proxy that the environment names, if any.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        *,
        max_connections: int,
        timeout_seconds: float,
        attempts: int = 3,
        backoff_seconds: float = 0.5,
        use_proxy: bool = False,
    ) -> None:
        given = {name.lower() for name in headers}
        defaults = {name: value for name, value in _DEFAULT_HEADERS.items() if name.lower() not in given}
        self._headers = {**defaults, **headers}
        self._timeout_seconds = timeout_seconds
        self._attempts = attempts
        self._backoff_seconds = backoff_seconds
        self._use_proxy = use_proxy
        self._slots = threading.BoundedSemaphore(max_connections)
        self._kept: defaultdict[_Route, list[HTTPConnection]] = defaultdict(list)

    def get(self, url: str, not_after: float | None = None) -> Page:
        """Fetch a page and return it if the status is 200.

        The client does not wait past the deadline `not_after`, a value of ``time.monotonic()``.

        Raises
        ------
        FundamentusError
            The answer is not a page; `fundamentus_site.page.meaning` chooses the error. The error is
            `Unavailable` if no attempt got a complete answer.
        """
        attempt = 1
        with self._slots:  # also during the waits, so that other requests wait too
            while True:
                try:
                    return self._attempt(url, not_after)
                except _TryAgain as failure:
                    doubled = self._backoff_seconds * 2.0 ** (attempt - 1)
                    backoff = min(doubled * random.uniform(1.0, 1.5), MAX_WAIT_SECONDS)  # noqa: S311 - no secret
                    wait = max(backoff, failure.retry_after)
                    too_long = wait > MAX_WAIT_SECONDS or (
                        not_after is not None and time.monotonic() + wait >= not_after
                    )
                    if attempt == self._attempts or too_long:
                        raise failure.error from failure
                time.sleep(wait)
                attempt += 1

    def _attempt(self, url: str, not_after: float | None) -> Page:
        seconds = self._timeout_seconds
        if not_after is not None:
            seconds = min(seconds, not_after - time.monotonic())
        if seconds <= 0:
            raise Unavailable(f"{url}: not requested, because the deadline has passed")
        deadline = time.monotonic() + seconds
        try:
            page, retry_after = self._fetch(url, deadline)
        except _LIBRARIES_ERRORS as error:
            why = f"{type(error).__name__}: {error}"
            if time.monotonic() >= deadline:
                why = f"the page was not complete after {seconds:.1f} s"
            raise _TryAgain(Unavailable(f"{url}: {why}")) from error
        if page.status != 200:
            wrong = meaning(page, "a page")
            again = page.status >= 500 and isinstance(wrong, Unavailable)
            raise _TryAgain(wrong, retry_after) if again else wrong
        if _is_cut_off(page.text):
            raise _TryAgain(
                Unavailable(f"{url}: the page ends after {len(page.body)} bytes, without </html>")
            )
        return page

    def _fetch(self, url: str, deadline: float) -> tuple[Page, float]:
        """Return the answer of any status, and the seconds in the header ``Retry-After`` (or 0)."""
        target = url
        for _ in range(MAX_REDIRECTS + 1):
            route = self._route(target)
            connection, response = self._response(route, target, deadline)
            try:
                location = response.headers["Location"]
                if response.status not in _REDIRECTS or location is None:
                    body = b"" if response.status in _WITHOUT_BODY else _body(response, url)
                    content_type = response.headers["Content-Type"]
                    page = Page(url, response.status, content_type, body, datetime.now(timezone.utc))
                    return page, _retry_after(response.headers.get("Retry-After", ""))
            finally:
                if response.will_close or not response.isclosed():
                    connection.close()
                else:
                    self._kept[route].append(connection)
            target = redirected(target, location)
        raise Unavailable(f"{url}: more than {MAX_REDIRECTS} redirects, the last to {target}")

    def _route(self, url: str) -> _Route:
        parts = urlsplit(url)
        host = parts.hostname
        if parts.scheme not in _DEFAULT_PORTS or not host:
            raise ValueError(f"{url!r} is not an address with http:// or https:// and a host")
        proxy = None
        if self._use_proxy and not proxy_bypass(host):
            proxies = getproxies()
            proxy = proxies.get(parts.scheme) or proxies.get("all")
            if proxy and "://" not in proxy:
                proxy = f"http://{proxy}"
        return _Route(parts.scheme, host, parts.port or _DEFAULT_PORTS[parts.scheme], proxy)

    def _response(self, route: _Route, url: str, deadline: float) -> tuple[HTTPConnection, HTTPResponse]:
        """Send the request on a kept or new connection; return the connection and the answer's head."""
        parts = urlsplit(url)
        headers, target = self._headers, f"{parts.path or '/'}?{parts.query}".removesuffix("?")
        if route.proxy and route.scheme == "http":
            headers, target = {**headers, **_authorization(route.proxy)}, url
        # The server may have closed a kept connection, or have sent bytes that no request asked for.
        with suppress(IndexError, OSError, HTTPException):
            kept = self._kept[route].pop()
            if not kept.sock.has_bytes():  # type: ignore[union-attr]
                return kept, _ask(kept, target, headers, deadline)
            kept.close()
        connection = self._connect(route, deadline)
        return connection, _ask(connection, target, headers, deadline)

    def _connect(self, route: _Route, deadline: float) -> HTTPConnection:
        proxy = urlsplit(route.proxy) if route.proxy else None
        if proxy and (proxy.scheme != "http" or not proxy.hostname):
            raise ValueError(f"the environment names a proxy of scheme {proxy.scheme!r}, expected http://")
        host, port = (proxy.hostname or "", proxy.port or 80) if proxy else (route.host, route.port)
        connection = HTTPConnection(host, port)
        if route.scheme == "https":
            connection = HTTPSConnection(host, port, context=self._tls)
            if route.proxy:
                connection.set_tunnel(route.host, route.port, _authorization(route.proxy))
        connection._create_connection = partial(_connected, deadline)  # type: ignore[attr-defined]
        return connection

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        trusted = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or certifi.where()
        context = ssl.create_default_context(cafile=trusted)
        context.sslsocket_class = _TlsSocket
        return context


class _Route(NamedTuple):
    """The destination of a connection."""

    scheme: str
    host: str
    port: int
    proxy: str | None


class _TryAgain(Exception):
    """A temporary failure; the client raises ``error`` if no further attempt succeeds."""

    def __init__(self, error: FundamentusError, retry_after: float = 0.0) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry_after = retry_after


def redirected(url: str, location: str) -> str:
    """Return the address that a redirect leads to.

    Raises
    ------
    Unavailable
        The redirect leads to another host, or from https to http.
    """
    # http.client decodes a header as ISO-8859-1. An address is ASCII, so percent-encode all other bytes.
    target = urljoin(url, quote(location, safe="%/:?#[]@!$&'()*+,;=~", encoding="iso-8859-1"))
    before, after = urlsplit(url), urlsplit(target)
    same_host = before.hostname == after.hostname and (
        _port(before.scheme, before.port) == _port(after.scheme, after.port)
        or (before.port in (None, 80) and after.port in (None, 443))
    )
    if not same_host or after.scheme not in (before.scheme, "https"):
        raise Unavailable(
            f"{url}: redirected to {printable(target, 200)}, expected the same host and no change to http"
        )
    return target


def _port(scheme: str, port: int | None) -> int | None:
    return port or _DEFAULT_PORTS.get(scheme)


def _authorization(proxy: str) -> dict[str, str]:
    parts = urlsplit(proxy)
    if parts.username is None:
        return {}
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"}


def _connected(deadline: float, address: tuple[str, int], *_: Any) -> _Socket:
    """Open a socket; `HTTPConnection.connect` then asks the proxy and makes the TLS handshake."""
    seconds = min(CONNECT_SECONDS, _seconds_to(deadline))
    connected = _Socket(fileno=socket.create_connection(address, seconds).detach())
    try:
        connected.limit(deadline)
    except TimeoutError:  # the name was resolved slowly, or the first of its addresses did not answer
        connected.close()
        raise
    return connected


def _ask(
    connection: HTTPConnection, target: str, headers: Mapping[str, str], deadline: float
) -> HTTPResponse:
    """Send a request and return the answer's head; if no head arrives, close the connection."""
    try:
        if connection.sock is None:
            connection.connect()
        connection.sock.limit(deadline)  # type: ignore[union-attr]
        connection.request("GET", target, headers=headers)
        return connection.getresponse()
    except BaseException:
        connection.close()
        raise


def _retry_after(value: str) -> float:
    """Return the seconds of a ``Retry-After`` header; 0 if the header is unreadable."""
    with suppress(ValueError):
        return float(value)
    with suppress(ValueError, TypeError, IndexError, OverflowError):
        return (parsedate_to_datetime(value) - datetime.now(timezone.utc)).total_seconds()
    return 0.0


def _body(response: HTTPResponse, url: str) -> bytes:
    """Return the body, decompressed.

    Raises
    ------
    Unavailable
        The body is too large, or has an encoding that the client did not ask for.
    http.client.HTTPException, zlib.error
        The body is broken or cut off.
    """
    raw = bytearray()
    too_large = Unavailable(f"{url}: more than {MAX_PAGE_BYTES} bytes, expected {MAX_PAGE_BYTES} at most")
    # If a chunk has the invalid size -1, read() would load the rest of the answer without a limit.
    read = response.read1 if response.chunked else response.read
    while chunk := read(64 * 1024):
        raw += chunk
        if len(raw) > MAX_PAGE_BYTES:
            raise too_large
    if response.length:
        raise IncompleteRead(bytes(raw), response.length)
    encoding = ", ".join(response.headers.get_all("Content-Encoding", [])).strip().lower()
    if encoding in ("", "identity") or not raw:
        return bytes(raw)
    if encoding not in ("gzip", "x-gzip"):
        raise Unavailable(f"{url}: has the encoding {printable(encoding)!r}, expected gzip")
    unzip = zlib.decompressobj(_GZIP)
    body = unzip.decompress(raw, MAX_PAGE_BYTES + 1)
    if len(body) > MAX_PAGE_BYTES:
        raise too_large
    if not unzip.eof:
        raise IncompleteRead(bytes(raw))
    return body


def _is_cut_off(text: str) -> bool:
    text = text.lower()
    return "<html" in text and "</html" not in text


class _Socket(socket.socket):
    """A socket whose reads end at a deadline. A socket's own timeout restarts with every byte."""

    _deadline = 0.0

    def limit(self, deadline: float) -> None:
        """Set the deadline, as a value of ``time.monotonic()``."""
        self._deadline = deadline
        self.settimeout(_seconds_to(deadline))

    def recv_into(self, *args: Any) -> int:
        """Receive bytes; raise TimeoutError after the deadline."""
        self.limit(self._deadline)
        received = super().recv_into(*args)
        self.limit(self._deadline)  # for a TLS handshake through the proxy: it does not call recv_into
        return received

    def has_bytes(self) -> bool:
        """Return True if unread bytes are available, or if the peer has closed the connection."""
        return bool(select([self], [], [], 0)[0])


class _TlsSocket(_Socket, ssl.SSLSocket):
    """As `_Socket`, over TLS."""

    def has_bytes(self) -> bool:
        """Return True also if bytes are already decrypted but not yet read."""
        return self.pending() > 0 or super().has_bytes()


def _seconds_to(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the deadline has passed")
    return seconds
