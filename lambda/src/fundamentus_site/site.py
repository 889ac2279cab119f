"""A subclass of pynvest's ``Fundamentus`` for stages 2 and 3."""

from __future__ import annotations

from collections.abc import Mapping

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
    """Replaces pynvest's ``Fundamentus``; method names, default addresses and header are the same.

    Thread-safe. This class differs from pynvest:

    - pynvest opens a connection for each page, has no time limit, and reads an answer of any status. This
      class keeps a few connections open, limits time and size, and retries requests.

    - pynvest raises ``TypeError`` for every page without indicators, and ``IndexError`` for a listing in
      which a row has no link. This class raises a different error type for each kind of answer.

    - pynvest treats cells with a question mark as labels and all other cells as values. pynvest pairs the
      first label with the first value, the second label with the second value, and so on. After an empty
      label, an old year or a text with a question mark, all later values get wrong columns. This class finds
      a label by its markup and name, and takes the next cell as the value.

    - Some labels on the page are years, such as ``2026``. pynvest sets these years when it is imported: the
      current year and the five years before. This class uses the run day's year and the five years before.

    - pynvest has no columns for the ratio of net debt or for values that only banks report. The contract has
      these columns.

    - pynvest sets ``datetime_exec`` to the moment when the page is read. This class sets ``datetime_exec``
      to the moment when the page was fetched.

    - pynvest drops minus signs when it converts texts to numbers. This class keeps the texts.

    Parameters
    ----------
    base_url
        The address of the site without a path, such as ``https://www.fundamentus.com.br``; the default is
        pynvest's address.
    labels
        The labels of each kind of asset. The caller can omit a kind that it does not read.
    headers
        The headers of the requests; these headers override pynvest's headers.
    max_connections, timeout_seconds, attempts
        See `SiteClient`.

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
    ) -> None:
        self._labels = dict(labels or {})
        request_header = CaseInsensitiveDict(REQUEST_HEADER)
        request_header.update(headers or {})
        super().__init__(request_header=dict(request_header))
        # Each new ``Fundamentus`` object adds another handler to one shared logger.
        self.logger.handlers.clear()
        if base_url is not None:
            base_url = base_url.rstrip("/")
            self.url_tickers_acoes = listing_url(base_url, Kind.ACOES)
            self.url_tickers_fiis = listing_url(base_url, Kind.FIIS)
            self.url_kpis_ticker = f"{base_url}{ASSET_PATH}"
        self._client = SiteClient(
            self.request_header,
            max_connections=max_connections,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
        )

    def fetch_listing(self, kind: Kind, *, not_after: float | None = None) -> Page:
        """Fetch the site's listing page for a kind of asset, with a deadline as in `SiteClient.get`.

        Raises
        ------
        Refused, Unavailable
            The site refused the request, or did not give the listing.
        """
        url = self.url_tickers_acoes if kind is Kind.ACOES else self.url_tickers_fiis
        return self._client.get(url, not_after)

    def fetch_asset(self, ticker: str, *, not_after: float | None = None) -> Page:
        """Fetch the page of an asset such as ``PETR4``, without checking the content.

        The deadline is as in `SiteClient.get`.

        Raises
        ------
        Refused, Unavailable
            The site refused the request, or did not give the page.
        """
        return self._client.get(f"{self.url_kpis_ticker}{_code(ticker)}", not_after)

    def extracao_tickers_de_ativos(self, tipo: str = "ações", *, page: Page | None = None) -> list[str]:
        """Return the sorted tickers of a listing, each ticker once.

        Parameters
        ----------
        tipo
            The listing: ``ações`` or ``fiis``.
        page
            The listing's page; if None, the page is fetched from the site.

        Raises
        ------
        TypeError
            `tipo` names no listing.
        Refused, Unavailable
            The site refused the request, or did not give the listing.
        LayoutNotRecognized
            The page is not a listing, or the listing is empty.
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
            Must stay False.
        page
            The asset's page; if None, the page is fetched from the site.
        kind
            The kind of the asset; if None, the page decides the kind.
        day
            The run day, ``YYYYMMDD``; if None, the day when the page was fetched.

        Returns
        -------
        pandas.DataFrame
            A frame with one row, of dtype ``object``. Each column of the kind holds the text from the page,
            or None if the page has no cell for it. ``datetime_exec`` is the moment when the page was fetched.
            The frame's ``attrs`` hold the attributes ``unknown_labels``, ``unknown_count``, ``lacking_core``
            and ``session`` of `Indicators`.

        Raises
        ------
        ValueError
            ``parse_dtypes`` is set.
        NoSuchAsset
            The page says that the site has no such asset.
        Refused, Unavailable
            The site refused, or the answer is not a page of the site.
        LayoutNotRecognized
            The page is not this asset's page, or has another layout.
        LaterSession
            The page shows a session after the run day.
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
        labels = self._labels[kind]
        found = read_asset_page(page, ticker, kind, labels, day)
        row = {column: found.texts.get(column) for columns in labels.columns.values() for column in columns}
        row["datetime_exec"] = write_moment(page.fetched_at)
        frame = pd.DataFrame([row], dtype=object)
        frame.attrs.update(
            unknown_labels=found.unknown_labels,
            unknown_count=found.unknown_count,
            lacking_core=found.lacking_core,
            session=found.session,
        )
        return frame


def _code(ticker: str) -> str:
    return ticker.strip().upper()
