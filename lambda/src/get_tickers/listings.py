"""Reads the listings of a day from the site, with retries, or from the archive."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from time import monotonic, sleep

from b3.bounds import first_of
from b3.brazilian import read_number
from b3.days import day_at, next_opening
from b3.kind import Kind
from fundamentus_site.errors import FundamentusError, Refused
from fundamentus_site.listing_page import read_listing_page
from fundamentus_site.page import Page
from fundamentus_site.site import FundamentusSite
from pynvest_lake.archive import Archive, ArchivedPage
from pynvest_lake.ledger import Listing, Outcome, moment_of
from pynvest_lake.messages import PageRef

# How long to retry the listings if the site is down. A later round requests the listings again.
PATIENCE_SECONDS = 240.0
_FIRST_WAIT_SECONDS = 5.0
_LONGEST_WAIT_SECONDS = 60.0


class NoListing(Exception):
    """There is no listing. The text starts with ``refused`` or ``failed``."""


@dataclass(frozen=True)
class Listed:
    """The listings of a day.

    Parameters
    ----------
    listing
        The assets of each kind.
    pages
        The listing pages to archive, as the site sent them.
    unreadable
        By kind, the first 20 rows without a readable asset. If there are more rows, a last text gives the
        total.
    places
        References to each asset's archived pages, in the order of the archive's objects. A listing from the
        site has no references.
    problems
        The first 20 problems: missing listings and unusable parts of the archive. If there are more problems,
        a last text gives the total.
    """

    listing: Listing
    pages: tuple[ArchivedPage, ...] = ()
    unreadable: Mapping[str, list[str]] = field(default_factory=dict)
    places: tuple[tuple[Kind, str, PageRef], ...] = ()
    problems: tuple[str, ...] = ()


def from_site(
    site: FundamentusSite,
    patience_seconds: float,
    *,
    not_after: float,
) -> Listed:
    """Read both listings; retry for some time if the site is down. A refusal is not retried.

    If the listing of only one kind can be read, the result has the assets of this kind and the error of the
    other kind.

    Parameters
    ----------
    patience_seconds
        How long to retry, in seconds.
    not_after
        The deadline of all requests, as a value of ``time.monotonic()``.

    Raises
    ------
    NoListing
        The site gave no listing of either kind.
    """
    give_up_at, wait = monotonic() + patience_seconds, _FIRST_WAIT_SECONDS
    prices: dict[Kind, dict[str, float | None]] = {}
    pages: list[ArchivedPage] = []
    unreadable: dict[str, list[str]] = {}
    counts: dict[Kind, int] = {}
    while True:
        errors: dict[Kind, FundamentusError] = {}
        for kind in [kind for kind in Kind if kind not in prices]:
            try:
                page = site.fetch_listing(kind, not_after=not_after)
                found = read_listing_page(page)
                tickers = site.extracao_tickers_de_ativos(kind.listing, page=page)
            except FundamentusError as error:
                errors[kind] = error
                continue
            prices[kind] = {ticker: read_number(found.prices[ticker]) for ticker in tickers}
            pages.append(ArchivedPage.of(page, kind, None))
            unreadable[kind.value] = first_of(found.unreadable, found.unreadable_count)
            counts[kind] = found.unreadable_count
        refusal = next((error for error in errors.values() if isinstance(error, Refused)), None)
        if not errors or refusal or monotonic() + wait >= give_up_at:
            break
        sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
    if not prices:
        outcome = Outcome.REFUSED if refusal else Outcome.FAILED
        raise NoListing(f"{outcome.value}: {refusal or errors[Kind.ACOES]}")
    problems = tuple(f"no listing of {kind.value}: {error}" for kind, error in errors.items())
    return Listed(Listing(prices, unreadable=counts), tuple(pages), unreadable, problems=problems)


def from_archive(archive: Archive, day: int) -> Listed:
    """Read a day's archive once; return the union of the listings, and references to the assets' pages.

    Pages that were fetched before the day are not used. If several listings have an asset, the price
    comes from the latest listing. But a listing that was fetched after the next session opened replaces no
    price: it only adds new assets.

    Raises
    ------
    NoListing
        The archive has no readable page of the day.
    """
    listing = Listing({})
    places: list[tuple[Kind, str, PageRef]] = []
    problems: list[str] = []
    listings: list[ArchivedPage] = []
    for key in archive.keys(day):
        found = archive.read(key)
        problems += found.problems
        for page in found.pages:
            fetched_at = moment_of(page.fetched_at)
            if day_at(fetched_at) < day:
                problems.append(f"{key}: the page of {page.ticker or page.kind} is older than {day}")
            elif page.ticker is None:
                listings.append(page)
            else:
                places.append((Kind(page.kind), page.ticker, PageRef(key, page.fetched_at)))
    for page in sorted(listings, key=lambda page: page.fetched_at):
        try:
            found_listing = read_listing_page(Page(**page.answer))
        except FundamentusError as error:
            problems.append(f"the archived listing of {page.kind} of {page.fetched_at}: {error}")
            continue
        prices = {ticker: read_number(text) for ticker, text in found_listing.prices.items()}
        kind = Kind(page.kind)
        of_page = Listing({kind: prices}, unreadable={kind: found_listing.unreadable_count})
        is_late = moment_of(page.fetched_at) >= next_opening(day)
        listing = of_page.united(listing) if is_late else listing.united(of_page)
    if not any(listing) and not places:
        raise NoListing(f"{Outcome.FAILED.value}: the archive has no page of {day} that can be read")
    return Listed(listing, places=tuple(places), problems=tuple(first_of(problems, len(problems))))


def asked_for(listed: Listing, tickers: Collection[str] | None) -> Listing:
    """Return the listing; for a partial run, only the requested assets that are listed."""
    if tickers is None:
        return listed
    return Listing(
        {
            kind: {ticker: price for ticker, price in prices.items() if ticker in tickers}
            for kind, prices in listed.assets.items()
        },
        is_partial=True,
        archived=listed.archived,
    )
