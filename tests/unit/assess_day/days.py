"""Days for the tests of the quality checks. `sandbox.history` makes the rows of these days."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

from assess_day.assessment import QualityRow
from assess_day.check_inputs import CheckInputs
from assess_day.quality import run_checks
from b3.days import is_trading_day, number_of
from b3.kind import Kind
from fundamentus_site.asset_page import Indicators, read_asset_page
from fundamentus_site.page import Page
from lake_rows import LABELS
from pynvest_lake.ledger import AssetEntry, BatchEntry, DayLedger, Listing, Outcome
from sandbox.history import make_day
from sandbox.site import SampleAsset, make_assets, pages
from sandbox.site.asset import Cell
from sandbox.site.assets import brazilian

FIRST = date(2026, 10, 5)
"""Two holidays, 12 October and 2 November, fall within the next thirty weekdays."""
HALF_DAY = date(2026, 10, 14)
"""Like Ash Wednesday: many assets do not trade."""
ACOES, FIIS = 105, 45
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
    """Return a day's assets. Absent assets, price changes and assets without trades are random."""
    rng = Random(number_of(day))  # noqa: S311 - not a secret
    session, ahead = session_of(day), (day - FIRST).days
    assets = []
    for position, asset in enumerate(_assets()):
        if ahead and rng.random() < 0.005:  # the asset is absent on this day
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
    """Multiply an asset's price, and the fields that depend on the price, by `factor`."""
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


@cache
def read_page(asset: SampleAsset) -> Indicators:
    """Read an asset's page at the time `NOW`. The result is valid for each day of that year."""
    kind = Kind(asset.kind)
    page = Page("https://site", 200, pages.CONTENT_TYPE, pages.detail_page(asset), NOW)
    return read_asset_page(page, asset.ticker, kind, LABELS[kind], number_of(NOW))


def read_day(
    assets: Sequence[SampleAsset],
    day: date,
    *,
    refused: Collection[str] = (),
    listed: Mapping[str, float] | None = None,
) -> CheckInputs:
    """Make a day from pages. The ledger has the unknown labels and the missing core labels of each page.

    Parameters
    ----------
    assets
        The assets that the site shows.
    day
        The day.
    refused
        Listed tickers whose pages the site refuses.
    listed
        Prices in the listing, by ticker. For other tickers, the listing and the page show the same price.
    """
    made = make_day([asset for asset in assets if asset.ticker not in refused], number_of(day))
    found = {asset.ticker: read_page(asset) for asset in assets}
    batches = [
        (replace(batch, assets={one: _labelled(said, found[one]) for one, said in batch.assets.items()}), at)
        for batch, at in made.ledger.batches
    ]
    prices: dict[Kind, dict[str, Any]] = {kind: {} for kind in Kind}
    for asset in assets:
        kind = Kind(asset.kind)
        prices[kind][asset.ticker] = (listed or {}).get(asset.ticker, asset.expected_sot()["vlr_cot"])
        if asset.ticker in refused:
            batches.append((BatchEntry(kind, {asset.ticker: AssetEntry(Outcome.REFUSED)}), NOW))
    return with_ledger(made, DayLedger(number_of(day), Listing(prices), (), tuple(batches)))


def _labelled(entry: AssetEntry, page: Indicators) -> AssetEntry:
    unknown, lacking = page.unknown_labels or None, page.lacking_core or None
    return replace(entry, unknown_labels=unknown, lacking_labels=lacking)


def with_ledger(day: CheckInputs, ledger: DayLedger) -> CheckInputs:
    """Replace a day's ledger, and add the object "a" to SoR, so that ledger entries can refer to "a"."""
    return replace(day, state=replace(day.state, ledger=ledger, sor_ids=day.state.sor_ids | {"a"}))


def judged(
    assets: Sequence[SampleAsset],
    day: date,
    *,
    refused: Collection[str] = (),
    listed: Mapping[str, float] | None = None,
    **inputs: Any,
) -> Rows:
    """Assess a day that follows good days. `inputs` replace fields of `CheckInputs`."""
    made = read_day(assets, day, refused=refused, listed=listed)
    return run_checks(replace(made, **{"earlier": history(day), **inputs}))


@cache
def good_day(day: date) -> CheckInputs:
    """Return a day without a fault."""
    made = make_day(assets_of(day), number_of(day))
    return with_ledger(made, replace(made.ledger, rounds=()))


@cache
def judged_good(day: date) -> Rows:
    return run_checks(replace(good_day(day), earlier=history(day)))


def history(before: date = LAST) -> dict[int, Rows]:
    """Return the quality rows of the good days before a day."""
    return {number_of(day): judged_good(day) for day in weekdays(31) if day < before}
