"""Whether the site answers: few pages are asked for, and nothing is written."""

from __future__ import annotations

from typing import Any

from fundamentus_site.errors import FundamentusError, LayoutNotRecognized, NoSuchAsset, Refused
from fundamentus_site.kinds import Kind as SiteKind
from fundamentus_site.pages import Page, listing
from fundamentus_site.papers import Indicators, Labels, indicators
from fundamentus_site.site import FundamentusSite
from pynvest_lake.contract import SOR_ACOES, SOR_FIIS, table_schema
from pynvest_lake.day import number_of

# Of whatever session the page is, it was read.
_ANY_DAY = 99991231
_ANSWERS = {Refused: "refused", NoSuchAsset: "no_such_paper", LayoutNotRecognized: "layout"}
# Assets that every listing of the last years has; of another listing the first is asked for.
_USUAL = {SiteKind.ACOES: "PETR4", SiteKind.FIIS: "HGLG11"}
_TABLES = {SiteKind.ACOES: SOR_ACOES, SiteKind.FIIS: SOR_FIIS}


def session_of(site: FundamentusSite, ticker: str) -> int | None:
    """Return the session, ``YYYYMMDD``, that a stock's page shows; None where it cannot be read."""
    try:
        session = _read(site.fetch_paper(ticker), ticker, SiteKind.ACOES).session
    except FundamentusError:
        return None
    return number_of(session) if session else None


def probe(site: FundamentusSite, ticker: str | bool, fetch_from: str) -> dict[str, Any]:
    """Ask the site for an asset's page; where no ticker is given, for both listings and a page of each kind.

    Returns
    -------
    dict
        ``probe``, as it was asked for; ``answer``: ``read``, ``refused`` (the site refuses this address),
        ``down``, or, where it answered with something else, ``no_such_paper`` or ``layout``; ``why``, where
        not all was read.

    Raises
    ------
    ValueError
        This lake does not ask the site.
    """
    if fetch_from == "pages":
        raise ValueError('this lake does not ask the site: fetch_from is "pages"')
    try:
        if isinstance(ticker, str):
            _read_any_kind(site, ticker)
        else:
            for kind in SiteKind:
                tickers = listing(site.fetch_listing(kind)).tickers
                one = _USUAL[kind] if _USUAL[kind] in tickers else tickers[0]
                _read(site.fetch_paper(one), one, kind)
    except FundamentusError as error:
        answer = next((said for kind_of, said in _ANSWERS.items() if isinstance(error, kind_of)), "down")
        refused = "the site refuses this address: " if answer == "refused" else ""
        return {"probe": ticker, "answer": answer, "why": f"{refused}{error}"}
    return {"probe": ticker, "answer": "read"}


def _read_any_kind(site: FundamentusSite, ticker: str) -> None:
    page = site.fetch_paper(ticker)
    try:
        _read(page, ticker, SiteKind.ACOES)
    except LayoutNotRecognized:
        _read(page, ticker, SiteKind.FIIS)


def _read(page: Page, ticker: str, kind: SiteKind) -> Indicators:
    schema = table_schema(_TABLES[kind])
    return indicators(page, ticker, kind, Labels(schema.labels, schema.core_labels), _ANY_DAY)
