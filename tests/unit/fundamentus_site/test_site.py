from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from pynvest.scrappers import fundamentus as pynvest_fundamentus

from b3.kind import Kind
from fundamentus_site.errors import LayoutNotRecognized
from fundamentus_site.page import Page
from fundamentus_site.site import FundamentusSite
from lake_rows import LABELS
from sandbox.site import SampleAsset, SiteServer, make_assets
from sandbox.site.pages import CONTENT_TYPE, detail_page, listing_page

DAY = 20261123
SITE = FundamentusSite("http://site", labels=LABELS)
EVENING = datetime(2026, 11, 23, 21, 50, 7, tzinfo=timezone.utc)
STOCK, FUND = make_assets(DAY, 1, 1)


@pytest.fixture
def server() -> Iterator[SiteServer]:
    with SiteServer([STOCK, FUND], ghosts={"acoes": [], "fiis": []}) as site:
        yield site


def page_of(body: bytes, fetched_at: datetime = EVENING) -> Page:
    return Page("http://site/page", 200, CONTENT_TYPE, body, fetched_at)


def is_row_of(frame: pd.DataFrame, asset: SampleAsset) -> bool:
    return frame.iloc[0].drop("datetime_exec").to_dict() == asset.expected_sor()


def test_a_frame_has_one_row_of_type_object_and_attributes_about_the_page() -> None:
    page = page_of(detail_page(STOCK.with_label("P/L", "P/L novo")))
    frame = SITE.coleta_indicadores_de_ativo("petr4 ", page=page, kind=Kind.ACOES, day=DAY)

    assert set(frame.dtypes) == {np.dtype(object)}
    assert frame.shape == (1, len(STOCK.expected_sor()) + 1)
    assert frame.at[0, "vlr_ind_p_sobre_l"] is None
    assert frame.attrs == {
        "unknown_labels": ("P/L novo",),
        "unknown_count": 1,
        "lacking_core": ("P/L",),
        "session": date(2026, 11, 23),
    }


def test_a_missing_page_is_fetched_and_a_missing_kind_is_read_from_it(server: SiteServer) -> None:
    site = FundamentusSite(server.base_url, labels=LABELS)
    assert is_row_of(site.coleta_indicadores_de_ativo("PETR4", day=DAY), STOCK)
    assert is_row_of(site.coleta_indicadores_de_ativo("HGLG11", day=DAY), FUND)
    assert len(server.requests) == 2


def test_without_a_day_a_page_is_read_for_the_day_of_its_fetch() -> None:
    next_year = datetime.fromisoformat("2027-01-01T03:00:00+00:00")
    this_years = STOCK.expected_sor()["pct_var_ano_a0"]
    for moment, first in ((next_year, None), (next_year - timedelta(seconds=1), this_years)):
        frame = SITE.coleta_indicadores_de_ativo("PETR4", page=page_of(detail_page(STOCK), moment))
        assert frame.at[0, "pct_var_ano_a0"] == first


def test_only_stage_4_converts_types() -> None:
    with pytest.raises(ValueError, match=r"drops minus signs: .* stage 4, prep_financial_data"):
        SITE.coleta_indicadores_de_ativo("PETR4", parse_dtypes=True)


def test_there_are_two_listings(server: SiteServer) -> None:
    site = FundamentusSite(server.base_url)
    assert site.extracao_tickers_de_ativos() == ["PETR4"]
    assert site.extracao_tickers_de_ativos(" FIIs") == ["HGLG11"]
    page = page_of(listing_page("acoes", [STOCK], ["VALE3"]))
    assert site.extracao_tickers_de_ativos(page=page) == ["PETR4", "VALE3"]
    with pytest.raises(TypeError, match="tipo is 'bdrs', expected 'ações' or 'fiis'"):
        site.extracao_tickers_de_ativos("bdrs")


def test_given_headers_in_any_letter_case_replace_those_of_pynvest(server: SiteServer) -> None:
    for headers in ({"Accept-Language": "pt-BR"}, {"user-agent": "me", "Accept": "text/html"}):
        site = FundamentusSite(server.base_url, headers=headers)
        site.fetch_asset("PETR4")
        site.fetch_listing(Kind.ACOES)
    pynvests = pynvest_fundamentus.REQUEST_HEADER["User-Agent"]
    sent = [{name.title(): text for name, text in request.headers.items()} for request in server.requests]
    named = [tuple(map(headers.get, ("User-Agent", "Accept", "Accept-Language"))) for headers in sent]
    assert named == [(pynvests, "*/*", "pt-BR")] * 2 + [("me", "text/html", None)] * 2


def test_pynvest_writes_nothing_to_the_log_by_itself(capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        with pytest.raises(LayoutNotRecognized):
            FundamentusSite().extracao_tickers_de_ativos(page=page_of(b"<html>Fundamentus</html>"))
    assert logging.getLogger(pynvest_fundamentus.log_config.__code__.co_filename).handlers == []
    assert capfd.readouterr() == ("", "")
