"""Pages as the site served them, and its listings.

A page is read from its bytes alone, so that one that was kept reads as one that has just come.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from html import escape

from lxml import etree

from fundamentus_site.errors import FundamentusError, LayoutNotRecognized, Refused
from fundamentus_site.kinds import Kind

PAPER_PATH = "/detalhes.php?papel="

_HTML_TAG = re.compile(r"<(?:!doctype\s+html|html|head|title|body|div|table|h[1-6]|script)\b", re.IGNORECASE)
# What pages say that stand between a client and the site; they may name the site's host.
_REFUSAL = re.compile(
    r"access denied|acesso negado|you have been blocked|attention required|request unsuccessful"
    r"|just a moment|um momento|checking your browser|checking if the site connection is secure"
    r"|human verification|verify(?:ing)? (?:that )?you are (?:a )?human|verificando (?:se )?(?:a|o) ",
    re.IGNORECASE,
)
# The site's name, but not in the name of its host.
_SITE_NAME = re.compile(r"(?<![\w.@/-])fundamentus(?![\w-]*\.\w)", re.IGNORECASE)
_TICKER = re.compile(r"[A-Z0-9]{4,12}")
_PRICE_HEADING = "cotação"
_SHOWN_CELLS = 12
_SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Page:
    """An answer of the site with status 200.

    Parameters
    ----------
    url
        The address that was asked for.
    status
        Its status.
    content_type
        The answer's header of this name, None where it had none.
    body
        Its bytes, as they were when the connection had decompressed them.
    fetched_at
        The moment, with its zone, at which the body had come whole.
    """

    url: str
    status: int
    content_type: str | None
    body: bytes
    fetched_at: datetime

    @property
    def text(self) -> str:
        """Return the text of the body.

        Bytes that are UTF-8 beyond ASCII are UTF-8 whatever the header says. Others are of the header's
        charset, or of windows-1252 where it names none that Python knows.
        """
        if not self.body.isascii():
            try:
                return self.body.decode("utf-8")
            except UnicodeDecodeError:
                pass
        try:
            charset = codecs.lookup(self._charset or "cp1252").name
            # To browsers, and so to whoever wrote the page, ISO-8859-1 means windows-1252.
            if charset not in ("iso8859-1", "cp1252"):
                return self.body.decode(charset, errors="replace")
        except (LookupError, UnicodeError):
            pass
        try:
            return self.body.decode("cp1252")
        except UnicodeDecodeError:
            return self.body.decode("iso-8859-1")

    @property
    def _charset(self) -> str | None:
        header = Message()
        header["Content-Type"] = self.content_type or ""
        return header.get_content_charset()


def paper_url(base_url: str, ticker: str) -> str:
    """Return the address of a paper's page, of a site without a slash at the end of its own."""
    return f"{base_url}{PAPER_PATH}{ticker}"


def listing_url(base_url: str, kind: Kind) -> str:
    """Return the address of the listing of a kind, of a site without a slash at the end of its own."""
    return f"{base_url}{kind.listing_path}"


@dataclass(frozen=True)
class Listing:
    """What a listing names.

    Parameters
    ----------
    prices
        The price of each paper as the listing shows it, by ticker; None where it shows none.
    unreadable
        The rows that name no paper, each told with its place.
    """

    prices: dict[str, str | None]
    unreadable: tuple[str, ...] = ()

    @property
    def tickers(self) -> list[str]:
        """Return the tickers, sorted."""
        return sorted(self.prices)


def listing(page: Page) -> Listing:
    """Read a listing: all of its tables that have papers, each paper once.

    Raises
    ------
    Refused
        A refusal, or a page that is not the site's.
    LayoutNotRecognized
        A page of the site without papers, or with less than half of its rows readable; no HTML page.
    """
    text = page.text
    prices: dict[str, str | None] = {}
    readable = 0
    unreadable: list[str] = []
    elsewhere: list[str] = []
    for table in parse(text).xpath("//table"):
        papers, others = _rows_of_papers(table)
        if not papers:
            elsewhere += others
            continue
        readable += len(papers)
        unreadable += others
        for ticker, price in papers:
            prices.setdefault(ticker, price)
    expected = "expected rows that have a ticker as their first link"
    if not prices:
        found = f"no row of a paper, but for one {elsewhere[0]}" if elsewhere else "no row of a paper"
        raise not_the_page(page, text, "a listing", f"{found}; {expected}")
    if readable < len(unreadable):
        raise LayoutNotRecognized(
            f"{page.url}: asked for a listing, only {readable} of its {readable + len(unreadable)} rows "
            f"name a paper; {unreadable[0]}, {expected}"
        )
    return Listing(prices, tuple(unreadable))


def plain_listing(tickers: list[str]) -> str:
    """Return a listing with one row and one link a paper, as pynvest expects it."""
    rows = (f"<tr><td><a>{escape(ticker)}</a></td></tr>" for ticker in tickers)
    return f"<table><tr><th>Papel</th></tr>{''.join(rows)}</table>"


def parse(text: str) -> etree._Element:
    """Return the root of an HTML text, an empty element where it has none."""
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    # A body without an element in it has no root; a charset may have made what UTF-8 cannot hold.
    root = etree.fromstring(text.encode("utf-8", "replace"), parser) if text.strip() else None
    return etree.Element("html") if root is None else root


def text_of(element: etree._Element) -> str:
    """Return the text in an element, without the space around it."""
    return "".join(element.itertext()).strip()


def cells_of(row: etree._Element) -> list[etree._Element]:
    """Return the cells of a table's row."""
    return [cell for cell in row if cell.tag in ("td", "th")]


def not_the_page(page: Page, text: str, asked: str, found: str) -> FundamentusError:
    """Tell what a page is that is not what was asked for.

    Parameters
    ----------
    page, text
        The page, and its text.
    asked
        What was asked for.
    found
        What the page has instead, in case that it is the site's.
    """
    said = " ".join(text.split())[:_SHOWN_CHARACTERS]
    seen = " ".join(_visible(text))
    if _REFUSAL.search(seen):
        return Refused(f"{page.url}: asked for {asked}, found a refusal (status {page.status}): {said!r}")
    if _SITE_NAME.search(seen):
        return LayoutNotRecognized(f"{page.url}: asked for {asked}, found a page of the site with {found}")
    if _HTML_TAG.search(text):
        return Refused(
            f"{page.url}: asked for {asked}, found a page that is not the site's "
            f"(status {page.status}): {said!r}"
        )
    return LayoutNotRecognized(f"{page.url}: asked for {asked}, found no HTML page: {said!r}")


def _visible(text: str) -> Iterator[str]:
    """Yield the words of a page that a person sees, its title among them."""
    for element in parse(text).iter():
        if element.tag not in ("script", "style") and element.text:
            yield from element.text.split()
        if element.tail:
            yield from element.tail.split()


def _rows_of_papers(table: etree._Element) -> tuple[list[tuple[str, str | None]], list[str]]:
    """Return ticker and price of each row of a table that has a paper, and the rows that have none.

    Headers, and rows of a single text, are neither.
    """
    rows = table.xpath("./tr | ./thead/tr | ./tbody/tr | ./tfoot/tr")
    price_at: int | None = None
    papers: list[tuple[str, str | None]] = []
    others: list[str] = []
    for position, row in enumerate(rows):
        cells = cells_of(row)
        if any(cell.find(".//table") is not None for cell in cells):
            continue  # what lays the page out
        link = next((text_of(link) for link in row.iter("a")), "")
        if all(cell.tag == "th" for cell in cells) or (position == 0 and not _has_digit(link)):
            headings = [" ".join(text_of(cell).split()).casefold() for cell in cells]
            price_at = headings.index(_PRICE_HEADING) if _PRICE_HEADING in headings else price_at
        elif _TICKER.fullmatch(link):
            price = text_of(cells[price_at]) if price_at is not None and price_at < len(cells) else None
            papers.append((link, price or None))
        elif link or sum(bool(text_of(cell)) for cell in cells) > 1:
            shown = [text_of(cell) for cell in cells][:_SHOWN_CELLS]
            others.append(f"row {position + 1} has {shown}")
    if not any(_has_digit(ticker) for ticker, _ in papers):
        return [], others
    return papers, others


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)
