"""Pages as the site served them.

A page is read from its bytes alone, so an archived page gives the same result as a fetched page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from b3.bounds import printable
from fundamentus_site.errors import FundamentusError, LayoutNotRecognized, Refused, Unavailable

ASSET_PATH = "/detalhes.php?papel="

MAX_PAGE_BYTES = 2 * 1024 * 1024
"""An asset's page has 26 kB, the listing of stocks at most 1 MB."""
MAX_ELEMENTS = 20_000
"""Limit of an asset's page, which has some 500 elements."""
MAX_ROWS = 5_000
"""Limit of a listing, which has at most 1,000 rows."""
MAX_LISTING_ELEMENTS = 30 * MAX_ROWS
"""A row of the listing of stocks has 24 elements: the row, 21 cells, a link and the element around it."""
MAX_ATTRIBUTES = 50
"""Limit of one element. libxml2's time grows with the square of the attributes: a minute for 2 MB of them."""
_COUNTED_CHARACTERS = 100_000
"""In a text up to this length, libxml2 needs at most half a second for all possible attributes."""

_HTML_TAG = re.compile(r"<(?:!doctype\s+html|html|head|title|body|div|table|h[1-6]|script)\b", re.IGNORECASE)
# A proxy or firewall in front of the site shows these phrases, on pages that can contain the site's name.
_REFUSAL = re.compile(
    r"access denied|acesso negado|you have been blocked|attention required|request unsuccessful"
    r"|just a moment|um momento|checking your browser|checking if the site connection is secure"
    r"|human verification|verify(?:ing)? (?:that )?you are (?:a )?human|verificando (?:se )?(?:a|o) ",
    re.IGNORECASE,
)
# This pattern finds the site's name, except where the name is part of a host name.
_SITE_NAME = re.compile(r"(?<![\w.@/-])fundamentus(?![\w-]*\.\w)", re.IGNORECASE)
_SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Page:
    """An answer of the site.

    Parameters
    ----------
    url
        The requested address.
    status
        The HTTP status.
    content_type
        The header ``Content-Type``; None if the answer had no such header.
    body
        The bytes of the body, decompressed.
    fetched_at
        The moment, with a time zone, when the whole body had arrived.
    """

    url: str
    status: int
    content_type: str | None
    body: bytes
    fetched_at: datetime

    @property
    def text(self) -> str:
        """Return the text of the body.

        A body that is valid UTF-8, or whose header says UTF-8, is read as UTF-8. A body that is not UTF-8 is
        read as windows-1252, because browsers read ISO-8859-1 as windows-1252.
        """
        if "utf8" in (self.content_type or "").lower().replace("-", ""):
            return self.body.decode("utf-8", errors="replace")
        for charset in ("utf-8", "cp1252"):
            with suppress(UnicodeDecodeError):
                return self.body.decode(charset)
        return self.body.decode("iso-8859-1")


def asset_url(base_url: str, ticker: str) -> str:
    """Return the address of an asset's page; `base_url` must not end with a slash."""
    return f"{base_url}{ASSET_PATH}{ticker}"


def parse(url: str, text: str, most_elements: int = MAX_ELEMENTS) -> etree._Element:
    """Return the root of an HTML text; an empty element if the text has no root.

    The elements are nested at most 256 levels deep. The time to parse grows linearly with the text. A
    Lambda function parses 2 MB in less than 5 s of CPU time.

    Raises
    ------
    Unavailable
        The text has too many elements, or an element with too many attributes.
    """
    content = text.encode("utf-8", "replace")
    if len(text) > _COUNTED_CHARACTERS or text.count("<") > most_elements:
        etree.fromstring(content, _parser(_Counter(url, most_elements)))
    root = etree.fromstring(content, _parser())
    return etree.Element("html") if root is None else root


def _parser(target: _Counter | None = None) -> etree.HTMLParser:
    return etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, target=target)


class _Counter:
    """A parser target that counts the elements of a text and does not build them."""

    def __init__(self, url: str, most_elements: int) -> None:
        self._url = url
        self._most_elements = most_elements
        self._elements = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:  # noqa: ARG002 - as lxml calls it
        """Count an element."""
        self._elements += 1
        if self._elements > self._most_elements:
            raise Unavailable(f"{self._url}: more than {self._most_elements} elements, the limit of a page")
        if len(attributes) > MAX_ATTRIBUTES:
            raise Unavailable(f"{self._url}: an element has {len(attributes)} attributes, which is too many")

    def close(self) -> None:
        """Do nothing; lxml requires a parser target to have this method."""


def holding_rows(root: etree._Element) -> set[etree._Element]:
    """Return the elements that contain a table or a row; rows and cells among them only form the layout."""
    holding: set[etree._Element] = set()
    for element in root.iter("table", "tr"):
        for ancestor in element.iterancestors():
            if ancestor in holding:
                break
            holding.add(ancestor)
    return holding


def text_of(element: etree._Element) -> str:
    """Return the text of an element, without leading and trailing space."""
    return "".join(element.itertext()).strip()


def cells_of(row: etree._Element) -> list[etree._Element]:
    """Return the cells of a table's row."""
    return [cell for cell in row if cell.tag in ("td", "th")]


def meaning(page: Page, asked: str, found: str = "nothing of it") -> FundamentusError:
    """Return the error for an answer that is not the requested page.

    | answer | error |
    |---|---|
    | 403, 429, a challenge, or a page of another site with any status | `Refused` |
    | a page of the site | `LayoutNotRecognized` |
    | 5xx, or an answer that is not a page | `Unavailable` |

    Parameters
    ----------
    page
        The answer, with any status.
    asked
        The name of the requested page, for the error text.
    found
        What the page has instead of the requested content, for the text of `LayoutNotRecognized`.
    """
    said = f"{page.url}: asked for {asked}, found"
    status = f"status {page.status}"
    if page.status in (403, 429):
        return Refused(f"{said} {status}", rate_limited=page.status == 429)
    text = page.text
    try:
        root = parse(page.url, text, MAX_LISTING_ELEMENTS)
    except Unavailable as error:
        return error
    visible = root.xpath(".//text()[not(parent::script or parent::style)]")
    seen = " ".join(" ".join(visible).split())
    shown = repr(printable(text, _SHOWN_CHARACTERS))
    if _REFUSAL.search(seen):
        return Refused(f"{said} a refusal ({status}): {shown}")
    # A 5xx status means that the server failed; a 3xx status means that the answer is not a page.
    if 300 <= page.status < 400 or page.status >= 500:
        return Unavailable(f"{said} {status}, expected 200")
    if _SITE_NAME.search(seen):
        if page.status != 200:
            return Unavailable(f"{said} {status}, expected 200")
        return LayoutNotRecognized(f"{said} a page of the site with {found}")
    if _HTML_TAG.search(text):
        return Refused(f"{said} a page that is not the site's ({status}): {shown}")
    return Unavailable(f"{said} no HTML page ({status}): {shown}")
