"""Brings a day: what the archive does not have yet, page by page, and the manifest when it has all."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime

from collector.bucket import Bucket
from collector.day import Day
from collector.errors import ListingUnreadable, NotWhole, Refused, TooLate
from collector.patience import Patience
from collector.site import Looks, Paper, Site, look
from fundamentus_site.errors import FundamentusError, LayoutNotRecognized
from fundamentus_site.errors import Refused as SiteRefused
from fundamentus_site.kinds import Kind
from fundamentus_site.pages import Page, listing
from pynvest_lake.archive import SUFFIX, KeptPage
from pynvest_lake.ledger import moment_of, moment_text

PAGES_AN_OBJECT = 50
FAILURES_IN_A_ROW = 4
"""So many, and the site is left alone for a while."""
LATER_PAGES = 0.1
"""Where more of the pages are of a later session, the site no longer shows the day."""
_SHOWN = 10


@dataclass
class _Fetched:
    """What came of asking for some papers."""

    pages: dict[Paper, Page] = field(default_factory=dict)
    looks: dict[Paper, Looks] = field(default_factory=dict)
    failure: FundamentusError | None = None
    refusal: SiteRefused | None = None
    stays_away: bool = False


class Collection:
    """A day's pages: what is kept of them, and what the site is still to be asked for.

    Parameters
    ----------
    site
        The site.
    bucket
        The work bucket.
    day
        The day.
    patience_seconds
        How long the site, or the connection, may stay away.
    now
        This machine's clock.
    say
        Takes a line for a person.
    """

    def __init__(
        self,
        site: Site,
        bucket: Bucket,
        day: Day,
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
        self._kept: dict[Paper, Looks] = {}

    def load(self, without: Iterable[str] = ()) -> None:
        """Look at what is kept already: pages from before the day's 18:45 do not count.

        Parameters
        ----------
        without
            Keys of objects that are passed over.
        """
        passed_over = set(without)
        for key in self._bucket.objects(self._day.number):
            if key.endswith(SUFFIX) and key not in passed_over:
                for kept in self._bucket.read(key).pages:
                    moment = moment_of(kept.fetched_at)
                    if moment >= self._day.closed_at:
                        page = Page(kept.url, kept.status, kept.content_type, kept.body, moment)
                        self._load(page, Kind(kept.kind), kept.ticker)

    def _load(self, page: Page, kind: Kind, ticker: str | None) -> None:
        try:
            if ticker is None:
                self._listed.setdefault(kind, set()).update(listing(page).tickers)
                return
            paper, seen = Paper(kind, ticker), look(page, Paper(kind, ticker), self._day.number)
        except FundamentusError:
            return  # a refusal that was kept as a page: it is asked for again
        if self._kept.get(paper) is not Looks.LIKE_THE_PAPER:
            self._kept[paper] = seen

    def bring(self) -> None:
        """Ask for the listings and the pages that are not kept, and keep them; then put the manifest.

        Raises
        ------
        CollectorError
            It came to an end before the day was whole; no manifest was put.
        """
        self._bring_listings()
        lacking = [paper for paper in self._papers if paper not in self._kept]
        self._say(
            f"{self._day.number}: {len(self._papers)} papers are listed, the pages of "
            f"{len(self._papers) - len(lacking)} are kept already"
        )
        self._bring_pages(lacking)
        self._ask_once_more()
        self._check_session()
        self._bucket.put_manifest(self._day.number, self._listed, self._now())
        self._say(f"{self._day.number} is whole: its manifest is put, and the lake runs the day from here")
        if self._strange:
            self._say(
                f"{len(self._strange)} pages are kept that this version cannot read as their papers': "
                f"{_tickers(self._strange)}. The day's quality table will tell what became of them"
            )

    def _ask_once_more(self) -> None:
        """Ask again for the few pages that are none of their papers': what is kept of them counts anyway.

        Many are the site's new layout, and would come again.
        """
        strange = self._strange
        if strange and len(strange) <= PAGES_AN_OBJECT and not self._is_over:
            fetched = _Fetched()
            try:
                self._fetch(strange, fetched)
            finally:
                self._take(fetched)

    @property
    def _strange(self) -> list[Paper]:
        return [paper for paper in self._papers if self._kept[paper] is Looks.STRANGE]

    @property
    def _is_over(self) -> bool:
        return self._day.until is not None and self._now() >= self._day.until

    @property
    def _papers(self) -> list[Paper]:
        return [Paper(kind, ticker) for kind, tickers in self._listed.items() for ticker in sorted(tickers)]

    def _bring_listings(self) -> None:
        patience = Patience(self._patience_seconds, self._say)
        for kind in Kind:
            while kind not in self._listed:
                self._check_opening()
                try:
                    page = self._site.listing(kind, self._day.until)
                    tickers = set(listing(page).tickers)
                except SiteRefused as error:
                    raise self._refused(error) from error
                except FundamentusError as error:
                    if not patience.wait(str(error)):
                        unreadable = isinstance(error, LayoutNotRecognized)
                        kind_of_end = ListingUnreadable if unreadable else NotWhole
                        raise kind_of_end(f"the site gave no listing of {kind.value}: {error}") from error
                else:
                    self._keep([_kept_page(page, kind, None)], patience)
                    self._listed[kind] = tickers
                    patience.rewarded()

    def _bring_pages(self, papers: Iterable[Paper]) -> None:
        waiting = deque(papers)
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
            if fetched.refusal:
                raise self._refused(fetched.refusal) from fetched.refusal
            self._check_session()
            waiting.extend(paper for paper in batch if paper not in fetched.pages)
            if fetched.pages:
                patience.rewarded()
                self._say(f"{self._day.number}: {self._count} pages are kept")
            nothing_comes = fetched.stays_away or not fetched.pages
            if fetched.failure and nothing_comes and not patience.wait(str(fetched.failure)):
                raise NotWhole(
                    f"{self._count} pages of {self._day.number} are kept, and no more come. Lacking: "
                    f"{_tickers(list(waiting))}; the last answer: {fetched.failure}. Started again, it goes "
                    "on where it stopped"
                ) from fetched.failure

    def _fetch(self, papers: Iterable[Paper], fetched: _Fetched) -> None:
        """Ask for papers, until the site refuses one or fails several in a row."""
        stop, lock = threading.Event(), threading.Lock()
        in_a_row = 0

        def ask(paper: Paper) -> None:
            nonlocal in_a_row
            if stop.is_set():
                return
            try:
                page = self._site.paper(paper, self._day.until)
                seen = look(page, paper, self._day.number)
            except SiteRefused as error:
                fetched.refusal = error
                stop.set()
            except FundamentusError as error:
                with lock:
                    in_a_row += 1
                    fetched.failure = error
                    if in_a_row >= FAILURES_IN_A_ROW:
                        fetched.stays_away = True
                        stop.set()
            else:
                with lock:
                    in_a_row = 0
                    fetched.pages[paper], fetched.looks[paper] = page, seen

        pool = ThreadPoolExecutor(self._site.threads)
        try:
            futures = [pool.submit(ask, paper) for paper in papers]
            # By the second: without a time limit, Windows would not let Ctrl-C through.
            while wait(futures, timeout=1).not_done:
                pass
        finally:
            # Whatever ends it, the pages that were asked for come, and are kept.
            pool.shutdown(wait=True, cancel_futures=True)
        for future in futures:
            future.result()

    def _take(self, fetched: _Fetched, patience: Patience | None = None) -> None:
        pages = [_kept_page(page, paper.kind, paper.ticker) for paper, page in fetched.pages.items()]
        if pages:
            self._keep(pages, patience)
        self._kept |= fetched.looks

    def _keep(self, pages: list[KeptPage], patience: Patience | None) -> None:
        """Keep pages, trying for as long as there is patience where S3 cannot be reached."""
        while True:
            try:
                self._bucket.keep(self._day.number, pages)
            except NotWhole as error:
                if patience is None or not patience.wait(str(error)):
                    raise
            else:
                return

    def _check_opening(self) -> None:
        if self._day.until is not None and self._is_over:
            raise TooLate(
                f"the next session has opened ({self._day.until:%d/%m/%Y %H:%M} in Sao Paulo), so the site "
                f"no longer shows {self._day.number}; {self._count} of its pages are kept. Nothing of it "
                "is run by itself: docs/collector.md says how to run what is kept. If that day is a holiday "
                f"of the exchange, --day {self._day.number} goes on"
            )

    def _check_session(self) -> None:
        later = [paper for paper, seen in self._kept.items() if seen is Looks.LATER]
        if len(later) > LATER_PAGES * len(self._kept):
            raise TooLate(
                f"the site shows a later session than {self._day.number} on {len(later)} of "
                f"{len(self._kept)} pages, such as {_tickers(later)}: the day can no longer be had"
            )

    def _refused(self, error: SiteRefused) -> Refused:
        return Refused(
            f"the site refuses this machine, and was not asked any further: {error}. {self._count} pages of "
            f"{self._day.number} are kept. Leave it alone for some hours; what this program says that it is "
            "can be set with --header. Started again, it goes on where it stopped"
        )

    @property
    def _count(self) -> str:
        papers = self._papers
        there = sum(paper in self._kept for paper in papers)
        return f"{there} of {len(papers)}" if papers else "none"


def _kept_page(page: Page, kind: Kind, ticker: str | None) -> KeptPage:
    return KeptPage(
        ticker, kind.value, page.url, moment_text(page.fetched_at), page.status, page.content_type, page.body
    )


def _tickers(papers: list[Paper]) -> str:
    shown = ", ".join(paper.ticker for paper in papers[:_SHOWN])
    return f"{shown} and {len(papers) - _SHOWN} more" if len(papers) > _SHOWN else shown
