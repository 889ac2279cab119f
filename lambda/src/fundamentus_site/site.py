"""The site as pynvest has it, with its two methods written anew: what stages 2 and 3 call."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from pynvest.scrappers.fundamentus import REQUEST_HEADER, Fundamentus
from requests.structures import CaseInsensitiveDict

from b3.brazilian import write_moment
from b3.days import day_at
from b3.kind import Kind
from fundamentus_site.asset_page import Labels, read_asset_page
from fundamentus_site.client import SiteClient
from fundamentus_site.errors import LayoutNotRecognized
from fundamentus_site.listing_page import listing_url, read_listing_page
from fundamentus_site.page import ASSET_PATH, Page


class FundamentusSite(Fundamentus):
    """pynvest's ``Fundamentus``, with the names of its methods, its default addresses and its header.

    Safe to use from several threads. What pynvest itself does otherwise:

    - It opens a connection for each page, without a time limit, and reads an answer of any status. Here pages
      come over few kept connections, with bounds on time and size and with retries.
    - It raises ``TypeError`` for every page without indicators, and ``IndexError`` for a listing with a row
      that has no link. Here the type of the error says what the site answered with.
    - It takes cells with a question mark for labels and all others for values, and pairs them in their order:
      after an empty label, an old year or a text with a question mark, values land in wrong columns. Here
      markup and name make a label, and its value is the cell after it.
    - Its years are those of the clock when it is imported. Here they count from the day of the run.
    - It has no columns for what only banks report, nor for the ratio of net debt. Here the contract has them.
    - Its ``datetime_exec`` is the moment of the reading. Here it is the moment at which the page came.
    - Its conversion to numbers drops minus signs. Here values stay texts.

    Parameters
    ----------
    base_url
        Address of the site without a path, such as ``https://www.fundamentus.com.br``; pynvest's by default.
    labels
        The labels of each kind of asset that is to be read.
    headers
        Headers of the requests, laid over pynvest's own.
    max_connections, timeout_seconds, attempts, backoff_seconds, max_wait_seconds
        As `SiteSession` has them.

    Raises
    ------
    ValueError
        The address has no http:// or https://, or a header decides whether an answer can be read.

    Examples
    --------
    >>> site = FundamentusSite(labels={Kind.ACOES: labels})
    >>> site.coleta_indicadores_de_ativo("PETR4").at[0, "vlr_cot"]
    '31,87'
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        labels: Mapping[Kind, Labels] | None = None,
        headers: Mapping[str, str] | None = None,
        max_connections: int = 2,
        timeout_seconds: float = 20.0,
        attempts: int = 3,
        backoff_seconds: float = 0.5,
        max_wait_seconds: float = 10.0,
    ) -> None:
        self._labels = dict(labels or {})
        request_header = CaseInsensitiveDict(REQUEST_HEADER)
        request_header.update(headers or {})
        super().__init__(
            request_header=dict(request_header),
            variation_headings=[],
            metadata_cols_acoes=self._columns(Kind.ACOES),
            metadata_cols_fiis=self._columns(Kind.FIIS),
        )
        # pynvest adds a handler to one and the same logger for every object that is made.
        self.logger.handlers.clear()
        if base_url is not None:
            if not base_url.startswith(("http://", "https://")):
                raise ValueError(f"base_url is {base_url!r}, expected an address with http:// or https://")
            base_url = base_url.rstrip("/")
            self.url_tickers_acoes = listing_url(base_url, Kind.ACOES)
            self.url_tickers_fiis = listing_url(base_url, Kind.FIIS)
            self.url_kpis_ticker = f"{base_url}{ASSET_PATH}"
        self._session = SiteClient(
            self.request_header,
            max_connections=max_connections,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
            backoff_seconds=backoff_seconds,
            max_wait_seconds=max_wait_seconds,
        )

    def fetch_listing(self, kind: Kind) -> Page:
        """Return the page on which the site lists the assets of a kind.

        Raises
        ------
        Refused, Unavailable
            The site refused, or did not give the listing.
        """
        return self._session.get(self.url_tickers_acoes if kind is Kind.ACOES else self.url_tickers_fiis)

    def fetch_asset(self, ticker: str, *, not_after: float | None = None) -> Page:
        """Return an asset's page, whatever is on it.

        Parameters
        ----------
        ticker
            The asset's code at B3, such as ``PETR4``.
        not_after
            Moment of ``time.monotonic()`` past which the page is not waited for any more.

        Raises
        ------
        Refused, Unavailable
            The site refused, or did not give the page.
        """
        return self._session.get(f"{self.url_kpis_ticker}{_code(ticker)}", not_after)

    def extracao_tickers_de_ativos(self, tipo: str = "ações", *, page: Page | None = None) -> list[str]:
        """Return the tickers that a listing names, sorted, each once.

        Parameters
        ----------
        tipo
            The listing: ``ações`` or ``fiis``.
        page
            The listing's page, where it was fetched; else the site is asked.

        Raises
        ------
        TypeError
            There is no such listing.
        Refused, Unavailable
            The site refused, or did not give the listing.
        LayoutNotRecognized
            The listing is empty, or no listing.
        """
        kinds = {kind.listing: kind for kind in Kind}
        kind = kinds.get(tipo.strip().lower())
        if kind is None:
            raise TypeError(f"tipo is {tipo!r}, expected {' or '.join(map(repr, kinds))}")
        return read_listing_page(page or self.fetch_listing(kind)).tickers

    def coleta_indicadores_de_ativo(
        self,
        ticker: str,
        parse_dtypes: bool = False,
        *,
        page: Page | None = None,
        kind: Kind | None = None,
        day: int | None = None,
    ) -> pd.DataFrame:
        """Return the indicators of an asset as its page shows them.

        Parameters
        ----------
        ticker
            The asset's code at B3, such as ``PETR4``.
        parse_dtypes
            Not to be set.
        page
            The asset's page, where it was fetched; else the site is asked.
        kind
            The kind of asset that it is; where it is not given, the one that the page is of.
        day
            The day that it is read for, ``YYYYMMDD``; where it is not given, the one at which the page came.

        Returns
        -------
        pandas.DataFrame
            One row of objects: the page's own text in each column of the kind, None where the page has no
            such cell, and ``datetime_exec``, the moment at which the page came. Its ``attrs`` are
            ``unknown_labels``, ``unknown_count``, ``lacking_core`` and ``session`` of `Indicators`.

        Raises
        ------
        ValueError
            ``parse_dtypes`` is set, or the site was made without labels of the kind.
        NoSuchAsset
            The page says that the site knows no such asset.
        Refused, Unavailable
            The site refused, or the page is not the site's, or none at all.
        LayoutNotRecognized
            The page is something else than this asset's.
        LaterSession
            The page is of a session after the day.
        """
        if parse_dtypes:
            raise ValueError(
                "parse_dtypes=True drops minus signs: leave it out, and take typed values from stage 4, "
                "prep_financial_data"
            )
        page = page or self.fetch_asset(ticker)
        day = day or day_at(page.fetched_at)
        if kind is not None:
            return self._read(page, _code(ticker), kind, day)
        try:
            return self._read(page, _code(ticker), Kind.ACOES, day)
        except LayoutNotRecognized:
            return self._read(page, _code(ticker), Kind.FIIS, day)

    def _read(self, page: Page, ticker: str, kind: Kind, day: int) -> pd.DataFrame:
        if kind not in self._labels:
            raise ValueError(f"{ticker} cannot be read: the site was made without labels of {kind.value}")
        found = read_asset_page(page, ticker, kind, self._labels[kind], day)
        columns = self.metadata_cols_acoes if kind is Kind.ACOES else self.metadata_cols_fiis
        row = {column: found.texts.get(column) for column in columns.values()}
        row["datetime_exec"] = write_moment(page.fetched_at)
        frame = pd.DataFrame(np.array([[*row.values()]], dtype=object), columns=[*row], dtype=object)
        frame.attrs.update(
            unknown_labels=found.unknown_labels,
            unknown_count=found.unknown_count,
            lacking_core=found.lacking_core,
            session=found.session,
        )
        return frame

    def _columns(self, kind: Kind) -> dict[str, str]:
        """Return the column of each label, the first of two equal ones with ``_1``, as pynvest has it."""
        return {
            f"{label}_1" if column != columns[-1] else label: column
            for label, columns in (self._labels[kind].columns if kind in self._labels else {}).items()
            for column in columns
        }


def _code(ticker: str) -> str:
    return ticker.strip().upper()
