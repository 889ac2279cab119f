"""The site's listings of assets."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from b3.bounds import MOST_RECORDED, printable
from b3.kind import Kind
from b3.ticker import TICKER
from fundamentus_site.errors import LayoutNotRecognized, Unavailable
from fundamentus_site.page import (
    MAX_LISTING_ELEMENTS,
    MAX_ROWS,
    Page,
    cells_of,
    holding_rows,
    meaning,
    parse,
    text_of,
)

_PRICE_HEADING = "cotação"
_SHOWN_CELLS = 12


def listing_url(base_url: str, kind: Kind) -> str:
    """Return the address of a kind's listing; `base_url` must not end with a slash."""
    return f"{base_url}{kind.listing_path}"


@dataclass(frozen=True)
class ListingPage:
    """The content of a listing.

    Parameters
    ----------
    prices
        The text of each asset's price in the listing, by ticker; None for an asset without a price.
    unreadable
        The first 20 rows that name no asset, as texts of at most 60 characters. Each text starts with the
        row's position.
    unreadable_count
        The number of all rows that name no asset.
    """

    prices: dict[str, str | None]
    unreadable: tuple[str, ...] = ()
    unreadable_count: int = 0

    @property
    def tickers(self) -> list[str]:
        """Return the tickers, sorted."""
        return sorted(self.prices)


def read_listing_page(page: Page) -> ListingPage:
    """Read the assets from all tables of a listing; return each asset once.

    Raises
    ------
    Refused, Unavailable
        See `fundamentus_site.page.meaning`. A page with more than `MAX_ROWS` rows raises `Unavailable`.
    LayoutNotRecognized
        A page of the site has no assets, or fewer than half of its rows name an asset.
    """
    root = parse(page.url, page.text, MAX_LISTING_ELEMENTS)
    holding = holding_rows(root)
    prices: dict[str, str | None] = {}
    readable = 0
    unreadable: list[str] = []
    elsewhere: list[str] = []
    for table in root.iter("table"):
        assets, others = _rows_of_assets(table, holding)
        if not assets:
            elsewhere += others
            continue
        readable += len(assets)
        unreadable += others
        for ticker, price in assets:
            prices.setdefault(ticker, price)
    expected = "expected rows that have a ticker as their first link"
    if not prices:
        found = f"no row of an asset; for example, {elsewhere[0]}" if elsewhere else "no row of an asset"
        raise meaning(page, "a listing", f"{found}; {expected}")
    rows = readable + len(unreadable)
    if rows > MAX_ROWS:
        raise Unavailable(f"{page.url}: asked for a listing, found {rows} rows, expected {MAX_ROWS} at most")
    if readable < len(unreadable):
        raise LayoutNotRecognized(
            f"{page.url}: asked for a listing, only {readable} of its {rows} rows "
            f"name an asset; {unreadable[0]}, {expected}"
        )
    return ListingPage(prices, tuple(unreadable[:MOST_RECORDED]), len(unreadable))


def _rows_of_assets(
    table: etree._Element, holding: set[etree._Element]
) -> tuple[list[tuple[str, str | None]], list[str]]:
    """Return ticker and price of each row with an asset, and a text for each row without an asset.

    Skip headings. Also skip rows that have no link and have text in fewer than two cells.
    """
    rows = table.xpath("./tr | ./thead/tr | ./tbody/tr | ./tfoot/tr")
    price_at: int | None = None
    assets: list[tuple[str, str | None]] = []
    others: list[str] = []
    for position, row in enumerate(rows):
        if row in holding:
            continue
        cells = cells_of(row)
        link = next((text_of(link) for link in row.iter("a")), "")
        if all(cell.tag == "th" for cell in cells) or (position == 0 and not _has_digit(link)):
            headings = [" ".join(text_of(cell).split()).casefold() for cell in cells]
            price_at = headings.index(_PRICE_HEADING) if _PRICE_HEADING in headings else price_at
        elif TICKER.fullmatch(link):
            price = text_of(cells[price_at]) if price_at is not None and price_at < len(cells) else None
            assets.append((link, price or None))
        elif link or sum(bool(text_of(cell)) for cell in cells) > 1:
            shown = [printable(text_of(cell)) for cell in cells[:_SHOWN_CELLS]]
            others.append(printable(f"row {position + 1} has {shown}"))
    if not any(_has_digit(ticker) for ticker, _ in assets):
        return [], others
    return assets, others


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)
