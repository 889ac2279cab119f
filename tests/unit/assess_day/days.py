"""Make days for the quality checks: the stages' functions process the sample site's assets in one process.

Stage 2's functions read the listings, and stage 3's functions read the pages. Stage 4 sets the types, stage 5
picks the columns and stage 6 compacts the rows. The stages run without S3 and without queues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

import pyarrow as pa

from assess_day.assessment import QualityRow
from assess_day.calendar_b3 import is_trading_day
from assess_day.check_inputs import CheckInputs
from assess_day.day_status import DayState
from assess_day.quality import run_checks
from b3.brazilian import read_number
from b3.days import number_of
from b3.kind import Kind
from fundamentus_site.asset_page import Indicators, Labels, read_asset_page
from fundamentus_site.listing_page import read_listing_page
from fundamentus_site.page import Page
from pynvest_lake.best_reading import best_rows
from pynvest_lake.contract import SOR_ACOES, SOR_FIIS, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS, table_schema
from pynvest_lake.ledger import AssetEntry, BatchEntry, DayLedger, Listing
from pynvest_lake.outcomes import Outcome
from pynvest_lake.prepare import prepare
from pynvest_lake.specialize import specialize
from sandbox.site import SampleAsset, make_assets, pages
from sandbox.site.asset import Cell
from sandbox.site.assets import brazilian

SOR = {Kind.ACOES: SOR_ACOES, Kind.FIIS: SOR_FIIS}
SOT = {Kind.ACOES: SOT_ACOES, Kind.FIIS: SOT_FIIS}
FIRST = date(2026, 10, 5)
"""Two holidays, 12 October and 2 November, fall within the next thirty weekdays."""
HALF_DAY = date(2026, 10, 14)
"""Like Ash Wednesday: many assets do not trade."""
ACOES, FIIS = 105, 45
BATCH = 35
NOW = datetime(2026, 11, 25, tzinfo=timezone.utc)

Rows = tuple[QualityRow, ...]
Change = Callable[[SampleAsset], SampleAsset]


def weekdays(count: int) -> list[date]:
    """Return the first `count` weekdays from `FIRST` on, holidays included."""
    days = (FIRST + timedelta(days=ahead) for ahead in range(2 * count))
    return [day for day in days if day.weekday() < 5][:count]


LAST = weekdays(31)[-1]


def session_of(day: date) -> date:
    """Return the session that the site shows on the evening of a day."""
    while not is_trading_day(number_of(day)):
        day -= timedelta(days=1)
    return day


@cache
def _assets() -> tuple[SampleAsset, ...]:
    return tuple(make_assets(number_of(FIRST), ACOES, FIIS))


@cache
def assets_of(day: date) -> tuple[SampleAsset, ...]:
    """Return a day's assets: some assets are absent, some prices move, and a few assets do not trade."""
    rng = Random(number_of(day))  # noqa: S311 - not a secret
    session, ahead = session_of(day), (day - FIRST).days
    assets = []
    for position, asset in enumerate(_assets()):
        if ahead and rng.random() < 0.005:  # the asset has gone, or comes later
            continue
        if last_quote(asset) != FIRST:
            assets.append(asset)
            continue
        trades = rng.random() > (0.35 if day == HALF_DAY else 0.05)
        quoted = session if trades else session_of(session - timedelta(days=1))
        factor = 1 + 0.002 * ahead * (-1 if position % 2 else 1) * rng.random()
        assets.append(priced(on_session(asset, quoted), Decimal(factor), rng.uniform(-4, 4)))
    return tuple(assets)


def last_quote(asset: SampleAsset) -> date:
    quoted = asset.cells_by_column()["dt_ult_cot"].value
    assert isinstance(quoted, date)
    return quoted


def on_session(asset: SampleAsset, session: date) -> SampleAsset:
    return asset.with_cell("dt_ult_cot", f"{session:%d/%m/%Y}", session)


def priced(asset: SampleAsset, factor: Decimal, percent: float) -> SampleAsset:
    """Return an asset with a new price, and with new values for the fields that depend on the price."""
    cells = asset.cells_by_column()
    moved: dict[str, tuple[str, Any]] = {}
    for column in (
        *("vlr_cot", "vlr_min_52_sem", "vlr_max_52_sem", "vlr_mercado"),
        *("vlr_ind_p_sobre_vp", "vlr_p_sobre_vp", "vlr_ind_p_sobre_l"),
    ):
        if column in cells and isinstance(cells[column].value, int | Decimal):
            of_cell = Decimal(str(cells[column].value))
            value = (of_cell * factor).quantize(Decimal(1) if column == "vlr_mercado" else Decimal("0.01"))
            moved[column] = (brazilian(value), value)
    if cells["pct_var_dia"].value is not None:
        change = Decimal(percent).quantize(Decimal("0.01"))
        moved["pct_var_dia"] = (f"{brazilian(change)}%", change)
    return asset.with_cells(moved)


def with_new_label(asset: SampleAsset, label: str) -> SampleAsset:
    """Return an asset whose page shows a label that the lake does not know."""
    *tables, last = asset.tables
    row = (Cell(label, Decimal("3.20"), "3,20"),)
    return SampleAsset(asset.ticker, asset.kind, asset.variety, asset.day, (*tables, (*last, row)))


def without_label(asset: SampleAsset, label: str) -> SampleAsset:
    """Return an asset whose page lacks the cell with the given label."""
    tables = tuple(
        tuple(tuple(one for one in row if not isinstance(one, Cell) or one.label != label) for row in table)
        for table in asset.tables
    )
    return replace(asset, tables=tables)


@dataclass(frozen=True)
class Tables:
    """The rows of a day; the rows in SoR and SoT are grouped by kind."""

    sor: Mapping[Kind, pa.Table]
    sot: Mapping[Kind, pa.Table]
    spec: pa.Table


Read = tuple[Tables, DayLedger]


def read_day(
    assets: Sequence[SampleAsset],
    day: date,
    *,
    refused: Iterable[str] = (),
    listed: Mapping[str, str] | None = None,
) -> Read:
    """Process the site's listings and pages with the functions of the stages.

    Parameters
    ----------
    assets
        The assets that the site shows.
    day
        The day.
    refused
        Listed tickers whose pages the site refuses.
    listed
        Prices by ticker, for tickers whose price in the listing differs from the price on the page.
    """
    sor: dict[Kind, list[pa.Table]] = {kind: [] for kind in Kind}
    sot: dict[Kind, list[pa.Table]] = {kind: [] for kind in Kind}
    batches = []
    for kind in Kind:
        given = [asset for asset in assets if asset.kind == kind.value and asset.ticker not in refused]
        read = [given[start : start + BATCH] for start in range(0, len(given), BATCH)]
        for minute, batch in enumerate([*read, *read[:1]]):  # the messages of one batch came twice
            rows, entry = read_batch(batch, kind, f"{day:%d-%m-%Y} 18:{minute:02}:00")
            batches.append((entry, NOW))
            sor[kind].append(rows)
            sot[kind].append(prepare(rows, kind, number_of(day)).table)
        kept_back = {
            asset.ticker: AssetEntry(Outcome.REFUSED)
            for asset in assets
            if asset.kind == kind.value and asset.ticker in refused
        }
        if kept_back:
            batches.append((BatchEntry(kind, kept_back), NOW))
    spec = [specialize(rows, kind) for kind in Kind for rows in sot[kind]]
    tables = Tables(
        {kind: together(SOR[kind], sor[kind]) for kind in Kind},
        {kind: compacted(SOT[kind], sot[kind], kind.ticker_column) for kind in Kind},
        compacted(SPEC_ATIVOS, spec, "codigo_ticker_ativo"),
    )
    return tables, DayLedger(number_of(day), listing_of(assets, listed or {}), (), tuple(batches))


def read_batch(assets: Sequence[SampleAsset], kind: Kind, moment: str) -> tuple[pa.Table, BatchEntry]:
    """Return the rows and the ledger entry of a batch, as stage 3 makes them."""
    found = {asset.ticker: read_page(asset) for asset in assets}
    rows = [{**one.texts, "datetime_exec": moment} for one in found.values()]
    entry = BatchEntry(
        kind,
        {
            ticker: AssetEntry(
                Outcome.READ,
                object="a",
                session=one.session and number_of(one.session),
                unknown_labels=one.unknown_labels or None,
                lacking_labels=one.lacking_core or None,
            )
            for ticker, one in found.items()
        },
    )
    return pa.Table.from_pylist(rows, schema=table_schema(SOR[kind]).arrow), entry


@cache
def read_page(asset: SampleAsset) -> Indicators:
    """Read an asset's page in the year of `NOW`; the day within the year makes no difference."""
    kind = Kind(asset.kind)
    schema = table_schema(SOR[Kind(asset.kind)])
    labels = Labels(schema.labels, schema.core_labels)
    return read_asset_page(page_of(asset), asset.ticker, kind, labels, number_of(NOW))


def page_of(asset: SampleAsset) -> Page:
    return Page("https://site", 200, pages.CONTENT_TYPE, pages.detail_page(asset), NOW)


def listing_of(assets: Sequence[SampleAsset], prices: Mapping[str, str]) -> Listing:
    """Return the rows that stage 2 reads from the site's listings."""
    listed: dict[Kind, dict[str, float | None]] = {}
    for kind in Kind:
        of_kind = [
            asset.with_cell("vlr_cot", prices[asset.ticker]) if asset.ticker in prices else asset
            for asset in assets
            if asset.kind == kind.value
        ]
        if of_kind:
            body = pages.listing_page(kind.value, of_kind)
            found = read_listing_page(Page("https://site", 200, pages.CONTENT_TYPE, body, NOW))
            listed[kind] = {ticker: read_number(text) for ticker, text in found.prices.items()}
    return Listing(listed)


def together(table: str, parts: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables([table_schema(table).arrow.empty_table(), *parts])


def compacted(table: str, parts: Sequence[pa.Table], ticker_column: str) -> pa.Table:
    """Return the rows that stage 6 keeps from a partition's parts."""
    if not parts:
        return together(table, parts)
    return best_rows(parts, ticker_column)


def inputs_of(
    read: Read, earlier: Mapping[int, Sequence[QualityRow]] | None = None, **more: Any
) -> CheckInputs:
    tables, ledger = read
    return CheckInputs(
        DayState(ledger, frozenset("a")),
        tables.sor,
        tables.sot,
        tables.spec,
        earlier=earlier or {},
        trading_day=is_trading_day(ledger.day),
        **more,
    )


def judged(assets: Sequence[SampleAsset], day: date, *, past: bool = False, **more: Any) -> Rows:
    """Assess a day; `past` decides whether the assessment compares the day with the days before it."""
    return run_checks(inputs_of(read_day(assets, day, **more), history(day) if past else {}))


@cache
def good_day(day: date) -> Read:
    """Return a day without a fault."""
    return read_day(assets_of(day), day)


@cache
def judged_good(day: date) -> Rows:
    """Assess a day that has no fault; the assessment compares the day with the days before it."""
    return run_checks(inputs_of(good_day(day), history(day)))


def history(before: date = LAST) -> dict[int, Rows]:
    """Return the quality rows of the good days before a day."""
    return {number_of(day): judged_good(day) for day in weekdays(31) if day < before}
