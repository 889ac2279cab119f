"""Pages as the site served them.

A page is read from its bytes alone, so that an archived page reads as a fetched one.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from b3.bounds import printable
from fundamentus_site.errors import FundamentusError, LayoutNotRecognized, Refused, Unavailable

ASSET_PATH = "/detalhes.php?papel="

MAX_PAGE_BYTES = 2 * 1024 * 1024
"""A page of an asset has 26 kB, the listing of stocks 1 MB at most."""
MAX_ELEMENTS = 20_000
"""Of an asset's page, which has some 500."""
MAX_ROWS = 5_000
"""Of a listing, which has 1,000 at most."""
MAX_LISTING_ELEMENTS = 30 * MAX_ROWS
"""A row of the listing of stocks has 24: itself, 21 cells, a link and what is around it."""
MAX_ATTRIBUTES = 50
"""Of an element. libxml2 takes time that grows with their square: a minute for those of 2 MB."""
_COUNTED_CHARACTERS = 100_000
"""Up to so many the attributes that a text may hold take half a second at most."""

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
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.ASCII | re.IGNORECASE)
# Those that take a time that grows with the text. Of others, such as punycode, it grows with its square.
_CHARSETS = re.compile(r"ascii|utf-(?:8|16|32)(?:-[bl]e)?|iso8859-\d+|cp\d+|koi8-\w|mac-\w+")
_SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Page:
    """An answer of the site.

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
        named = _CHARSET.search(self.content_type or "")
        try:
            charset = codecs.lookup(named[1] if named else "cp1252").name
        except LookupError:
            charset = "cp1252"
        # Browsers read ISO-8859-1 as windows-1252, and pages are written for browsers.
        if charset not in ("iso8859-1", "cp1252") and _CHARSETS.fullmatch(charset):
            return self.body.decode(charset, errors="replace")
        try:
            return self.body.decode("cp1252")
        except UnicodeDecodeError:
            return self.body.decode("iso-8859-1")


def asset_url(base_url: str, ticker: str) -> str:
    """Return the address of an asset's page, of a site without a slash at the end of its own."""
    return f"{base_url}{ASSET_PATH}{ticker}"


def parse(url: str, text: str, most_elements: int = MAX_ELEMENTS) -> etree._Element:
    """Return the root of an HTML text, an empty element where it has none.

    No element is deeper than 256. The time that reading takes grows with the text, not faster: 2 MB take less
    than 5 s of a function's CPU.

    Raises
    ------
    Unavailable
        It has too many elements, or one with too many attributes.
    """
    content = text.encode("utf-8", "replace")
    # A body without an element in it has no root.
    if not text.strip():
        return etree.Element("html")
    if len(text) > _COUNTED_CHARACTERS or text.count("<") > most_elements:
        etree.fromstring(content, _parser(_Counter(url, most_elements)))
    root = etree.fromstring(content, _parser())
    return etree.Element("html") if root is None else root


def _parser(target: _Counter | None = None) -> etree.HTMLParser:
    return etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, target=target)


class _Counter:
    """Counts the elements of a text that is parsed without making them."""

    def __init__(self, url: str, most_elements: int) -> None:
        self._url = url
        self._most_elements = most_elements
        self._elements = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:  # noqa: ARG002 - as lxml calls it
        """Count an element."""
        self._elements += 1
        if self._elements > self._most_elements:
            raise Unavailable(f"{self._url}: more than {self._most_elements} elements, no page has as many")
        if len(attributes) > MAX_ATTRIBUTES:
            raise Unavailable(f"{self._url}: an element of {len(attributes)} attributes, no page has one")

    def close(self) -> None:
        """End, as lxml wants it."""


def holding_rows(root: etree._Element) -> set[etree._Element]:
    """Return the elements that hold a table or a row, each found once: what lays a page out."""
    holding: set[etree._Element] = set()
    for element in root.iter("table", "tr"):
        for ancestor in element.iterancestors():
            if ancestor in holding:
                break
            holding.add(ancestor)
    return holding


def text_of(element: etree._Element) -> str:
    """Return the text in an element, without the space around it."""
    return "".join(element.itertext()).strip()


def cells_of(row: etree._Element) -> list[etree._Element]:
    """Return the cells of a table's row."""
    return [cell for cell in row if cell.tag in ("td", "th")]


def meaning(page: Page, asked: str, found: str = "nothing of it") -> FundamentusError:
    """Return what an answer means that is not what was asked for.

    | answer | error |
    |---|---|
    | 403, a challenge, or a page that is not the site's, whatever its status; 429 | `Refused` |
    | a page of the site | `LayoutNotRecognized` |
    | 5xx, and what is no page at all | `Unavailable` |

    Parameters
    ----------
    page
        The answer, whatever its status.
    asked
        What was asked for.
    found
        What it has instead, in case that it is a page of the site.
    """
    said = f"{page.url}: asked for {asked}, found"
    status = f"status {page.status}"
    if page.status in (403, 429):
        return Refused(f"{said} {status}", rate_limited=page.status == 429)
    text = page.text
    try:
        seen = " ".join(_visible(parse(page.url, text, MAX_LISTING_ELEMENTS)))
    except Unavailable as error:
        return error
    shown = repr(printable(text, _SHOWN_CHARACTERS))
    if _REFUSAL.search(seen):
        return Refused(f"{said} a refusal ({status}): {shown}")
    # The server itself says that it failed, or that this is no page.
    if 300 <= page.status < 400 or page.status >= 500:
        return Unavailable(f"{said} {status}, expected 200")
    if _SITE_NAME.search(seen):
        if page.status != 200:
            return Unavailable(f"{said} {status}, expected 200")
        return LayoutNotRecognized(f"{said} a page of the site with {found}")
    if _HTML_TAG.search(text):
        return Refused(f"{said} a page that is not the site's ({status}): {shown}")
    return Unavailable(f"{said} no HTML page ({status}): {shown}")


def _visible(root: etree._Element) -> Iterator[str]:
    """Yield the words of a page that a person sees, its title among them."""
    for element in root.iter():
        if element.tag not in ("script", "style") and element.text:
            yield from element.text.split()
        if element.tail:
            yield from element.tail.split()
