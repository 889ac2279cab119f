"""Reads an asset's page cell by cell, and finds each column's text and the labels without a column.

See `fundamentus_site.site.FundamentusSite` for the differences from pynvest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from lxml import etree

from b3.bounds import MOST_RECORDED, printable
from b3.brazilian import read_date, without_blanks
from b3.days import date_of, next_opening
from b3.kind import Kind
from fundamentus_site.errors import LaterSession, LayoutNotRecognized, NoSuchAsset
from fundamentus_site.page import Page, cells_of, holding_rows, meaning, parse, text_of

NOTHING_FOUND = "nenhum papel encontrado"
SESSION_LABEL = "Data últ cot"

# A page with the known layout lacks at most a third of the core labels.
MOST_LACKING = 1 / 3

_OF_INDICATORS = 'table[contains(concat(" ", normalize-space(@class), " "), " w728 ")]'
# If a table of indicators is inside another one, both tables are read together.
_TABLES = f"//{_OF_INDICATORS}[not(ancestor::{_OF_INDICATORS})]"
_YEAR = re.compile(r"(?:19|20)\d\d")
_YEAR_OF_RUN = re.compile(r"AAAA(?:-(\d+))?")
_PERIODS = (re.compile(r"\b12\s+meses", re.IGNORECASE), re.compile(r"\b(?:3|tr[êe]s)\s+meses", re.IGNORECASE))
_SHOWN_LABELS = 12
_LONGEST_VALUE = 1000
"""In characters. The longest texts are names of companies, with a hundred characters."""


@dataclass(frozen=True)
class Labels:
    """The known labels on pages of a kind.

    Parameters
    ----------
    columns
        The columns of each label. Most labels have one column. A label that appears twice in one row of the
        page has two columns: the first for twelve months, the second for three months. The label ``AAAA``
        means the year of the run day, and ``AAAA-1`` means the year before.
    core
        The labels that every page of the kind has.
    """

    columns: Mapping[str, tuple[str, ...]]
    core: frozenset[str]


@dataclass(frozen=True)
class Indicators:
    """The content of an asset's page.

    Parameters
    ----------
    texts
        The text on the page for each column; a column without a cell is left out.
    unknown_labels
        The page's first 20 labels that have no column, each cut at 60 characters.
    unknown_count
        The number of all labels without a column; `unknown_labels` has only the first 20 of these labels.
    lacking_core
        The core labels that lack a value for one of their columns, sorted.
    session
        The session that the page shows; None if the session's date cannot be read.
    """

    texts: dict[str, str]
    unknown_labels: tuple[str, ...]
    unknown_count: int
    lacking_core: tuple[str, ...]
    session: date | None


def read_asset_page(page: Page, ticker: str, kind: Kind, labels: Labels, day: int) -> Indicators:
    """Read an asset's page.

    Parameters
    ----------
    page
        The page as the site served it.
    ticker
        The requested asset, in capitals.
    kind
        The requested kind of asset.
    labels
        The labels of this kind.
    day
        The run day, ``YYYYMMDD``. The year of the run day replaces ``AAAA`` in labels.

    Raises
    ------
    NoSuchAsset
        The page says that the site found no such asset.
    Refused, Unavailable
        See `fundamentus_site.page.meaning`.
    LayoutNotRecognized
        The page has another layout, belongs to another asset, or lacks more than a third of the core labels.
    LaterSession
        The page shows a session after the run day.
    """
    asked = f"the page of {ticker} ({kind.value})"
    text = page.text
    root = parse(page.url, text)
    tables = root.xpath(_TABLES)
    holding = holding_rows(root)
    known = _known(labels, day // 10_000)
    found = _Found()
    for table in tables:
        _read_table(table, holding, labels, known, found)
    if not found.labels:
        if NOTHING_FOUND in " ".join(text.split()).lower():
            raise NoSuchAsset(f"{page.url}: the site says that it has no asset {ticker}")
        if tables:
            raise LayoutNotRecognized(f"{page.url}: asked for {asked}, found tables without indicators")
        raise meaning(page, asked, "no table of indicators (class w728)")

    lacking = sorted(
        label
        for label in labels.core
        if any((label, place) not in found.values for place in range(len(labels.columns[label])))
    )
    _check_asset(found, lacking, labels, page.url, ticker, kind)
    for (label, _), value in found.values.items():
        if len(value) > _LONGEST_VALUE:
            raise LayoutNotRecognized(
                f"{page.url}: asked for {asked}, {label!r} has {len(value)} characters, expected "
                f"{_LONGEST_VALUE} at most"
            )
    session = read_date(without_blanks(found.values.get((SESSION_LABEL, 0))))
    _check_session(session, found.values.get((SESSION_LABEL, 0)), page, asked, day)
    texts = {labels.columns[label][place]: value for (label, place), value in found.values.items()}
    unknown = tuple(found.unknown)
    return Indicators(texts, unknown[:MOST_RECORDED], len(unknown), tuple(lacking), session)


def _known(labels: Labels, year: int) -> dict[str, str]:
    """Return a mapping from page labels, normalized with `_fold`, to labels of the contract."""
    names = {}
    for label in labels.columns:
        of_run = _YEAR_OF_RUN.fullmatch(label)
        names[_fold(str(year - int(of_run[1] or 0)) if of_run else label)] = label
    return names


@dataclass
class _Found:
    """The labels and values of a page; each key of `values` is a pair of a label and its column's index."""

    values: dict[tuple[str, int], str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)

    def take(self, name: str, place: int, value: str | None) -> None:
        """Record a value; if the label's column has a value already, keep the first value."""
        if value is not None:
            self.values.setdefault((name, place), value)

    def pass_over(self, label: str, value: str | None) -> None:
        """Record a label without a column, unless the label is a year such as ``2019``."""
        if not _YEAR.fullmatch(label):
            self.unknown.setdefault(label, value or "")


@dataclass(frozen=True)
class _Pair:
    label: str
    value: str | None
    at: int
    """The column of the table in which the label begins, from 0."""


def _read_table(
    table: etree._Element,
    holding: set[etree._Element],
    labels: Labels,
    known: Mapping[str, str],
    found: _Found,
) -> None:
    """Read the rows of a table.

    A row may have a label twice, once for twelve months and once for three months. The headings above the row
    give the period of each value. Without usable headings, the first value is for twelve months and the
    second for three months.
    """
    periods: list[tuple[range, int]] = []
    for row in table.iter("tr"):
        headings, pairs = _read_row(row, holding, known)
        periods = headings or periods
        found.labels += [pair.label for pair in pairs]
        twins: dict[str, list[_Pair]] = {}
        for pair in pairs:
            name = known.get(_fold(pair.label))
            if name is None:
                found.pass_over(pair.label, pair.value)
            elif len(labels.columns[name]) == 1:
                found.take(name, 0, pair.value)
            else:
                twins.setdefault(name, []).append(pair)
        for name, those in twins.items():
            places = [
                next((place for columns, place in periods if pair.at in columns), None) for pair in those
            ]
            if len(those) > 1 and (None in places or len(set(places)) < len(places)):
                places = list(range(len(those)))
            for pair, place in zip(those, places, strict=True):
                if place is None or place >= len(labels.columns[name]):
                    # The value's period is unknown, or the label has no column for this period.
                    found.pass_over(pair.label, pair.value)
                else:
                    found.take(name, place, pair.value)


def _read_row(
    row: etree._Element, holding: set[etree._Element], known: Mapping[str, str]
) -> tuple[list[tuple[range, int]], list[_Pair]]:
    """Return the periods in a row's headings, and the row's pairs of label and value.

    A label's value is the next cell, unless the next cell is a label too.
    """
    headings: list[tuple[range, int]] = []
    pairs: list[_Pair] = []
    at = 0
    label: str | None = None
    begins = 0
    for cell in cells_of(row):
        width, marked = _width(cell), _is_marked(cell)
        if cell in holding:
            label = None
        elif label is not None and not marked:
            if label:
                pairs.append(_Pair(label, text_of(cell), begins))
            label = None
        else:
            if label:
                pairs.append(_Pair(label, None, begins))
            label = None
            text = printable(text_of(cell).replace("?", " "))
            if marked or (width == 1 and _fold(text) in known and not _has_class(cell, "data")):
                label, begins = text, at
            elif width > 1:
                headings += [
                    (range(at, at + width), place)
                    for place, period in enumerate(_PERIODS)
                    if period.search(text)
                ]
        at += width
    if label:
        pairs.append(_Pair(label, None, begins))
    return headings, pairs


def _width(cell: etree._Element) -> int:
    span = cell.get("colspan", "1").strip()
    return int(span) if span.isascii() and span.isdigit() and 0 < int(span) <= 1000 else 1


def _is_marked(cell: etree._Element) -> bool:
    """Return whether a cell is a label: it has the class of labels or a help mark."""
    return not _has_class(cell, "data") and (
        _has_class(cell, "label") or any(_has_class(element, "help") for element in cell.iter("span"))
    )


def _has_class(element: etree._Element, name: str) -> bool:
    return name in element.get("class", "").split()


def _fold(label: str) -> str:
    return "".join(label.replace(".", "").split()).casefold()


def _check_asset(
    found: _Found, lacking: list[str], labels: Labels, url: str, ticker: str, kind: Kind
) -> None:
    """Check that a page has the known layout and belongs to the requested asset."""
    asked = f"{url}: asked for {ticker} ({kind.value})"
    shown = ", ".join(found.labels[:_SHOWN_LABELS])
    if len(lacking) > MOST_LACKING * len(labels.core):
        raise LayoutNotRecognized(
            f"{asked}, its page lacks {len(lacking)} of the {len(labels.core)} labels that every page has "
            f"({', '.join(lacking[:_SHOWN_LABELS])}); found {shown}"
        )
    named = found.values.get((kind.identity, 0))
    if named is None:
        # The site may have renamed the ticker's label, so accept an unknown label whose value is the ticker.
        label = next((label for label, value in found.unknown.items() if value.upper() == ticker), None)
        if label is None:
            raise LayoutNotRecognized(f"{asked}, expected the label {kind.identity!r}, found {shown}")
        found.take(kind.identity, 0, found.unknown[label])
    elif named.upper() != ticker:
        raise LayoutNotRecognized(f"{asked}, found the page of {printable(named)!r}")


def _check_session(session: date | None, written: str | None, page: Page, asked: str, day: int) -> None:
    """Check that the session on a page is not later than the run day."""
    run = date_of(day)
    if session is not None:
        if session > run:
            raise LaterSession(
                f"{page.url}: asked for {asked} of {run:%d/%m/%Y}, found the session of {session:%d/%m/%Y}: "
                "expected no session after the run day"
            )
        return
    opening = next_opening(day)
    if page.fetched_at >= opening:
        found = None if written is None else printable(written)
        raise LaterSession(
            f"{page.url}: asked for {asked} of {run:%d/%m/%Y}, {SESSION_LABEL!r} is {found!r}, which is not "
            f"a date, and the page was fetched at {page.fetched_at.isoformat()}: expected a time before "
            f"{opening.isoformat()}"
        )
