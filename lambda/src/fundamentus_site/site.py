"""The Fundamentus site, read by pynvest.

pynvest knows how the site is asked; this module gives it pages on which its rules come out right, and the
columns of the data contract.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, timedelta, timezone
from html import escape

import pandas as pd
from pynvest.scrappers import fundamentus as pynvest_fundamentus
from requests.structures import CaseInsensitiveDict

from fundamentus_site.kinds import Kind
from fundamentus_site.pages import PAPER_PATH, Page, listing, listing_url, paper_url, plain_listing
from fundamentus_site.papers import Indicators, Labels, indicators
from fundamentus_site.session import SiteSession

# Of the private use area of Unicode, which no page of the site has anything from.
_SHIELD = "\ue000"
_QUESTION_MARK = "\ue001"

# pandas has its options for all threads.
_OPTION = threading.Lock()

_MOMENT_COLUMN = "datetime_exec"
_BRASILIA = timezone(timedelta(hours=-3))


@dataclass(frozen=True)
class Reading:
    """What was read from a paper's page.

    Parameters
    ----------
    row
        Every column of the kind with the page's own text, None where the page has no such cell, and
        ``datetime_exec``, the moment at which the page came.
    unknown_labels
        Labels of the page that no column is read from: the first 20, cut at 60 characters.
    unknown_count
        How many there are of them.
    lacking_core
        Core labels that the page lacks.
    session
        The day that the page says it is of, None where that cannot be read.
    """

    row: dict[str, str | None]
    unknown_labels: tuple[str, ...]
    unknown_count: int
    lacking_core: tuple[str, ...]
    session: date | None


class FundamentusSite:
    """The site: fetches its pages, and reads pages that were fetched, by itself or by another.

    Safe to use from several threads.

    Parameters
    ----------
    base_url
        Address of the site without a path, such as ``https://www.fundamentus.com.br``.
    labels
        The labels of each kind of paper that is to be read.
    headers
        Headers of the requests, laid over pynvest's own.
    max_connections
        Most requests in flight at once.
    timeout_seconds
        Seconds that one page may take on one attempt.
    attempts
        Times that a page is asked for before its failure is raised.
    backoff_seconds
        Wait before the second attempt; doubles with each further one.
    max_wait_seconds
        Longest wait between two attempts.

    Examples
    --------
    >>> site = FundamentusSite("https://www.fundamentus.com.br", labels={Kind.ACOES: labels})
    >>> page = site.fetch_paper("PETR4")
    >>> site.read(page, "PETR4", Kind.ACOES, day=20261123).row["vlr_cot"]
    '31,87'
    """

    def __init__(
        self,
        base_url: str,
        *,
        labels: Mapping[Kind, Labels] | None = None,
        headers: Mapping[str, str] | None = None,
        max_connections: int = 2,
        timeout_seconds: float = 20.0,
        attempts: int = 3,
        backoff_seconds: float = 0.5,
        max_wait_seconds: float = 10.0,
    ) -> None:
        if not base_url.startswith(("http://", "https://")):
            raise ValueError(f"base_url is {base_url!r}, expected an address with http:// or https://")
        self._base_url = base_url.rstrip("/")
        self._labels = dict(labels or {})
        self._names = {kind: _pynvest_names(of_kind) for kind, of_kind in self._labels.items()}
        request_header = CaseInsensitiveDict(pynvest_fundamentus.REQUEST_HEADER)
        request_header.update(headers or {})
        self._session = SiteSession(
            request_header,
            max_connections=max_connections,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
            backoff_seconds=backoff_seconds,
            max_wait_seconds=max_wait_seconds,
        )
        # The gateway is one and the same for all sites: what it answers with is set for each call.
        pynvest_fundamentus.requests = _GATEWAY
        self._pynvest = pynvest_fundamentus.Fundamentus(
            logger_level=logging.CRITICAL,
            url_tickers_acoes=listing_url(self._base_url, Kind.ACOES),
            url_tickers_fiis=listing_url(self._base_url, Kind.FIIS),
            url_kpis_ticker=f"{self._base_url}{PAPER_PATH}",
            request_header=dict(request_header),
            # On the pages that it gets, every label is marked as one.
            variation_headings=[],
            metadata_cols_acoes=_columns_by_name(self._names.get(Kind.ACOES, {})),
            metadata_cols_fiis=_columns_by_name(self._names.get(Kind.FIIS, {})),
        )
        # pynvest adds a handler to one and the same logger for every object that is made.
        self._pynvest.logger.handlers.clear()

    def fetch_listing(self, kind: Kind) -> Page:
        """Return the page on which the site lists the papers of a kind.

        Raises
        ------
        Refused, Unavailable
            The site refused, or did not give the listing.
        """
        return self._session.get(listing_url(self._base_url, kind))

    def tickers(self, page: Page, kind: Kind) -> list[str]:
        """Return the tickers that a listing names, sorted, each once.

        Raises
        ------
        Refused, Unavailable
            A page that is not the site's, or none at all.
        LayoutNotRecognized
            The listing is empty, or no listing.
        """
        with _answering(plain_listing(listing(page).tickers)):
            tickers: list[str] = self._pynvest.extracao_tickers_de_ativos(kind.listing)
        return tickers

    def fetch_paper(self, ticker: str, *, not_after: float | None = None) -> Page:
        """Return a paper's page, whatever is on it.

        Parameters
        ----------
        ticker
            The paper's code at B3, such as ``PETR4``.
        not_after
            Moment of ``time.monotonic()`` past which the page is not waited for any more.

        Raises
        ------
        Refused, Unavailable
            The site refused, or did not give the page.
        """
        url = paper_url(self._base_url, _code(ticker))
        return self._session.get(url, not_after)

    def read(self, page: Page, ticker: str, kind: Kind, day: int) -> Reading:
        """Return the indicators of a paper as its page shows them, without a request.

        Parameters
        ----------
        page
            The paper's page.
        ticker
            The paper's code at B3, such as ``PETR4``.
        kind
            The kind of paper that it is.
        day
            The day that it is read for, ``YYYYMMDD``.

        Raises
        ------
        NoSuchAsset
            The page says that the site knows no such paper.
        Refused, Unavailable
            A page that is not the site's, or none at all.
        LayoutNotRecognized
            The page is something else than this paper's.
        LaterSession
            The page is of a session after the day.
        """
        if kind not in self._labels:
            raise ValueError(f"{ticker} cannot be read: the site was made without labels of {kind.value}")
        ticker = _code(ticker)
        found = indicators(page, ticker, kind, self._labels[kind], day)
        # Else pandas makes an array of pyarrow's for each column of the one row, at each step of pynvest.
        as_objects = pd.option_context("future.infer_string", False)
        with _OPTION, as_objects, _answering(_plain_paper(found, self._names[kind])):
            frame = self._pynvest.coleta_indicadores_de_ativo(ticker)
        texts = zip(frame.columns, frame.iloc[0], strict=True)
        row = {column: _page_text(text) for column, text in texts}
        # pynvest's own moment is that of the reading; a page may have been kept meanwhile.
        row[_MOMENT_COLUMN] = f"{page.fetched_at.astimezone(_BRASILIA):%d-%m-%Y %H:%M:%S}"
        return Reading(row, found.unknown_labels, found.unknown_count, found.lacking_core, found.session)


def _code(ticker: str) -> str:
    return ticker.strip().upper()


def _pynvest_names(labels: Labels) -> dict[str, str]:
    """Return the name by which pynvest knows the label of each column.

    It adds ``_1`` to the first of two equal labels of a row: twelve months, then three.
    """
    return {
        column: f"{label}_1" if place < len(columns) - 1 else label
        for label, columns in labels.columns.items()
        for place, column in enumerate(columns)
    }


def _columns_by_name(names: Mapping[str, str]) -> dict[str, str]:
    return {name: column for column, name in names.items()}


def _plain_paper(found: Indicators, names: Mapping[str, str]) -> str:
    """Return a page of one row an indicator, every label marked as one and every value shielded.

    What the paper lacks has a row too, without a shield: pynvest is slow at adding columns.
    """
    values = {
        column: _SHIELD + _escape(text.replace("?", _QUESTION_MARK)) for column, text in found.texts.items()
    }
    rows = (
        f"<tr><td>?{escape(name)}</td><td>{values.get(column, '')}</td></tr>"
        for column, name in names.items()
    )
    return f'<table class="w728">{"".join(rows)}</table>'


def _escape(text: str) -> str:
    return escape(text, quote=False).replace("\r", "&#13;")


def _page_text(value: object) -> str | None:
    """Return the page's text of a value that pynvest read from a plain page, None where it has none."""
    if not isinstance(value, str):
        raise TypeError(f"pynvest read {value!r} from a page of texts, expected a text")
    return value[1:].replace(_QUESTION_MARK, "?") if value.startswith(_SHIELD) else None


@dataclass(frozen=True)
class _Answer:
    """The part of a response that pynvest reads."""

    text: str


_ANSWER: ContextVar[str] = ContextVar("_ANSWER")


@contextmanager
def _answering(html: str) -> Iterator[None]:
    """Answer pynvest's requests in this thread with the given page."""
    token = _ANSWER.set(html)
    try:
        yield
    finally:
        _ANSWER.reset(token)


class _Gateway:
    """What pynvest finds under the name ``requests``."""

    @staticmethod
    def get(url: str, headers: Mapping[str, str]) -> _Answer:  # noqa: ARG004 - as pynvest calls it
        html = _ANSWER.get(None)
        if html is None:
            raise RuntimeError(f"pynvest asked for {url} without a FundamentusSite; call it through one")
        return _Answer(html)


_GATEWAY = _Gateway()
