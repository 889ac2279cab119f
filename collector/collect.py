"""Collects a day: archives the missing pages, and puts a manifest of the archived objects."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import date, datetime

from b3.days import date_of
from b3.kind import Kind
from collector.bucket import Bucket
from collector.collected_day import CollectedDay
from collector.errors import CollectorError, Incomplete, ListingUnreadable, SiteRefuses, TooLate
from collector.patience import Patience
from collector.site_access import Asset, Looks, Site, look
from fundamentus_site.breaker import Breaker
from fundamentus_site.errors import FundamentusError, LayoutNotRecognized, Refused
from fundamentus_site.listing_page import read_listing_page
from fundamentus_site.page import Page
from pynvest_lake.archive import ArchivedPage

PAGES_AN_OBJECT = 50
FAILURES_IN_A_ROW = 4
"""After this many failures in a row, the collector waits before it asks the site again."""
LATER_PAGES = 0.1
"""If a greater share of the pages is of a later session, the site no longer shows the day."""
_SHOWN = 10


@dataclass
class _Fetched:
    """The results of fetching some assets."""

    pages: dict[Asset, Page] = field(default_factory=dict)
    looks: dict[Asset, Looks] = field(default_factory=dict)
    failure: FundamentusError | None = None
    refusal: Refused | None = None
    stays_away: bool = False


class Collection:
    """A day's pages: the archived pages, and the pages that are still missing.

    Parameters
    ----------
    site
        The site.
    bucket
        The work bucket.
    day
        The day.
    patience_seconds
        Longest time, in seconds, without an answer from the site or from S3.
    now
        Returns the current time.
    say
        Prints a line.
    """

    def __init__(
        self,
        site: Site,
        bucket: Bucket,
        day: CollectedDay,
        *,
        patience_seconds: float,
        now: Callable[[], datetime],
        say: Callable[[str], None],
    ) -> None:
        self._site = site
        self._bucket = bucket
        self._day = day
        self._patience_seconds = patience_seconds
        self._now = now
        self._say = say
        self._listed: dict[Kind, set[str]] = {}
        self._archived: dict[Asset, Looks] = {}
        self._sessions: dict[Asset, date] = {}
        """The newest session on each asset's archived pages."""
        self._listed_at: dict[Kind, datetime] = {}
        self._fetched_at: dict[Asset, datetime] = {}
        """When a kind's newest archived listing, and an asset's newest page with a session, were fetched."""
        self._breaker = Breaker(cool_down_seconds=math.inf)

    def load(self) -> None:
        """Load the day's archived pages, except pages that were fetched before 18:45 of that day."""
        for key in self._bucket.keys(self._day.number):
            archived = self._bucket.read(key)
            for problem in archived.problems:
                self._say(f"not used: {problem}")
            for kept in archived.pages:
                page = Page(**kept.answer)
                if page.fetched_at >= self._day.closed_at:
                    self._load(page, Kind(kept.kind), kept.ticker)
        for kind in Kind:
            self._forget_pages_before_listing(kind)

    def _load(self, page: Page, kind: Kind, ticker: str | None) -> None:
        try:
            if ticker is None:
                tickers = read_listing_page(page).tickers
                self._listed.setdefault(kind, set()).update(tickers)
                self._listed_at[kind] = max(page.fetched_at, self._listed_at.get(kind, page.fetched_at))
                return
            asset = Asset(kind, ticker)
            seen, session = look(page, asset, self._day.number)
        except FundamentusError:
            return  # the archive has a refusal as a page: ask for the page again
        if self._archived.get(asset) is not Looks.LIKE_THE_ASSET:
            self._archived[asset] = seen
        if session is not None:
            self._sessions[asset] = max(session, self._sessions.get(asset, session))
            self._fetched_at[asset] = max(page.fetched_at, self._fetched_at.get(asset, page.fetched_at))

    def _forget_pages_before_listing(self, kind: Kind) -> None:
        """Forget a late kind's pages that an interrupted earlier start was to request again.

        Requesting a kind again begins with its listing. If no page older than the kind's newest listing has
        the day's session, these older pages are requested again.
        """
        listed_at = self._listed_at.get(kind)
        older = [
            asset
            for asset, fetched_at in self._fetched_at.items()
            if asset.kind is kind and listed_at is not None and fetched_at < listed_at
        ]
        if all(self._sessions[asset] < date_of(self._day.number) for asset in older):
            for asset in older:
                del self._archived[asset]

    def bring(self) -> None:
        """Archive the missing listings and pages; put a manifest if the archive has new objects.

        Raises
        ------
        CollectorError
            Listings or pages are still missing. All received pages are archived, and a manifest names them.
        """
        missing: CollectorError | None = None
        try:
            self._forget_old_session()
            missing = self._bring_listings()
            self._bring_pages()
            self._ask_once_more()
        except CollectorError as error:
            missing = error
        self._put_manifest()
        if missing is not None:
            raise missing
        later = [asset for asset in self._assets if self._archived.get(asset) is Looks.LATER]
        if later:
            self._say(
                f"{self._day.number} has ended without {len(later)} asset{'s' if len(later) > 1 else ''}, "
                f"because the site shows a later session: {_tickers(later)}"
            )
        else:
            self._say(f"{self._day.number} is complete: {self._count} pages are archived")
        if self._strange:
            self._say(
                f"{len(self._strange)} pages are archived that this version cannot read as their assets': "
                f"{_tickers(self._strange)}. The day's quality table will have their outcomes"
            )

    def _forget_old_session(self) -> None:
        """If the site was late for a kind and now shows a newer session, request the kind's assets again.

        The site was late if no archived page of the kind has the day's session. On a holiday, the probed page
        shows no newer session.
        """
        day = date_of(self._day.number)
        for kind in Kind:
            of_kind = {asset: session for asset, session in self._sessions.items() if asset.kind is kind}
            shown = max(of_kind.values(), default=None)
            if shown is None or shown >= day or self._is_over:
                continue
            usual = Asset(kind, kind.usual)
            probed = usual if usual in of_kind else min(one for one in of_kind if of_kind[one] == shown)
            fetched = _Fetched()
            self._fetch([probed], fetched)
            if fetched.refusal and self._breaker.open:
                raise self._refuses("this machine", fetched.refusal) from fetched.refusal
            page = fetched.pages.get(probed)
            _, session = look(page, probed, self._day.number) if page else (None, None)
            if session is not None and session > shown:
                self._say(f"the site was late: the pages of {kind.value} are requested again")
                self._listed.pop(kind, None)
                self._archived = {one: seen for one, seen in self._archived.items() if one.kind is not kind}

    def _put_manifest(self) -> None:
        if all(seen is Looks.LATER for seen in self._archived.values()):
            return
        if self._bucket.put_manifest(self._day.number):
            self._say(
                f"{self._day.number}: a manifest was put, with {self._count} pages. If the "
                "lake has fetch_from = pages, it now runs the day"
            )
        else:
            self._say(f"{self._day.number}: no new pages since the last manifest")

    def _ask_once_more(self) -> None:
        """Request the unexpected pages once more, if there are at most `PAGES_AN_OBJECT`.

        More unexpected pages mean a new layout: a second request would return the same pages.
        """
        strange = self._strange
        if strange and len(strange) <= PAGES_AN_OBJECT and not self._is_over:
            fetched = _Fetched()
            try:
                self._fetch(strange, fetched)
            finally:
                self._take(fetched)

    @property
    def _strange(self) -> list[Asset]:
        return [asset for asset in self._assets if self._archived.get(asset) is Looks.STRANGE]

    @property
    def _is_over(self) -> bool:
        return self._day.until is not None and self._now() >= self._day.until

    @property
    def _assets(self) -> list[Asset]:
        return [Asset(kind, ticker) for kind, tickers in self._listed.items() for ticker in sorted(tickers)]

    def _bring_listings(self) -> CollectorError | None:
        """Fetch and archive the missing listings.

        Returns
        -------
        CollectorError or None
            The error of a missing listing; None if no listing is missing. The assets of the other listing can
            still be collected.

        Raises
        ------
        CollectorError
            Both listings are missing, or the site refuses all requests.
        """
        patience = Patience(self._patience_seconds, self._say)
        lacking: CollectorError | None = None
        for kind in Kind:
            if kind not in self._listed:
                try:
                    self._bring_listing(kind, patience)
                except (SiteRefuses, Incomplete, ListingUnreadable) as error:
                    if self._breaker.open:
                        raise
                    lacking = error
                    self._say(str(error))
        if lacking is not None and not self._listed:
            raise lacking
        return lacking

    def _bring_listing(self, kind: Kind, patience: Patience) -> None:
        while True:
            self._check_opening()
            try:
                page = self._site.listing(kind, self._day.until)
                tickers = set(read_listing_page(page).tickers)
            except Refused as error:
                self._breaker.refused(kind.listing_path, rate_limited=error.rate_limited)
                raise self._refuses(f"the listing of {kind.value}", error) from error
            except FundamentusError as error:
                if not patience.wait(str(error)):
                    unreadable = isinstance(error, LayoutNotRecognized)
                    kind_of_end = ListingUnreadable if unreadable else Incomplete
                    raise kind_of_end(
                        f"the site gave no listing of {kind.value}: {error}. Look at the listing in a "
                        "browser. The next start asks for the missing pages"
                    ) from error
            else:
                self._put([ArchivedPage.of(page, kind, None)], patience)
                self._listed[kind] = tickers
                patience.rewarded()
                return

    def _bring_pages(self) -> None:
        waiting = deque(asset for asset in self._assets if asset not in self._archived)
        self._say(
            f"{self._day.number}: {len(self._assets)} assets are listed, the pages of "
            f"{len(self._assets) - len(waiting)} are archived already"
        )
        patience = Patience(self._patience_seconds, self._say)
        while waiting:
            self._check_opening()
            batch = [waiting.popleft() for _ in range(min(PAGES_AN_OBJECT, len(waiting)))]
            fetched = _Fetched()
            try:
                self._fetch(batch, fetched)
            except BaseException:
                self._take(fetched)
                raise
            self._take(fetched, patience)
            if fetched.refusal and self._breaker.open:
                raise self._refuses("this machine", fetched.refusal) from fetched.refusal
            self._check_session()
            waiting.extend(asset for asset in batch if asset not in fetched.pages)
            if fetched.pages:
                patience.rewarded()
                self._say(f"{self._day.number}: {self._count} pages are archived")
            nothing_comes = fetched.stays_away or not fetched.pages
            failure = fetched.failure
            if failure and nothing_comes and not patience.wait(str(failure)):
                raise Incomplete(
                    f"{self._count} pages of {self._day.number} are archived, and no more arrive. Missing: "
                    f"{_tickers(list(waiting))}; the last answer: {failure}. The next start asks for the "
                    "missing pages"
                ) from failure

    def _fetch(self, assets: Iterable[Asset], fetched: _Fetched) -> None:
        """Fetch assets, until the site refuses this client, or several requests in a row fail."""
        stop, lock = threading.Event(), threading.Lock()
        in_a_row = 0

        def ask(asset: Asset) -> None:
            nonlocal in_a_row
            if stop.is_set() or not self._breaker.admits(asset.ticker):
                return
            try:
                page = self._site.asset(asset, self._day.until)
                seen, _ = look(page, asset, self._day.number)
            except Refused as error:
                self._breaker.refused(asset.ticker, rate_limited=error.rate_limited)
                fetched.failure = fetched.refusal = error
            except FundamentusError as error:
                with lock:
                    in_a_row += 1
                    fetched.failure = error
                    if in_a_row >= FAILURES_IN_A_ROW:
                        fetched.stays_away = True
                        stop.set()
            else:
                if seen is Looks.LIKE_THE_ASSET:
                    self._breaker.read()
                with lock:
                    in_a_row = 0
                    fetched.pages[asset], fetched.looks[asset] = page, seen
            finally:
                self._breaker.settled(asset.ticker)

        pool = ThreadPoolExecutor(self._site.threads)
        try:
            futures = [pool.submit(ask, asset) for asset in assets]
            # Wait in steps of one second: on Windows, Ctrl-C takes effect only between two waits.
            while wait(futures, timeout=1).not_done:
                pass
        finally:
            # Wait for the open requests even after an error, so that their pages are archived.
            pool.shutdown(wait=True, cancel_futures=True)
        for future in futures:
            future.result()

    def _take(self, fetched: _Fetched, patience: Patience | None = None) -> None:
        pages = [ArchivedPage.of(page, asset.kind, asset.ticker) for asset, page in fetched.pages.items()]
        if pages:
            self._put(pages, patience)
        self._archived |= fetched.looks

    def _put(self, pages: list[ArchivedPage], patience: Patience | None) -> None:
        """Archive pages; if S3 cannot be reached, retry until the allowed time is over."""
        while True:
            try:
                self._bucket.put(self._day.number, pages)
            except Incomplete as error:
                if patience is None or not patience.wait(str(error)):
                    raise
            else:
                return

    def _check_opening(self) -> None:
        if self._day.until is not None and self._is_over:
            raise TooLate(
                f"the next session has opened ({self._day.until:%d/%m/%Y %H:%M} in Sao Paulo), so the site "
                f"no longer shows {self._day.number}; {self._count} of its pages are archived. If today is a "
                f"holiday of the exchange, use --day {self._day.number} to continue"
            )

    def _check_session(self) -> None:
        later = [asset for asset, seen in self._archived.items() if seen is Looks.LATER]
        if len(later) > LATER_PAGES * len(self._archived):
            raise TooLate(
                f"the site shows a later session than {self._day.number} on {len(later)} of "
                f"{len(self._archived)} pages, such as {_tickers(later)}: the day can no longer be read"
            )

    def _refuses(self, what: str, error: FundamentusError) -> SiteRefuses:
        return SiteRefuses(
            f"the site refuses {what}: {error}. {self._count} pages of {self._day.number} are archived. "
            "Start again in some hours; the next start asks for the missing pages. --header changes how the "
            "collector identifies itself"
        )

    @property
    def _count(self) -> str:
        assets = self._assets
        there = sum(asset in self._archived for asset in assets)
        return f"{there} of {len(assets)}" if assets else "0"


def _tickers(assets: list[Asset]) -> str:
    shown = ", ".join(asset.ticker for asset in assets[:_SHOWN])
    return f"{shown} and {len(assets) - _SHOWN} more" if len(assets) > _SHOWN else shown
