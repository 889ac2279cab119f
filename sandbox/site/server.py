"""Serves the pages of the sample site over HTTP on loopback, with faults that can be set at run time."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox.site import pages
from sandbox.site.asset import SampleAsset
from sandbox.site.names import GHOSTS

LOOPBACK = "127.0.0.1"
DETAILS_PATH = "/detalhes.php"
LISTING_PATHS = {"/resultado.php": "acoes", "/fii_resultado.php": "fiis"}
EVERY_PAGE = "*"

FAULT_KINDS = {
    "status": "answers with `status` and, if given, `retry_after` seconds in its header",
    "hang": "waits `seconds`, then answers correctly",
    "drip": "sends one byte each `seconds`",
    "truncated": "stops half-way through the page",
    "reset": "closes the connection without an answer",
    "garbage": "answers with bytes that are not a page",
    "other": "answers with the page of another asset, `ticker`",
    "broken": "answers with tables that have unknown labels",
    "renamed_label": "answers with a page on which `label` has another name",
    "other_layout": "answers with the asset's page in the layout for telephones",
    "later_session": "answers with a page of the next day",
    "utf8_under_latin1": "answers in UTF-8, with a header that declares ISO-8859-1",
    "interstitial": "answers with a waiting page",
    "error_page": "answers with the web server's default page and status 200",
    "not_found": "answers that the asset is unknown",
    "empty": "for a listing: lists nothing",
    "half": "for a listing: lists only every second asset",
    "unrecognizable": "for a listing: answers with a table that names no asset",
}


@dataclass(frozen=True)
class Fault:
    """A fault of a page.

    Parameters
    ----------
    kind
        One of `FAULT_KINDS`.
    times
        Number of requests that get the fault; None for all requests.
    status, retry_after
        Status and ``Retry-After`` seconds of a ``status`` fault.
    seconds
        Seconds of a ``hang`` or ``drip`` fault.
    ticker
        Asset whose page the site sends for an ``other`` fault.
    label
        Label that a ``renamed_label`` fault renames.
    spared
        Clients with this text in their ``User-Agent`` do not get the fault.

    Examples
    --------
    >>> Fault("status", status=503, times=2)  # flaky: right from the third request on
    """

    kind: str
    times: int | None = None
    status: int = 500
    retry_after: int | None = None
    seconds: float = 0.0
    ticker: str = ""
    label: str = ""
    spared: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"fault of kind {self.kind!r}, expected one of {', '.join(FAULT_KINDS)}")
        if self.status not in set(HTTPStatus):
            raise ValueError(f"fault with status {self.status!r}, expected one of HTTP, such as 503")
        if self.kind == "renamed_label" and not self.label:
            raise ValueError("fault renamed_label without a label, expected one, such as 'P/L'")


@dataclass(frozen=True)
class Request:
    """A request to the site.

    Parameters
    ----------
    at
        Time of the request in seconds since the epoch.
    path
        Path and query.
    ticker
        The requested asset, if any.
    status
        HTTP status of the answer; 0 if the site sends no answer.
    connection
        Number of the connection; connections are numbered in the order in which they open.
    headers
        Headers of the request.
    """

    at: float
    path: str
    ticker: str | None
    status: int
    connection: int
    headers: Mapping[str, str]


@dataclass
class _Answer:
    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    fault: Fault | None = None


class SiteServer:
    """The sample site on a loopback port; runs while its context is open.

    Parameters
    ----------
    assets
        The assets with pages.
    ghosts
        For each kind, further tickers that are listed but have no page.
    latency_ms
        Milliseconds from the request's first line to the answer, including the time to make the page.
    port
        Port of the server; 0 for any free port.

    Attributes
    ----------
    base_url : str
        The site's address, without a path.
    session : datetime.date, optional
        Session that replaces the newest session on the pages; None if each asset shows its own session.

    Examples
    --------
    >>> with SiteServer(make_assets(20261123)) as site:
    ...     site.set_fault("PETR4", Fault("status", status=500))
    ...     urlopen(f"{site.base_url}/detalhes.php?papel=VALE3")
    """

    def __init__(
        self,
        assets: Iterable[SampleAsset],
        ghosts: Mapping[str, Sequence[str]] = GHOSTS,
        *,
        latency_ms: float = 0.0,
        port: int = 0,
    ) -> None:
        self.assets = {asset.ticker: asset for asset in assets}
        self.ghosts = ghosts
        self.latency_ms = latency_ms
        self.session: date | None = None
        self._newest_session = max((_session(asset) for asset in self.assets.values()), default=date.min)
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._rendered: dict[str, bytes] = {}
        self._faults: dict[str, Fault] = {}
        self._fault_counts: Counter[str] = Counter()
        self._block_after: int | None = None
        self._pages_before_block = 0
        self._requests: list[Request] = []
        self._connections_opened = 0
        self._in_flight = 0
        self._most_in_flight = 0
        self._http = _HTTPServer((LOOPBACK, port), self)
        self.base_url = f"http://{LOOPBACK}:{self._http.server_port}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def __enter__(self) -> SiteServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._http.cut_connections()

    def set_fault(self, target: str, fault: Fault | None) -> None:
        """Set the fault of a page; None ends the fault.

        Parameters
        ----------
        target
            A ticker, the path of a listing (``/resultado.php``), or ``*`` for every page.
        fault
            The fault.
        """
        if fault and fault.kind == "other" and fault.ticker not in self.assets:
            raise ValueError(f"fault with the page of {fault.ticker!r}, expected an asset that the site has")
        with self._lock:
            self._fault_counts.pop(target, None)
            if fault is None:
                self._faults.pop(target, None)
            else:
                self._faults[target] = fault

    def clear_faults(self) -> None:
        """End all faults, including a block."""
        with self._lock:
            self._faults.clear()
            self._fault_counts.clear()
            self._block_after = None

    def block_after(self, detail_pages: int | None) -> None:
        """Refuse every request with 403 after `detail_pages` further asset pages; None ends the block."""
        with self._lock:
            self._block_after = detail_pages
            self._pages_before_block = 0

    def show(self, asset: SampleAsset) -> None:
        """Put `asset` in place of the site's asset with the same ticker."""
        with self._lock:
            self.assets[asset.ticker] = asset
            self._rendered.clear()

    def clear_log(self) -> None:
        """Clear the list of requests and the maximum number in flight."""
        with self._lock:
            self._requests.clear()
            self._most_in_flight = self._in_flight

    @property
    def requests(self) -> list[Request]:
        """The recorded requests for pages, in order of arrival."""
        with self._lock:
            return list(self._requests)

    @property
    def most_in_flight(self) -> int:
        """The maximum number of requests that were answered at the same time."""
        return self._most_in_flight

    @property
    def connections(self) -> int:
        """The number of connections that the recorded requests used."""
        return len({request.connection for request in self.requests})

    def open_connection(self) -> int:
        """Count a connection and return its number."""
        with self._lock:
            self._connections_opened += 1
            return self._connections_opened

    def enter(self, path: str, connection: int, headers: Mapping[str, str]) -> _Answer:
        """Record a request and choose its answer; the request is in flight until `leave`."""
        with self._lock:
            self._in_flight += 1
            self._most_in_flight = max(self._most_in_flight, self._in_flight)
            page, ticker = self._page(path)
            answer = self._answer(page, ticker, headers.get("User-Agent", ""))
            status = 0 if answer.fault and answer.fault.kind == "reset" else answer.status
            self._requests.append(Request(time.time(), path, ticker, status, connection, headers))
            return answer

    def leave(self) -> None:
        """Record that a request has been answered."""
        with self._lock:
            self._in_flight -= 1

    @staticmethod
    def _page(path: str) -> tuple[str, str | None]:
        """Return the page and the ticker that a request's path names."""
        address = urlsplit(path)
        if address.path != DETAILS_PATH:
            return address.path, None
        ticker = parse_qs(address.query).get("papel", [""])[0].strip().upper()
        return DETAILS_PATH, ticker

    def _answer(self, page: str, ticker: str | None, client: str) -> _Answer:
        if self._block_after is not None and self._pages_before_block >= self._block_after:
            return _refusal(403)
        fault = self._fault(ticker or page, client) or self._fault(EVERY_PAGE, client)
        if fault and fault.kind == "status":
            return _refusal(fault.status, fault.retry_after)
        if ticker is None and page not in LISTING_PATHS:
            return _refusal(404)
        kind = fault.kind if fault else ""
        body = self._body(kind, page, ticker, fault)
        answer = _Answer(pages.as_utf8(body) if kind == "utf8_under_latin1" else body, fault=fault)
        if ticker is not None:
            self._pages_before_block += 1
        return answer

    def _fault(self, target: str, client: str) -> Fault | None:
        fault = self._faults.get(target)
        if fault and fault.spared and fault.spared in client:
            return None
        if fault is None or fault.times is None:
            return fault
        self._fault_counts[target] += 1
        return fault if self._fault_counts[target] <= fault.times else None

    def _body(self, kind: str, page: str, ticker: str | None, fault: Fault | None) -> bytes:
        asset = self._in_session(self.assets.get(ticker or ""))
        special: dict[str, Callable[[], bytes]] = {
            "garbage": lambda: pages.garbage(ticker or page),
            "interstitial": pages.interstitial_page,
            "error_page": lambda: pages.short_text("Database error"),
            "not_found": pages.not_found_page,
            "unrecognizable": pages.unrecognizable_listing,
        }
        if kind in special:
            return special[kind]()
        if ticker is None:
            return self._listing(LISTING_PATHS[page], kind)
        if kind == "other" and fault:
            asset = self.assets[fault.ticker]
        if asset is None:
            return pages.not_found_page()
        if kind == "broken":
            return pages.broken_page(asset)
        if kind == "other_layout":
            return pages.other_layout(asset)
        if kind == "renamed_label" and fault:
            return pages.detail_page(asset.with_label(fault.label, f"{fault.label} (novo)"))
        if kind == "later_session":
            return pages.detail_page(_of_the_day_after(asset))
        return self._once(f"{asset.ticker} {self.session}", lambda: pages.detail_page(asset))

    def _in_session(self, asset: SampleAsset | None) -> SampleAsset | None:
        """Return an asset with the session that the site shows."""
        if asset is None or self.session is None or _session(asset) != self._newest_session:
            return asset
        return asset.with_cell("dt_ult_cot", f"{self.session:%d/%m/%Y}", self.session)

    def _listing(self, kind: str, fault: str) -> bytes:
        if fault == "empty":
            return pages.listing_page(kind, [])
        listed = [asset for asset in self.assets.values() if asset.kind == kind]
        if fault == "half":
            return pages.listing_page(kind, listed[::2])
        return self._once(kind, lambda: pages.listing_page(kind, listed, self.ghosts.get(kind, ())))

    def _once(self, name: str, render: Callable[[], bytes]) -> bytes:
        if name not in self._rendered:
            self._rendered[name] = render()
        return self._rendered[name]


def _session(asset: SampleAsset) -> date:
    session = asset.cells_by_column()["dt_ult_cot"].value
    return session if isinstance(session, date) else date.min


def _of_the_day_after(asset: SampleAsset) -> SampleAsset:
    session = datetime.strptime(str(asset.day), "%Y%m%d").date() + timedelta(days=1)
    return asset.with_cell("dt_ult_cot", f"{session:%d/%m/%Y}", session)


def _refusal(status: int, retry_after: int | None = None) -> _Answer:
    text = "Access denied" if status == 403 else HTTPStatus(status).phrase
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return _Answer(pages.short_text(text), status, headers)


class _HTTPServer(ThreadingHTTPServer):
    """A server that has one thread per connection and can close all connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], site: SiteServer) -> None:
        self.site = site
        self._sockets: set[socket.socket] = set()
        self._sockets_lock = threading.Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._sockets_lock:
            self._sockets.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._sockets_lock:
            self._sockets.discard(request)
        super().shutdown_request(request)

    def cut_connections(self) -> None:
        """Close the connections that clients keep open."""
        with self._sockets_lock:
            for connected in self._sockets:
                try:
                    connected.shutdown(socket.SHUT_RDWR)
                except OSError:  # the client has already closed the connection
                    continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that closed its connection, because tests close connections on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16  # send head and body together; otherwise a client waits for its own delayed ACK
    server: _HTTPServer
    connection_number = 0
    begun_at = 0.0

    def parse_request(self) -> bool:
        """Start to measure the request's latency, and read the request's head."""
        self.begun_at = time.monotonic()
        return super().parse_request()

    def do_GET(self) -> None:
        site = self.server.site
        if not self.connection_number:
            self.connection_number = site.open_connection()
        answer = site.enter(self.path, self.connection_number, dict(self.headers))
        try:
            site.closing.wait(max(0.0, self.begun_at + site.latency_ms / 1000 - time.monotonic()))
            self._answer(answer)
        finally:
            # Call `leave` before the last bytes are sent; otherwise the client's next request may seem
            # concurrent.
            site.leave()
        self.wfile.flush()

    def _answer(self, answer: _Answer) -> None:
        fault = answer.fault
        kind = fault.kind if fault else ""
        if fault and kind == "hang":
            self.server.site.closing.wait(fault.seconds)
        if kind == "reset":
            self.close_connection = True
        elif kind == "truncated":
            self._send_head(answer)
            self.wfile.write(answer.body[: len(answer.body) // 2])
            self.close_connection = True
        elif fault and kind == "drip":
            self._send_head(answer)
            for position in range(len(answer.body)):
                self.wfile.write(answer.body[position : position + 1])
                self.wfile.flush()
                if self.server.site.closing.wait(fault.seconds):
                    break
        else:
            self._send(answer)

    def _send(self, answer: _Answer) -> None:
        self._send_head(answer)
        self.wfile.write(answer.body)

    def _send_head(self, answer: _Answer) -> None:
        self.send_response(answer.status)
        headers = {"Content-Type": pages.CONTENT_TYPE, "Content-Length": str(len(answer.body))}
        for name, text in {**headers, **answer.headers}.items():
            self.send_header(name, text)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing, because the site records its requests itself."""
