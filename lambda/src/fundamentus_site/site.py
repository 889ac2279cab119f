"""The Fundamentus site, read by pynvest.

pynvest knows the site's pages, addresses and columns; this module gives it a session with bounds, pages on
which its rules come out right, and the labels of the day's year.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial

from pynvest.scrappers import fundamentus as pynvest_fundamentus

from fundamentus_site.kinds import Kind
from fundamentus_site.pages import listing_page, page_text, paper_page
from fundamentus_site.session import SiteSession

_YEAR_COLUMN = "pct_var_ano_a"


class FundamentusSite:
    """The site as of one day.

    Safe to use from several threads.

    Parameters
    ----------
    base_url
        Address of the site without a path, such as ``https://www.fundamentus.com.br``.
    day
        Day of the run, ``YYYYMMDD``: the year columns count from its year. None where only listings are read.
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
    >>> site = FundamentusSite("https://www.fundamentus.com.br", day=20261123)
    >>> site.read_paper("PETR4", Kind.ACOES)["vlr_cot"]
    '31,87'
    """

    def __init__(
        self,
        base_url: str,
        *,
        day: int | None,
        max_connections: int = 2,
        timeout_seconds: float = 20.0,
        attempts: int = 3,
        backoff_seconds: float = 0.5,
        max_wait_seconds: float = 10.0,
    ) -> None:
        if not base_url.startswith(("http://", "https://")):
            raise ValueError(f"base_url is {base_url!r}, expected an address with http:// or https://")
        base_url = base_url.rstrip("/")
        self._session = SiteSession(
            max_connections=max_connections,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
            backoff_seconds=backoff_seconds,
            max_wait_seconds=max_wait_seconds,
        )
        self._day = day
        year = None if day is None else day // 10_000
        self._columns = {
            Kind.ACOES: _columns_of_year(pynvest_fundamentus.METADATA_COLS_ACOES, year),
            Kind.FIIS: _columns_of_year(pynvest_fundamentus.METADATA_COLS_FIIS, year),
        }
        # The gateway is one and the same for all sites: what it answers with is set for each call.
        pynvest_fundamentus.requests = _GATEWAY
        self._pynvest = pynvest_fundamentus.Fundamentus(
            logger_level=logging.CRITICAL,
            url_tickers_acoes=f"{base_url}/resultado.php",
            url_tickers_fiis=f"{base_url}/fii_resultado.php",
            url_kpis_ticker=f"{base_url}/detalhes.php?papel=",
            variation_headings=_headings(self._columns[Kind.ACOES]),
            metadata_cols_acoes=self._columns[Kind.ACOES],
            metadata_cols_fiis=self._columns[Kind.FIIS],
        )
        # pynvest adds a handler to one and the same logger for every object that is made.
        self._pynvest.logger.handlers.clear()

    def list_tickers(self, kind: Kind) -> list[str]:
        """Return the tickers that the site lists for a kind, sorted, each once.

        Raises
        ------
        Blocked, Unavailable
            The site refused, or did not give the listing.
        LayoutNotRecognized
            The listing is empty, or no listing.
        """
        with _answering(lambda url, headers: listing_page(self._session.get(url, headers), url)):
            tickers: list[str] = self._pynvest.extracao_tickers_de_ativos(kind.listing)
        return tickers

    def read_paper(self, ticker: str, kind: Kind, *, not_after: float | None = None) -> dict[str, str | None]:
        """Return the indicators of a paper as its page shows them.

        Parameters
        ----------
        ticker
            The paper's code at B3, such as ``PETR4``.
        kind
            The kind of paper that it is.
        not_after
            Moment of ``time.monotonic()`` past which the page is not waited for any more.

        Returns
        -------
        dict
            Every column of the kind's SoR table, in order, with the page's text; None where the page has no
            such cell.

        Raises
        ------
        NoSuchPaper
            The site knows no such paper.
        Blocked, Unavailable
            The site refused, or did not give the page.
        LayoutNotRecognized
            The site answered with something else than this paper's page.
        """
        if self._day is None:
            raise ValueError(f"{ticker} cannot be read: the site was made with day None, expected YYYYMMDD")
        ticker = ticker.strip().upper()
        with _answering(partial(self._paper_page, ticker, kind, not_after)):
            frame = self._pynvest.coleta_indicadores_de_ativo(ticker)
        texts = zip(frame.columns, frame.iloc[0], strict=True)
        return {column: page_text(text) if isinstance(text, str) else None for column, text in texts}

    def _paper_page(
        self, ticker: str, kind: Kind, not_after: float | None, url: str, headers: Mapping[str, str]
    ) -> str:
        return paper_page(self._session.get(url, headers, not_after), url, ticker, kind, self._columns[kind])


def _columns_of_year(columns: Mapping[str, str], year: int | None) -> dict[str, str]:
    """Return pynvest's map from label to column with the years counted from the given one.

    pynvest builds it from the clock when it is imported.
    """
    of_year = {}
    for label, column in columns.items():
        if not column.startswith(_YEAR_COLUMN):
            of_year[label] = column
        elif year is not None:
            of_year[str(year - int(column.removeprefix(_YEAR_COLUMN)))] = column
    return of_year


def _headings(columns: Mapping[str, str]) -> list[str]:
    return [label for label, column in columns.items() if column.startswith("pct_var_")]


@dataclass(frozen=True)
class _Page:
    """The part of a response that pynvest reads."""

    text: str


_ANSWER: ContextVar[Callable[[str, Mapping[str, str]], str]] = ContextVar("_ANSWER")


@contextmanager
def _answering(answer: Callable[[str, Mapping[str, str]], str]) -> Iterator[None]:
    """Answer pynvest's requests in this thread with the given function."""
    token = _ANSWER.set(answer)
    try:
        yield
    finally:
        _ANSWER.reset(token)


class _Gateway:
    """What pynvest finds under the name ``requests``."""

    @staticmethod
    def get(url: str, headers: Mapping[str, str]) -> _Page:
        answer = _ANSWER.get(None)
        if answer is None:
            raise RuntimeError(f"pynvest asked for {url} without a FundamentusSite; call it through one")
        return _Page(answer(url, headers))


_GATEWAY = _Gateway()
