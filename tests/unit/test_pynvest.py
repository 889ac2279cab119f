"""Our subclass has the methods of pynvest's class. These tests list all differences in the results."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pynvest.scrappers import fundamentus as pynvest_fundamentus
from pynvest.scrappers.fundamentus import METADATA_COLS_ACOES, METADATA_COLS_FIIS, Fundamentus

from b3.kind import Kind
from fundamentus_site.errors import NoSuchAsset
from fundamentus_site.site import FundamentusSite
from lake_rows import LABELS
from moto_lake import DAY
from pynvest_lake.contract import SPEC_ATIVOS
from sandbox.site import GHOSTS, SiteServer, make_assets
from world import SCHEDULED, make_world

ASSETS = make_assets(DAY)
DIFFERENCES = Path(__file__).with_name("differences_from_pynvest.json")
"""For each reason, the pages and the columns that pynvest reads differently."""


@pytest.fixture(scope="module")
def server() -> Iterator[SiteServer]:
    with SiteServer(ASSETS) as server:
        yield server


@pytest.fixture
def ours(server: SiteServer) -> FundamentusSite:
    return FundamentusSite(server.base_url, labels=LABELS)


@pytest.fixture
def pynvest(ours: FundamentusSite) -> Fundamentus:
    """Return the module pynvest, with the pages' year in its column labels instead of the current year."""

    def of_the_pages_year(columns: dict[str, str]) -> dict[str, str]:
        years = {f"pct_var_ano_a{age}": str(DAY // 10_000 - age) for age in range(6)}
        return {years.get(column, label): column for label, column in columns.items()}

    acoes, fiis = map(of_the_pages_year, (METADATA_COLS_ACOES, METADATA_COLS_FIIS))
    return Fundamentus(
        url_tickers_acoes=ours.url_tickers_acoes,
        url_tickers_fiis=ours.url_tickers_fiis,
        url_kpis_ticker=ours.url_kpis_ticker,
        variation_headings=[label for label, column in acoes.items() if column.startswith("pct_var_")],
        metadata_cols_acoes=acoes,
        metadata_cols_fiis=fiis,
    )


def test_pynvest_reads_every_page_with_only_the_listed_differences(
    ours: FundamentusSite, pynvest: Fundamentus
) -> None:
    listed = json.loads(DIFFERENCES.read_text(encoding="utf-8"))
    expected = {
        ticker: {column for columns in group["columns"].values() for column in columns.split()}
        for group in listed
        for ticker in group["pages"].split()
    }
    found = {}
    for asset in ASSETS:
        row = ours.coleta_indicadores_de_ativo(asset.ticker, day=DAY).iloc[0].drop("datetime_exec")
        theirs = pynvest.coleta_indicadores_de_ativo(asset.ticker).iloc[0]
        found[asset.ticker] = {column for column, text in row.items() if text != theirs.get(column)}

    assert found == expected


@pytest.mark.parametrize("tipo", ["ações", "fiis"])
def test_pynvest_reads_the_same_listings(ours: FundamentusSite, pynvest: Fundamentus, tipo: str) -> None:
    assert len(ours.extracao_tickers_de_ativos(tipo)) > 40
    assert ours.extracao_tickers_de_ativos(tipo) == pynvest.extracao_tickers_de_ativos(tipo)


def test_pynvest_has_no_own_error_for_a_ticker_that_the_site_does_not_know(
    ours: FundamentusSite, pynvest: Fundamentus
) -> None:
    with pytest.raises(TypeError):
        pynvest.coleta_indicadores_de_ativo(GHOSTS["acoes"][0])
    with pytest.raises(NoSuchAsset):
        ours.coleta_indicadores_de_ativo(GHOSTS["acoes"][0])


def test_the_default_addresses_are_those_of_pynvest() -> None:
    ours, pynvest, given = (
        FundamentusSite(),
        Fundamentus(),
        FundamentusSite("https://www.fundamentus.com.br/"),
    )
    for name in ("url_tickers_acoes", "url_tickers_fiis", "url_kpis_ticker"):
        assert getattr(ours, name) == getattr(pynvest, name) == getattr(given, name)


def test_a_day_calls_one_method_per_listing_and_one_per_ticker_and_pynvest_makes_no_requests(
    pynvest: Fundamentus, context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("pynvest asked by itself")

    monkeypatch.setattr(pynvest_fundamentus.requests, "get", refuse)
    with pytest.raises(AssertionError, match="pynvest asked"):
        pynvest.extracao_tickers_de_ativos()
    calls: Counter[tuple[str, str]] = Counter()
    for method in (FundamentusSite.extracao_tickers_de_ativos, FundamentusSite.coleta_indicadores_de_ativo):

        def count(self: FundamentusSite, what: str, *, called: Any = method, **given: Any) -> Any:
            calls[called.__name__, what] += 1
            return called(self, what, **given)

        monkeypatch.setattr(FundamentusSite, method.__name__, count)

    assets = make_assets(DAY, 4, 2)
    with make_world(assets, context, monkeypatch) as world:
        world.pending.append(("start", SCHEDULED))
        world.drain()
        assert set(world.rows(SPEC_ATIVOS)) == {asset.ticker for asset in assets}

    tickers = [*(asset.ticker for asset in assets), *GHOSTS["acoes"], *GHOSTS["fiis"]]
    assert calls == {
        **{("extracao_tickers_de_ativos", kind.listing): 1 for kind in Kind},
        **{("coleta_indicadores_de_ativo", ticker): 1 for ticker in tickers},
    }
