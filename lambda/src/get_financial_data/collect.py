"""Pages of many assets at once, with every outcome told apart."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial

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
from pynvest_lake.ledger import moment_of, moment_text
from pynvest_lake.messages import PageRef, TickerMessage
from pynvest_lake.outcomes import Outcome

_OUTCOMES = {
    NoSuchAsset: Outcome.NO_SUCH_PAPER,
    LaterSession: Outcome.LATER_SESSION,
    LayoutNotRecognized: Outcome.LAYOUT,
    Unavailable: Outcome.FAILED,
    Refused: Outcome.REFUSED,
}


class ArchiveCache:
    """Pages of the archive, each object of which is opened once. Safe to use from several threads.

    Parameters
    ----------
    archive
        The archive.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._opened: dict[str, ArchiveObject] = {}
        self._lock = threading.Lock()

    def page(self, place: PageRef, ticker: str) -> Page:
        """Return an asset's page.

        Raises
        ------
        DamagedArchive
            There is no such page, or it cannot be read.
        """
        with self._lock:
            if place.object not in self._opened:
                self._opened[place.object] = self._archive.read(place.object)
        for page in self._opened[place.object].pages:
            if (page.ticker, page.fetched_at) == (ticker, place.fetched_at):
                return Page(page.url, page.status, page.content_type, page.body, moment_of(page.fetched_at))
        raise DamagedArchive(f"{place.object} has no page of {ticker} of {place.fetched_at}")


class NotAsked(Exception):
    """The site was not asked for the asset, which comes to an outcome; its message comes again."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


@dataclass(frozen=True)
class AssetResult:
    """What became of an asset.

    Parameters
    ----------
    outcome
        What became of it.
    page
        What the site answered with, whatever it was; None where nothing came.
    row
        What was read from the page, where it was read: a text or None for each column of the kind.
    unknown_labels, unknown_count, lacking_core, session
        What else is known of the page (see `fundamentus_site.asset_page.Indicators`).
    error
        Why it was not read, where it was not.
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
        """Return when its page was fetched, as the ledger has it."""
        return moment_text(self.page.fetched_at) if self.page else None

    @property
    def reason(self) -> str:
        """Return why it was not read, as text."""
        if isinstance(self.error, FundamentusError | NotAsked | DamagedArchive):
            return str(self.error)
        return f"{type(self.error).__name__}: {self.error}"


def collect(
    messages: Collection[TickerMessage],
    site: FundamentusSite,
    archived: ArchiveCache,
    breaker: Breaker,
    *,
    threads: int,
    not_after: float,
) -> dict[TickerMessage, AssetResult]:
    """Fetch and read the pages of assets.

    A page is read while the next is on its way. Nothing is asked for where the breaker is open. Whatever
    goes wrong with an asset is that asset's alone.

    Parameters
    ----------
    messages
        The assets, each once.
    site
        The site.
    archived
        The archived pages, for messages that name one: the site is not asked for these.
    breaker
        The process's memory of refusals.
    threads
        Pages that are asked for at once.
    not_after
        Moment of ``time.monotonic()`` past which no page is waited for.
    """
    pages: dict[TickerMessage, Page] = {}
    # Those on their way, and the one that is read.
    ahead = threading.Semaphore(threads + 1)

    def fetch(message: TickerMessage) -> Page:
        if message.page is None and not breaker.admits(message.ticker):
            raise NotAsked(Outcome.REFUSED, f"{message.ticker} was not asked for: the site refuses")
        if time.monotonic() >= not_after:
            raise NotAsked(Outcome.FAILED, f"{message.ticker} was not asked for: the time for it was over")
        if message.page is not None:
            return archived.page(message.page, message.ticker)
        return site.fetch_asset(message.ticker, not_after=not_after)

    def read(message: TickerMessage, fetched: Future[Page]) -> AssetResult:
        try:
            page = pages[message] = fetched.result()
            frame = site.coleta_indicadores_de_ativo(
                message.ticker, page=page, kind=message.kind, day=message.day
            )
        except NotAsked as error:
            return AssetResult(error.outcome, error=error)
        except DamagedArchive as error:
            return AssetResult(Outcome.FAILED, error=error)
        except FundamentusError as outcome:
            if isinstance(outcome, Refused) and message.page is None:
                breaker.refused(message.ticker, rate_limited=outcome.rate_limited)
            return AssetResult(_OUTCOMES[type(outcome)], pages.get(message), error=outcome)
        else:
            if message.page is None:
                breaker.read()
            return AssetResult(Outcome.READ, page, frame.iloc[0].to_dict(), **frame.attrs)
        finally:
            breaker.settled(message.ticker)
            ahead.release()

    futures: dict[TickerMessage, Future[AssetResult]] = {}
    with ThreadPoolExecutor(max_workers=1) as reading, ThreadPoolExecutor(max_workers=threads) as fetching:

        def read_next(message: TickerMessage, fetched: Future[Page]) -> None:
            futures[message] = reading.submit(read, message, fetched)

        for message in messages:
            ahead.acquire()
            # As it has come, so that one page that is slow keeps no other from being read.
            fetching.submit(fetch, message).add_done_callback(partial(read_next, message))
    collected = {}
    for message in messages:
        future = futures[message]
        unforeseen = future.exception()
        collected[message] = (
            AssetResult(Outcome.FAILED, pages.get(message), error=unforeseen)
            if unforeseen
            else future.result()
        )
    return collected
