"""Every cell of the lake equals the cell on the page, for assets of every form, after stages 3, 4 and 5."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine

from b3.kind import Kind
from get_financial_data import handler as get_financial_data
from lake_rows import s3_event, sqs_event
from moto_lake import DAY, LAYERS, Lake, set_environment
from prep_financial_data import handler as prep_financial_data
from pynvest_lake.contract import SOR, SOR_ACOES, SOT, SPEC_ATIVOS, table_schema
from pynvest_lake.storage import list_day
from sandbox.site import FUND_VARIETIES, STOCK_VARIETIES, SampleAsset, SiteServer, make_assets
from specialize_financial_data import handler as specialize_financial_data

BATCH = 100
_NAMES = table_schema(SOR_ACOES).arrow.names
ADDED_COLUMNS = _NAMES[_NAMES.index("datetime_exec") + 1 : -1]

Rows = dict[str, dict[str, Any]]


@pytest.fixture
def run_day(lake: Lake, context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pass a site's assets through the handlers of three stages, as queues and notifications would do."""
    get_financial_data._breaker.cache_clear()
    context.get_remaining_time_in_millis = lambda: 300_000

    def run(site: SiteServer, assets: Sequence[SampleAsset], day: int) -> Iterator[dict[str, Any]]:
        for kind in Kind:
            set_environment(
                monkeypatch,
                lake,
                TICKER_KIND=kind,
                FUNDAMENTUS_BASE_URL=site.base_url,
                FETCH_THREADS="4",
                FETCH_TIMEOUT_SECONDS="30",
                TARGET_TABLE=lake.table_setting(SOR[kind]),
            )
            messages = [
                {"ticker": asset.ticker, "kind": kind, "anomesdia_exec": day}
                for asset in assets
                if asset.kind == kind
            ]
            for start in range(0, len(messages), BATCH):
                yield get_financial_data.handler(sqs_event(*messages[start : start + BATCH]), context)
        for kind in Kind:
            monkeypatch.setenv("TICKER_KIND", kind)
            monkeypatch.setenv("SOURCE_TABLES", lake.setting(SOR[kind]))
            monkeypatch.setenv("TARGET_TABLE", lake.table_setting(SOT[kind]))
            for item in list_day(lake.s3, lake.tables[SOR[kind]], day):
                yield prep_financial_data.handler(s3_event(item), context)
        monkeypatch.setenv("SOURCE_TABLES", lake.setting(*SOT.values()))
        monkeypatch.setenv("TARGET_TABLE", lake.table_setting(SPEC_ATIVOS))
        for table in SOT.values():
            for item in list_day(lake.s3, lake.tables[table], day):
                yield specialize_financial_data.handler(s3_event(item), context)

    return run


def rows_by_ticker(lake: Lake, table: str, day: int) -> Rows:
    """Return a partition's rows by ticker (the first column); each ticker must occur once."""
    rows = lake.rows(table, day)
    by_ticker = {row[table_schema(table).arrow.names[0]]: row for row in rows}
    assert len(by_ticker) == len(rows), f"{table} has a ticker twice"
    return by_ticker


def differences(lake: Lake, assets: Sequence[SampleAsset], day: int) -> list[str]:
    """Compare all cells of the five tables with the assets."""
    expected: dict[str, Rows] = {table: {} for table in LAYERS}
    for asset in assets:
        expected[SOR[asset.kind]][asset.ticker] = asset.expected_sor(day)
        expected[SOT[asset.kind]][asset.ticker] = asset.expected_sot(day)
        expected[SPEC_ATIVOS][asset.ticker] = asset.expected_spec(day)

    found = {table: rows_by_ticker(lake, table, day) for table in LAYERS}
    different = []
    for table, rows in expected.items():
        assert set(found[table]) == set(rows), f"{table} has other assets than the site"
        for ticker, row in rows.items():
            # The read times are not on the pages; the loop below compares `datetime_exec` with SoR.
            cells = {
                name: cell for name, cell in found[table][ticker].items() if not name.startswith("datetime_")
            }
            assert set(cells) == set(row)
            different += [
                f"{table} {ticker} {column}: {cells[column]!r}, expected {value!r}"
                for column, value in row.items()
                if cells[column] != value or type(cells[column]) is not type(value)
            ]
    for asset in assets:
        text = found[SOR[asset.kind]][asset.ticker]["datetime_exec"]
        moment = datetime.strptime(text, "%d-%m-%Y %H:%M:%S")
        different += [
            f"{table} {asset.ticker} datetime_exec, expected {moment}"
            for table in (SOT[asset.kind], SPEC_ATIVOS)
            if found[table][asset.ticker]["datetime_exec"] != moment
        ]
    return different


def test_every_cell_of_the_five_tables_is_what_the_page_was_built_from(lake: Lake, run_day: Any) -> None:
    assets = make_assets(DAY, 330, 220)
    assert {p.variety for p in assets if p.kind == "acoes"} == set(STOCK_VARIETIES)
    assert {p.variety for p in assets if p.kind == "fiis"} == set(FUND_VARIETIES)

    with SiteServer(assets) as site:
        results = list(run_day(site, assets, DAY))

    assert sum(result["rows"] for result in results) == 3 * len(assets)
    assert sum(result.get("unreadable_cells", 0) for result in results) == 0
    assert differences(lake, assets, DAY) == []
    filled = Counter(column for asset in assets for column, text in asset.expected_sor().items() if text)
    assert min(filled[column] for column in ADDED_COLUMNS) >= 20


@pytest.mark.parametrize(("page_day", "read_on"), [(DAY, 20270104), (DAY, 20280103), (20241230, 20251230)])
def test_year_columns_count_from_the_day_of_the_run_and_not_from_the_page(
    lake: Lake, run_day: Any, page_day: int, read_on: int
) -> None:
    assets = make_assets(page_day, 24, 18)
    evening = datetime.strptime(f"{read_on} 2200", "%Y%m%d %H%M").replace(tzinfo=timezone.utc)
    with SiteServer(assets) as site, time_machine.travel(evening, tick=True):
        results = list(run_day(site, assets, read_on))
    assert sum(result["rows"] for result in results) == 3 * len(assets)
    assert differences(lake, assets, read_on) == []
    assert any(asset.expected_sot(read_on) != asset.expected_sot() for asset in assets)
