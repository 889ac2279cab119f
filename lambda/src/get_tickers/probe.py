"""Probes whether the site answers: asks for few pages and writes nothing."""

from __future__ import annotations

from typing import Any

from b3.days import number_of
from b3.kind import Kind
from fundamentus_site.errors import FundamentusError, LayoutNotRecognized, NoSuchAsset, Refused
from fundamentus_site.site import FundamentusSite

# With this run day, the check of the session accepts every page, even a page without a session. On
# 9999-12-31, `next_opening` would fail, because no later day exists.
_ANY_DAY = 99991201
_ANSWERS = {Refused: "refused", NoSuchAsset: "no_such_paper", LayoutNotRecognized: "layout"}


def session_of(site: FundamentusSite, ticker: str, not_after: float) -> int | None:
    """Return the session, ``YYYYMMDD``, of an asset's page; None if the page or its session is unreadable.

    `not_after` is the deadline, as a value of ``time.monotonic()``.
    """
    try:
        page = site.fetch_asset(ticker, not_after=not_after)
        frame = site.coleta_indicadores_de_ativo(ticker, page=page, day=_ANY_DAY)
    except FundamentusError:
        return None
    session = frame.attrs["session"]
    return number_of(session) if session else None


def probe(site: FundamentusSite, ticker: str | bool, fetch_from: str) -> dict[str, Any]:
    """Ask the site for the ticker's page. If `ticker` is True, ask for both listings and a page of each kind.

    Returns
    -------
    dict
        ``probe`` is the given value. ``answer`` is ``read``, ``refused`` (the site refuses this address),
        ``down``, ``no_such_paper`` or ``layout`` (a page has an unknown layout). ``why`` is the error, if a
        page was not read.

    Raises
    ------
    ValueError
        This lake reads pages from the archive and sends no requests to the site.
    """
    if fetch_from == "pages":
        raise ValueError('this lake does not ask the site: fetch_from is "pages"')
    try:
        if isinstance(ticker, str):
            site.coleta_indicadores_de_ativo(ticker, day=_ANY_DAY)
        else:
            for kind in Kind:
                tickers = site.extracao_tickers_de_ativos(kind.listing)
                one = kind.usual if kind.usual in tickers else tickers[0]
                site.coleta_indicadores_de_ativo(one, kind=kind, day=_ANY_DAY)
    except FundamentusError as error:
        answer = _ANSWERS.get(type(error), "down")
        refused = "the site refuses this address: " if answer == "refused" else ""
        return {"probe": ticker, "answer": answer, "why": f"{refused}{error}"}
    return {"probe": ticker, "answer": "read"}
