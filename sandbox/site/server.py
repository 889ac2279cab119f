"""Serves the pages of the sample site over HTTP on loopback, with faults that can be set at run time."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from b3.days import date_of
from sandbox.process import LOOPBACK
from sandbox.site import pages
from sandbox.site.asset import SampleAsset
from sandbox.site.names import GHOSTS

DETAILS_PATH = "/detalhes.php"
LISTING_PATHS = {"/resultado.php": "acoes", "/fii_resultado.php": "fiis"}
EVERY_PAGE = "*"
FAULTS = ("status", "hang", "other", "renamed_label", "later_session", "other_layout", *pages.WRONG_PAGES)


@dataclass(frozen=True)
class Fault:
    """A fault of a page.

    Parameters
    ----------
    kind
        ``status`` answers with `status`. ``hang`` sends the right page after `seconds`. ``other`` sends the
        page of the asset `ticker`. ``renamed_label`` renames `label`. ``later_session`` sets the session to
        the day after the page's day. ``other_layout`` sends the mobile layout. A kind that is a key
        of `pages.WRONG_PAGES` sends the page of that key.
    times
        Number of requests that get the fault; None for all requests.
    status, retry_after
        For a ``status`` fault, the HTTP status and the ``Retry-After`` seconds of the answer.
    seconds
        Seconds of a ``hang`` fault.
    ticker
        For the fault ``other``: the asset whose page the site sends instead.
    label
        Label that a ``renamed_label`` fault renames.
    spared
        Clients with this text in their ``User-Agent`` do not get the fault.

    Examples
    --------
    >>> Fault("status", status=503, times=2)  # only the first two requests fail
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
        if self.kind not in FAULTS:
            raise ValueError(f"kind is {self.kind!r}, expected one of {', '.join(FAULTS)}")


@dataclass(frozen=True)
class Request:
    """A request to the site.

    Parameters
    ----------
    path
        Path and query.
    ticker
        The requested asset, if any.
    status
        HTTP status of the answer.
    connection
        Port of the client; each open connection has a different port.
    headers
        Headers of the request.
    """

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


class SiteServer(ThreadingHTTPServer):
    """The sample site on a loopback port; runs while its context is open.

    Parameters
    ----------
    assets
        The assets with pages.
    ghosts
        For each kind, the listed tickers without a page.
    latency_ms
        Milliseconds from a request to its answer, including the time to make the page.
    port
        Port of the server; 0 for any free port.

    Attributes
    ----------
    base_url : str
        The site's address, without a path.
    session : datetime.date, optional
        Session that every page shows instead of its own; None if pages show their own session.
    most_in_flight : int
        The maximum number of requests that were answered at the same time.

    Examples
    --------
    >>> with SiteServer(make_assets(20261123)) as site:
    ...     site.set_fault("PETR4", Fault("status", status=500))
    ...     urlopen(f"{site.base_url}/detalhes.php?papel=VALE3")
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

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
        self._faults: dict[str, Fault] = {}
        self._fault_counts: Counter[str] = Counter()
        self._block_after: int | None = None
        self._pages_before_block = 0
        self._requests: list[Request] = []
        self._in_flight = 0
        self.most_in_flight = 0
        super().__init__((LOOPBACK, port), _Handler)
        self.base_url = f"http://{LOOPBACK}:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, args=[0.05], daemon=True)

    def __enter__(self) -> SiteServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that closed its connection, because tests close connections on purpose."""

    def set_fault(self, target: str, fault: Fault | None) -> None:
        """Set the fault of a page; None ends the fault.

        Parameters
        ----------
        target
            A ticker, the path of a listing (``/resultado.php``), or ``*`` for every page.
        fault
            The fault.
        """
        with self._lock:
            self._fault_counts.pop(target, None)
            if fault is None:
                self._faults.pop(target, None)
            else:
                self._faults[target] = fault

    def clear_faults(self) -> None:
        """End all faults and the effect of `block_after`."""
        with self._lock:
            self._faults.clear()
            self._fault_counts.clear()
            self._block_after = None

    def block_after(self, detail_pages: int | None) -> None:
        """After `detail_pages` more asset pages, answer every request with 403; None stops these answers."""
        with self._lock:
            self._block_after = detail_pages
            self._pages_before_block = 0

    def clear_log(self) -> None:
        """Forget the recorded requests, and reset `most_in_flight`."""
        with self._lock:
            self._requests.clear()
            self.most_in_flight = self._in_flight

    @property
    def requests(self) -> list[Request]:
        """The recorded requests for pages, in order of arrival."""
        with self._lock:
            return list(self._requests)

    @property
    def connections(self) -> int:
        """The number of connections that the recorded requests used."""
        return len({request.connection for request in self.requests})

    def enter(self, path: str, connection: int, headers: Mapping[str, str]) -> _Answer:
        """Record a request and choose its answer; the request is in flight until `leave`."""
        with self._lock:
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            address, ticker = urlsplit(path), None
            if address.path == DETAILS_PATH:
                ticker = parse_qs(address.query).get("papel", [""])[0].strip().upper()
            answer = self._answer(address.path, ticker, headers.get("User-Agent", ""))
            self._requests.append(Request(path, ticker, answer.status, connection, headers))
            return answer

    def leave(self) -> None:
        """Record that a request has been answered."""
        with self._lock:
            self._in_flight -= 1

    def _answer(self, page: str, ticker: str | None, client: str) -> _Answer:
        if self._block_after is not None and self._pages_before_block >= self._block_after:
            return _refusal(403)
        fault = self._fault(ticker or page, client) or self._fault(EVERY_PAGE, client)
        if fault and fault.kind == "status":
            return _refusal(fault.status, fault.retry_after)
        if ticker is None and page not in LISTING_PATHS:
            return _refusal(404)
        self._pages_before_block += ticker is not None
        return _Answer(self._body(page, ticker, fault), fault=fault)

    def _fault(self, target: str, client: str) -> Fault | None:
        fault = self._faults.get(target)
        if fault and fault.spared and fault.spared in client:
            return None
        if fault is None or fault.times is None:
            return fault
        self._fault_counts[target] += 1
        return fault if self._fault_counts[target] <= fault.times else None

    def _body(self, page: str, ticker: str | None, fault: Fault | None) -> bytes:
        kind = fault.kind if fault else ""
        if wrong := pages.WRONG_PAGES.get(kind):
            return wrong
        if ticker is None:
            listed = [asset for asset in self.assets.values() if asset.kind == LISTING_PATHS[page]]
            return pages.listing_page(LISTING_PATHS[page], listed, self.ghosts.get(LISTING_PATHS[page], ()))
        asset = self.assets.get(fault.ticker if fault and kind == "other" else ticker)
        if asset is None:
            return pages.WRONG_PAGES["not_found"]
        if self.session and _session(asset) == self._newest_session:
            asset = _in_session_of(asset, self.session)
        if kind == "other_layout":
            return pages.other_layout(asset)
        if kind == "renamed_label" and fault:
            asset = asset.with_label(fault.label, f"{fault.label} (novo)")
        elif kind == "later_session":
            asset = _in_session_of(asset, date_of(asset.day) + timedelta(days=1))
        return pages.detail_page(asset)


def _session(asset: SampleAsset) -> date:
    session = asset.cells_by_column()["dt_ult_cot"].value
    return session if isinstance(session, date) else date.min


def _in_session_of(asset: SampleAsset, session: date) -> SampleAsset:
    return asset.with_cell("dt_ult_cot", f"{session:%d/%m/%Y}", session)


def _refusal(status: int, retry_after: int | None = None) -> _Answer:
    text = "Access denied" if status == 403 else HTTPStatus(status).phrase
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return _Answer(pages.short_text(text), status, headers)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16  # send head and body together; otherwise a client waits for its own delayed ACK
    server: SiteServer

    def do_GET(self) -> None:
        site = self.server
        begun_at = time.monotonic()
        if site.closing.is_set():  # a client may keep its connection after the site is closed
            self.close_connection = True
            return
        answer = site.enter(self.path, self.client_address[1], dict(self.headers))
        try:
            site.closing.wait(max(0.0, begun_at + site.latency_ms / 1000 - time.monotonic()))
            self._answer(answer)
        finally:
            # Call `leave` before the last bytes are sent, so that this request and the client's next request
            # never count as simultaneous.
            site.leave()
        self.wfile.flush()

    def _answer(self, answer: _Answer) -> None:
        if answer.fault and answer.fault.kind == "hang":
            self.server.closing.wait(answer.fault.seconds)
        self.send_response(answer.status)
        headers = {"Content-Type": pages.CONTENT_TYPE, "Content-Length": str(len(answer.body))}
        for name, text in {**headers, **answer.headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing, because the site records its requests itself."""
