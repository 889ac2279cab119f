"""Fetches and reads the pages of many assets in parallel, and returns an outcome for each asset."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from fundamentus_site.breaker import Breaker
from fundamentus_site.errors import (
    FundamentusError,
    LaterSession,
    LayoutNotRecognized,
    NoSuchAsset,
    Refused,
    Unavailable,
)
from fundamentus_site.page import Page
from fundamentus_site.site import FundamentusSite
from pynvest_lake.archive import Archive, ArchiveObject, DamagedArchive
from pynvest_lake.ledger import Outcome, moment_text
from pynvest_lake.messages import PageRef, TickerMessage


class NotAsked(FundamentusError):
    """The breaker is open, so the site was not asked for the asset; a later round can read the asset."""


_OUTCOMES: dict[type[Exception], Outcome] = {
    NoSuchAsset: Outcome.NO_SUCH_PAPER,
    LaterSession: Outcome.LATER_SESSION,
    LayoutNotRecognized: Outcome.LAYOUT,
    Unavailable: Outcome.FAILED,
    Refused: Outcome.REFUSED,
    NotAsked: Outcome.REFUSED,
    DamagedArchive: Outcome.FAILED,
}


class ArchiveCache:
    """Pages of the archive; each archive object is opened once. Thread-safe."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._opened: dict[str, ArchiveObject] = {}
        self._lock = threading.Lock()

    def page(self, place: PageRef, ticker: str) -> Page:
        """Return an asset's page.

        Raises
        ------
        DamagedArchive
            The page does not exist, or it cannot be read.
        """
        with self._lock:
            if place.object not in self._opened:
                self._opened[place.object] = self._archive.read(place.object)
        for page in self._opened[place.object].pages:
            if (page.ticker, page.fetched_at) == (ticker, place.fetched_at):
                return Page(**page.answer)
        raise DamagedArchive(f"{place.object} has no page of {ticker} that was fetched at {place.fetched_at}")


@dataclass(frozen=True)
class AssetResult:
    """The result of fetching and reading an asset.

    Parameters
    ----------
    outcome
        The asset's outcome.
    page
        The site's answer, with any content; None if there was no answer.
    row
        For each column of the kind, the text from the page or None. If the page was not read, `row` is None.
    unknown_labels, unknown_count, lacking_core, session
        Further data of the page (see `fundamentus_site.asset_page.Indicators`).
    error
        Why the asset was not read; None if it was read.
    """

    outcome: Outcome
    page: Page | None = None
    row: Mapping[str, str | None] | None = None
    unknown_labels: tuple[str, ...] = ()
    unknown_count: int = 0
    lacking_core: tuple[str, ...] = ()
    session: date | None = None
    error: BaseException | None = None

    @property
    def fetched_at(self) -> str | None:
        """Return when the page was fetched, in the ledger's format."""
        return moment_text(self.page.fetched_at) if self.page else None

    @property
    def reason(self) -> str:
        """Return a text that says why the asset was not read."""
        if isinstance(self.error, FundamentusError | DamagedArchive):
            return str(self.error)
        return f"{type(self.error).__name__}: {self.error}"


def read_assets(
    messages: Collection[TickerMessage],
    site: FundamentusSite,
    archived: ArchiveCache,
    breaker: Breaker,
    *,
    threads: int,
    not_after: float,
) -> dict[TickerMessage, AssetResult]:
    """Fetch and read the pages of assets.

    If the breaker is open, the site is not asked. An error of one asset does not affect the others.

    Parameters
    ----------
    messages
        The messages, each once.
    archived
        The archived pages. A message that names an archived page causes no request to the site.
    breaker
        The breaker of this process, which remembers the site's refusals.
    threads
        Number of pages that `site` fetches in parallel.
    not_after
        Deadline for pages, by ``time.monotonic()``.
    """
    pages: dict[TickerMessage, Page] = {}

    def fetch(message: TickerMessage) -> Page:
        if message.page is None and not breaker.admits(message.ticker):
            raise NotAsked(f"{message.ticker} was not requested, because the site refuses requests")
        if time.monotonic() >= not_after:
            raise Unavailable(f"{message.ticker} was not requested, because the deadline has passed")
        if message.page is not None:
            return archived.page(message.page, message.ticker)
        return site.fetch_asset(message.ticker, not_after=not_after)

    def collect(message: TickerMessage) -> AssetResult:
        try:
            page = pages[message] = fetch(message)
            frame = site.coleta_indicadores_de_ativo(
                message.ticker, page=page, kind=message.kind, day=message.day
            )
        except (FundamentusError, DamagedArchive) as error:
            if isinstance(error, Refused) and message.page is None:
                breaker.refused(message.ticker, rate_limited=error.rate_limited)
            return AssetResult(_OUTCOMES[type(error)], pages.get(message), error=error)
        else:
            if message.page is None:
                breaker.read()
            return AssetResult(Outcome.READ, page, frame.iloc[0].to_dict(), **frame.attrs)
        finally:
            breaker.settled(message.ticker)

    # Use one thread more than connections: one thread parses a page while the others fetch pages.
    with ThreadPoolExecutor(max_workers=threads + 1) as pool:
        futures = {message: pool.submit(collect, message) for message in messages}
    collected = {}
    for message, future in futures.items():
        unforeseen = future.exception()
        collected[message] = (
            AssetResult(Outcome.FAILED, pages.get(message), error=unforeseen)
            if unforeseen
            else future.result()
        )
    return collected
