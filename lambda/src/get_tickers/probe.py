"""Whether the site answers: one page is asked for, and nothing is written."""

from __future__ import annotations

from typing import Any

from fundamentus_site.errors import FundamentusError, LayoutNotRecognized, NoSuchAsset, Refused
from fundamentus_site.kinds import Kind as SiteKind
from fundamentus_site.papers import Labels, indicators
from fundamentus_site.site import FundamentusSite
from pynvest_lake.contract import SOR_ACOES, SOR_FIIS, table_schema
from pynvest_lake.day import number_of

# Of whatever session the page is, it was read.
_ANY_DAY = 99991231
_TABLES = {SiteKind.ACOES: SOR_ACOES, SiteKind.FIIS: SOR_FIIS}


def session_of(site: FundamentusSite, ticker: str) -> int | None:
    """Return the session, ``YYYYMMDD``, that a stock's page shows; None where it cannot be read."""
    schema = table_schema(SOR_ACOES)
    labels = Labels(schema.labels, schema.core_labels)
    try:
        session = indicators(site.fetch_paper(ticker), ticker, SiteKind.ACOES, labels, _ANY_DAY).session
    except FundamentusError:
        return None
    return number_of(session) if session else None


def probe(site: FundamentusSite, ticker: str, fetch_from: str) -> dict[str, Any]:
    """Ask the site for a paper's page.

    Returns
    -------
    dict
        ``probe``, the ticker; ``answer``: ``read``, ``refused`` (the site refuses this address), ``down``,
        or, where it answered with something else, ``no_such_paper`` or ``layout``; ``why``, where it was not
        read.

    Raises
    ------
    ValueError
        This lake does not ask the site.
    """
    if fetch_from == "pages":
        raise ValueError('this lake does not ask the site: fetch_from is "pages"')
    try:
        page = site.fetch_paper(ticker)
        for kind, table in _TABLES.items():
            schema = table_schema(table)
            try:
                indicators(page, ticker, kind, Labels(schema.labels, schema.core_labels), _ANY_DAY)
            except LayoutNotRecognized as error:
                other = error
            else:
                return {"probe": ticker, "answer": "read"}
    except Refused as error:
        return {"probe": ticker, "answer": "refused", "why": f"the site refuses this address: {error}"}
    except NoSuchAsset as error:
        return {"probe": ticker, "answer": "no_such_paper", "why": str(error)}
    except FundamentusError as error:
        return {"probe": ticker, "answer": "down", "why": str(error)}
    return {"probe": ticker, "answer": "layout", "why": str(other)}
