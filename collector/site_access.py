"""Fetches pages from the site with the Lambda functions' client; pynvest is not needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import Enum
from typing import NamedTuple

from b3.kind import Kind
from fundamentus_site.asset_page import SESSION_LABEL, Labels, read_asset_page
from fundamentus_site.client import SiteClient
from fundamentus_site.errors import LaterSession, LayoutNotRecognized, NoSuchAsset
from fundamentus_site.listing_page import listing_url
from fundamentus_site.page import Page, asset_url

DEFAULT_URL = "https://www.fundamentus.com.br"
DEFAULT_HEADERS = {
    "User-Agent": "pynvest-tools collector",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "pt-BR,pt;q=0.9",
}
PAGE_SECONDS = 20.0


class Asset(NamedTuple):
    """A listed asset."""

    kind: Kind
    ticker: str


class Looks(Enum):
    """A rough classification of a page. The collector does not read the page's values."""

    LIKE_THE_ASSET = "the asset's page, or the site's answer that there is no such asset"
    LATER = "a page of a session after the day"
    STRANGE = "a page that this version cannot read as the asset's"


class Site:
    """A client of the site that limits concurrent requests.

    Parameters
    ----------
    base_url
        The site's address without a path.
    headers
        Headers of the requests.
    threads
        Largest number of concurrent requests.
    now
        Returns the current time.
    """

    def __init__(
        self, base_url: str, headers: Mapping[str, str], threads: int, now: Callable[[], datetime]
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self.threads = threads
        self._now = now
        self._client = SiteClient(
            headers, max_connections=threads, timeout_seconds=PAGE_SECONDS, use_proxy=True
        )

    def listing(self, kind: Kind, until: datetime | None) -> Page:
        """Return the listing page of a kind; the request fails if no answer arrives by ``until``.

        Raises
        ------
        FundamentusError
            As for `SiteClient.get`.
        """
        return self._get(listing_url(self._base_url, kind), until)

    def asset(self, asset: Asset, until: datetime | None) -> Page:
        """Return an asset's page, whatever its content; the request fails if no answer arrives by ``until``.

        Raises
        ------
        FundamentusError
            As for `SiteClient.get`.
        """
        return self._get(asset_url(self._base_url, asset.ticker), until)

    def _get(self, url: str, until: datetime | None) -> Page:
        # The monotonic clock stops while the machine sleeps: compute a new deadline for each page.
        left = (until - self._now()).total_seconds() if until else None
        return self._client.get(url, None if left is None else time.monotonic() + left)


def look(page: Page, asset: Asset, day: int) -> tuple[Looks, date | None]:
    """Classify a page; return also its session, or None if it shows no session or a session after the day.

    Raises
    ------
    Refused
        The page is a refusal, or it is not from the site.
    """
    labels = Labels({asset.kind.identity: ("ticker",), SESSION_LABEL: ("session",)}, frozenset())
    try:
        return Looks.LIKE_THE_ASSET, read_asset_page(page, asset.ticker, asset.kind, labels, day).session
    except LaterSession:
        return Looks.LATER, None
    except LayoutNotRecognized:
        return Looks.STRANGE, None
    except NoSuchAsset:
        return Looks.LIKE_THE_ASSET, None
