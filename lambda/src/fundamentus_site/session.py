"""Pages of the site over few kept-alive connections, with bounds on time, size and attempts."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime, timezone
from types import TracebackType
from typing import Any
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import InvalidHeader

from fundamentus_site.errors import FundamentusError, LayoutNotRecognized, Refused, Unavailable
from fundamentus_site.pages import Page

MAX_PAGE_BYTES = 16 * 1024 * 1024
MAX_REDIRECTS = 3
CONNECT_SECONDS = 5.0


class SiteSession:
    """A polite client: one identity, few connections, bounds on requests in flight, backing off.

    Safe to use from several threads.

    Parameters
    ----------
    max_connections
        Most requests in flight at once; others wait for their turn.
    timeout_seconds
        Seconds that one attempt may take from its request to the end of the body, however slowly
        the server sends.
    attempts
        Times that a page is asked for before its failure is raised.
    backoff_seconds
        Wait after the first failed attempt, doubled after each further one, plus up to a half at random.
    max_wait_seconds
        Longest wait between attempts. A server that asks for more (``Retry-After``) gets no further attempt.
    """

    def __init__(
        self,
        *,
        max_connections: int,
        timeout_seconds: float,
        attempts: int = 3,
        backoff_seconds: float = 0.5,
        max_wait_seconds: float = 10.0,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._attempts = attempts
        self._backoff_seconds = backoff_seconds
        self._max_wait_seconds = max_wait_seconds
        self._slots = threading.BoundedSemaphore(max_connections)
        self._session = requests.Session()
        adapter = _CuttableAdapter(pool_connections=1, pool_maxsize=max_connections, pool_block=True)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def get(self, url: str, headers: Mapping[str, str], not_after: float | None = None) -> Page:
        """Return a page.

        Parameters
        ----------
        url
            Address of the page.
        headers
            Headers of the request.
        not_after
            Moment of ``time.monotonic()`` past which nothing is waited for any more.

        Raises
        ------
        Refused
            403, or 429 on every attempt.
        Unavailable
            5xx, timeout, connection error or cut-off body on every attempt; any other status but 200.
        LayoutNotRecognized
            The body is larger than any page of the site.
        """
        attempt = 1
        while True:
            try:
                with self._slots:
                    return self._attempt(url, headers, not_after)
            except _TryAgain as failure:
                wait = self._wait_seconds(attempt, failure.retry_after)
                too_long = wait > self._max_wait_seconds or (
                    not_after is not None and time.monotonic() + wait >= not_after
                )
                if attempt == self._attempts or too_long:
                    raise failure.outcome from failure
            time.sleep(wait)
            attempt += 1

    def _wait_seconds(self, attempt: int, retry_after: float | None) -> float:
        doubled: float = self._backoff_seconds * 2 ** (attempt - 1)
        backoff = min(doubled * random.uniform(1.0, 1.5), self._max_wait_seconds)  # noqa: S311 - no secret
        return max(backoff, retry_after or 0.0)

    def _attempt(self, url: str, headers: Mapping[str, str], not_after: float | None) -> Page:
        seconds = self._timeout_seconds
        if not_after is not None:
            seconds = min(seconds, not_after - time.monotonic())
        if seconds <= 0:
            raise Unavailable(f"{url}: not asked for, the time for it was over")
        late = Unavailable(f"{url}: the page had not come whole after {seconds:.1f} s")
        try:
            with _TimeLimit(seconds) as limit, self._answer(url, headers, seconds) as response:
                body = _body(response)
                page = Page(
                    url,
                    response.status_code,
                    response.headers.get("Content-Type"),
                    body,
                    datetime.now(timezone.utc),
                )
        except requests.RequestException as error:
            outcome = late if limit.exceeded else Unavailable(f"{url}: {type(error).__name__}: {error}")
            raise _TryAgain(outcome) from error
        if limit.exceeded:  # a body without a declared length just ends when its connection is cut
            raise _TryAgain(late)
        if _is_cut_off(page.text):
            raise _TryAgain(
                Unavailable(f"{url}: the page breaks off after {len(body)} bytes, before </html>")
            )
        return page

    def _answer(self, url: str, headers: Mapping[str, str], seconds: float) -> requests.Response:
        """Return the answer with status 200, its body not read yet."""
        target = url
        for _ in range(MAX_REDIRECTS + 1):
            response = self._session.get(
                target,
                headers=headers,
                timeout=(min(CONNECT_SECONDS, seconds), seconds),
                stream=True,
                allow_redirects=False,
            )
            if response.status_code == requests.codes.ok:
                return response
            response.close()
            if not response.is_redirect:
                raise _refusal(url, response)
            target = urljoin(target, response.headers["Location"])
        raise Unavailable(f"{url}: more than {MAX_REDIRECTS} redirects, the last to {target}")


class _TryAgain(Exception):  # noqa: N818
    """A failure that may pass; ``outcome`` is what to raise when it does not."""

    def __init__(self, outcome: FundamentusError, retry_after: float | None = None) -> None:
        super().__init__(str(outcome))
        self.outcome = outcome
        self.retry_after = retry_after


def _refusal(url: str, response: requests.Response) -> Exception:
    status = response.status_code
    said = f"{url}: status {status} {response.reason or ''}".rstrip()
    if status == requests.codes.forbidden:
        return Refused(said)
    if status == requests.codes.too_many_requests:
        return _TryAgain(Refused(said), _retry_after(response))
    if status >= requests.codes.internal_server_error:
        return _TryAgain(Unavailable(said), _retry_after(response))
    return Unavailable(f"{said}, expected 200")


def _retry_after(response: requests.Response) -> float | None:
    value = response.headers.get("Retry-After")
    if value is None:
        return None
    try:
        return Retry().parse_retry_after(value)
    except InvalidHeader:
        return None


def _body(response: requests.Response) -> bytes:
    chunks = []
    size = 0
    for chunk in response.iter_content(64 * 1024):
        size += len(chunk)
        if size > MAX_PAGE_BYTES:
            raise LayoutNotRecognized(
                f"{response.url}: more than {MAX_PAGE_BYTES} bytes, no page of the site is as large"
            )
        chunks.append(chunk)
    return b"".join(chunks)


def _is_cut_off(text: str) -> bool:
    text = text.lower()
    return "<html" in text and "</html" not in text


class _TimeLimit:
    """Cuts the connection of the attempt that runs inside it when its time is over.

    A socket's own time limit starts anew with every byte, so a server that drips would hold us for ever.
    """

    def __init__(self, seconds: float) -> None:
        self.exceeded = False
        self._socket: socket.socket | None = None
        self._over = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> _TimeLimit:
        self._token = _TIME_LIMIT.set(self)
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._over = True
        _TIME_LIMIT.reset(self._token)

    def watch(self, connected: socket.socket) -> None:
        """Take the connection that an answer is about to be read from."""
        with self._lock:
            self._socket = connected
            if self.exceeded:
                self._shut_down()

    def _cut(self) -> None:
        with self._lock:
            if not self._over:
                self.exceeded = True
                self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            # Not the method of a TLS socket, which would change what another thread is reading from. An
            # OSError says that the peer has closed the connection already.
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_TIME_LIMIT: ContextVar[_TimeLimit | None] = ContextVar("_TIME_LIMIT", default=None)


def _under_time_limit(connection: HTTPConnection) -> None:
    limit = _TIME_LIMIT.get()
    if limit is not None and connection.sock is not None:
        limit.watch(connection.sock)


class _CuttableHTTPConnection(HTTPConnection):
    def getresponse(self) -> Any:
        _under_time_limit(self)
        return super().getresponse()


class _CuttableHTTPSConnection(HTTPSConnection):
    def getresponse(self) -> Any:
        _under_time_limit(self)
        return super().getresponse()


class _CuttableHTTPPool(HTTPConnectionPool):
    ConnectionCls = _CuttableHTTPConnection


class _CuttableHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _CuttableHTTPSConnection


class _CuttableAdapter(HTTPAdapter):
    """The adapter of requests over connections that tell the time limit of their attempt."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _CuttableHTTPPool, "https": _CuttableHTTPSPool}
