"""Pages of the site, made such that pynvest's own rules come out right on them.

pynvest takes a cell for a label when its text holds a question mark or is one of the headings that it was
given, and every other cell for a value, and pairs them in the order of the row. On the site's own pages that
goes wrong: labels of old years are not among the headings, empty cells count as values, a text may hold a
question mark. So a page is read once here, cell by cell, and handed on as nothing but its pairs, every label
marked as one and every value shielded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape

from lxml import etree

from fundamentus_site.errors import Blocked, FundamentusError, LayoutNotRecognized, NoSuchPaper
from fundamentus_site.kinds import Kind

NOTHING_FOUND = "nenhum papel encontrado"

# Unicode's private use area: no page of the site has them.
_SHIELD = "\ue000"
_QUESTION_MARK = "\ue001"

_HTML_TAG = re.compile(r"<(?:!doctype\s+html|html|head|title|body|div|table|h[1-6]|script)\b", re.IGNORECASE)
_REFUSAL = re.compile(r"access denied|acesso negado", re.IGNORECASE)
_TICKER = re.compile(r"[A-Z0-9]{4,12}")
_SHOWN = 12


def paper_page(html: str, url: str, ticker: str, kind: Kind, columns: Mapping[str, str]) -> str:
    """Return a paper's page reduced to its indicators, such that pynvest reads each one right.

    Parameters
    ----------
    html
        The page as the site served it.
    url
        Its address, for messages.
    ticker
        The paper that was asked for, in capitals.
    kind
        The kind of paper that was asked for.
    columns
        pynvest's map from label to column for this kind, with the years of the day.

    Raises
    ------
    NoSuchPaper
        The page says that nothing was found.
    Blocked
        An HTML page without indicators and without that statement: an interstitial.
    LayoutNotRecognized
        No HTML page, or one with tables of something else than the paper that was asked for.
    """
    tables = _parse(html).xpath('//table[contains(concat(" ", normalize-space(@class), " "), " w728 ")]')
    rows = [pairs for table in tables for row in table.iter("tr") if (pairs := list(_pairs(row)))]
    if not rows:
        asked = f"the page of {ticker} ({kind.value})"
        if NOTHING_FOUND in " ".join(html.split()).lower():
            raise NoSuchPaper(f"{url}: the site says that it finds no paper {ticker}")
        if tables:
            raise LayoutNotRecognized(f"{url}: asked for {asked}, its tables hold no indicators")
        raise _no_tables(html, url, asked)

    named = _with_known_names(rows, columns)
    _check_paper(named, url, ticker, kind)
    return f'<table class="w728">{"".join(map(_row, named))}</table>'


def page_text(value: str) -> str:
    """Return the page's text of a value that pynvest read from a page of `paper_page`."""
    return value.removeprefix(_SHIELD).replace(_QUESTION_MARK, "?")


def listing_page(html: str, url: str) -> str:
    """Return a listing reduced to one row with one link a paper, as pynvest expects it.

    Raises
    ------
    Blocked
        An HTML page without a table: an interstitial.
    LayoutNotRecognized
        No HTML page, a table without papers, or a row with something else than a paper.
    """
    tables = _parse(html).xpath("//table")
    if not tables:
        raise _no_tables(html, url, "a listing")
    tickers = max((_tickers(table, url) for table in tables), key=len)
    if not tickers:
        raise LayoutNotRecognized(f"{url}: asked for a listing, found a table without a row of a paper")
    rows = (f"<tr><td><a>{escape(ticker)}</a></td></tr>" for ticker in tickers)
    return f"<table><tr><th>Papel</th></tr>{''.join(rows)}</table>"


def _parse(html: str) -> etree._Element:
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    # A body without an element in it has no root.
    root = etree.fromstring(html.encode(), parser) if html.strip() else None
    return etree.Element("html") if root is None else root


def _no_tables(html: str, url: str, asked: str) -> FundamentusError:
    found = " ".join(html.split())[:200]
    if _HTML_TAG.search(html) or _REFUSAL.search(html):
        return Blocked(f"{url}: asked for {asked}, found a page without it (status 200): {found!r}")
    return LayoutNotRecognized(f"{url}: asked for {asked}, found no HTML page: {found!r}")


def _text(cell: etree._Element) -> str:
    return "".join(cell.itertext()).strip()


def _cells(row: etree._Element) -> list[etree._Element]:
    return [cell for cell in row if cell.tag in ("td", "th")]


def _is_label(cell: etree._Element) -> bool:
    """Tell whether a cell is marked as a label (labels of price changes are not)."""
    return _has_class(cell, "label") or any(_has_class(element, "help") for element in cell.iter("span"))


def _has_class(element: etree._Element, name: str) -> bool:
    return name in element.get("class", "").split()


def _is_section(cell: etree._Element) -> bool:
    return cell.get("colspan", "1").strip() != "1" and not _is_label(cell)


def _pairs(row: etree._Element) -> Iterator[tuple[str, str]]:
    """Yield the labels of a row with their values, without those that have no name."""
    cells = _cells(row)
    position = 0
    while position + 1 < len(cells):
        label, value = cells[position], cells[position + 1]
        if _is_section(label) or _is_label(value):
            position += 1
            continue
        name = " ".join(_text(label).replace("?", " ").split())
        if name:
            yield name, _text(value)
        position += 2


def _fold(label: str) -> str:
    return re.sub(r"[\s.]", "", label).casefold()


def _with_known_names(
    rows: list[list[tuple[str, str]]], columns: Mapping[str, str]
) -> list[list[tuple[str, str]]]:
    """Give labels pynvest's spelling (dots, spaces) and drop those that repeat an earlier indicator.

    pynvest adds ``_1`` to the first of two equal labels of a row: twelve months, then three.
    """
    names = {_fold(label): label for label in columns if not label.endswith("_1")}
    seen: set[str] = set()
    named = []
    for pairs in rows:
        kept: list[tuple[str, str]] = []
        for label, value in pairs:
            name = names.get(_fold(label), label)
            in_row = [earlier for earlier, _ in kept].count(name)
            if name not in seen and in_row < (2 if f"{name}_1" in columns else 1):
                kept.append((name, value))
        seen.update(name for name, _ in kept)
        named.append(kept)
    return named


def _check_paper(rows: list[list[tuple[str, str]]], url: str, ticker: str, kind: Kind) -> None:
    found = {name: value for pairs in rows for name, value in pairs}
    if kind.identity not in found:
        labels = ", ".join(list(found)[:_SHOWN])
        raise LayoutNotRecognized(
            f"{url}: asked for {ticker} ({kind.value}), expected the label {kind.identity!r}, found {labels}"
        )
    if found[kind.identity].upper() != ticker:
        raise LayoutNotRecognized(
            f"{url}: asked for {ticker} ({kind.value}), found the page of {found[kind.identity]!r}"
        )


def _row(pairs: list[tuple[str, str]]) -> str:
    cells = (
        f"<td>?{escape(label)}</td><td>{_SHIELD}{_escape(value.replace('?', _QUESTION_MARK))}</td>"
        for label, value in pairs
    )
    return f"<tr>{''.join(cells)}</tr>"


def _escape(value: str) -> str:
    return escape(value, quote=False).replace("\r", "&#13;")


def _tickers(table: etree._Element, url: str) -> list[str]:
    """Return the first link's text of each row but the header; nothing for a table without tickers."""
    rows = table.xpath("./tr | ./thead/tr | ./tbody/tr | ./tfoot/tr")
    links = [next((_text(link) for link in row.iter("a")), "") for row in rows]
    if not any(_is_ticker(link) and _has_digit(link) for link in links):
        return []
    tickers = []
    for position, (row, link) in enumerate(zip(rows, links, strict=True)):
        cells = _cells(row)
        if all(cell.tag == "th" for cell in cells) or (position == 0 and not _has_digit(link)):
            continue  # a header
        if _is_ticker(link):
            tickers.append(link)
        elif link or sum(bool(_text(cell)) for cell in cells) > 1:
            raise LayoutNotRecognized(
                f"{url}: row {position + 1} of the listing has {[_text(cell) for cell in cells][:_SHOWN]}, "
                "expected a ticker as its first link"
            )
    return tickers


def _is_ticker(text: str) -> bool:
    return _TICKER.fullmatch(text) is not None


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)
