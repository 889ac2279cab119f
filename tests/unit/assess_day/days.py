"""Days to be judged, of the sample site's papers, made in memory.

A good day's rows are what the sample says that the tables must hold. A faulty day's pages go through the
stages' own functions: read as stage 3 reads them, typed as stage 4, picked as stage 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from random import Random
from typing import Any

import pyarrow as pa

from assess_day.assessment import QualityRow
from assess_day.calendar_b3 import is_trading_day
from assess_day.evidence import Evidence
from assess_day.quality import measured
from fundamentus_site.kinds import Kind as SiteKind
from fundamentus_site.pages import Page
from fundamentus_site.papers import Indicators, Labels, indicators
from get_financial_data.record import counted
from prep_financial_data.prepare import prepare
from pynvest_lake.contract import SOR_ACOES, SOR_FIIS, SOT_ACOES, SOT_FIIS, table_schema
from pynvest_lake.kinds import Kind
from pynvest_lake.ledger import BatchEntry, DayLedger, Listing, PaperEntry
from pynvest_lake.outcomes import Outcome
from sandbox.site import Paper, make_papers, pages
from specialize_financial_data.specialize import specialize

SOR = {Kind.ACOES: SOR_ACOES, Kind.FIIS: SOR_FIIS}
SOT = {Kind.ACOES: SOT_ACOES, Kind.FIIS: SOT_FIIS}
FIRST = date(2026, 10, 5)
"""Two holidays, 12 October and 2 November, follow within thirty weekdays."""
ACOES, FIIS = 110, 70
NOW = datetime(2026, 11, 25, tzinfo=timezone.utc)

Row = dict[str, Any]
Noise = Mapping[str, Any]


def number(day: date) -> int:
    return int(f"{day:%Y%m%d}")


def weekdays(count: int) -> list[date]:
    """Return so many weekdays from the first one on, holidays too."""
    days = (FIRST + timedelta(days=ahead) for ahead in range(2 * count))
    return [day for day in days if day.weekday() < 5][:count]


@cache
def papers_of(acoes: int = ACOES, fiis: int = FIIS) -> tuple[Paper, ...]:
    """Return the site's papers, as of the first day."""
    return tuple(make_papers(number(FIRST), acoes, fiis))


@cache
def base_rows() -> tuple[tuple[Kind, Row, Row], ...]:
    """Return kind, SoR row and SoT row of each paper."""
    return tuple(
        (
            Kind(paper.kind),
            {**paper.expected_sor(), "datetime_exec": "05-10-2026 18:50:00"},
            {**paper.expected_sot(), "datetime_exec": datetime(2026, 10, 5, 18, 50)},
        )
        for paper in papers_of()
    )


def session_of(day: date) -> date:
    """Return the session that the site shows on a day's evening."""
    while not is_trading_day(number(day)):
        day -= timedelta(days=1)
    return day


@dataclass(frozen=True)
class Tables:
    """The day's rows, kind by kind."""

    sor: Mapping[Kind, pa.Table]
    sot: Mapping[Kind, pa.Table]

    @property
    def spec(self) -> pa.Table:
        return pa.concat_tables([specialize(self.sot[kind], kind) for kind in Kind])


def good_tables(day: date) -> Tables:
    """Return a day of ordinary noise: papers come and go, prices move, a few do not trade."""
    rng = Random(number(day))  # noqa: S311 - no secret
    session, ahead = session_of(day), (day - FIRST).days
    sor: dict[Kind, list[Row]] = {kind: [] for kind in Kind}
    sot: dict[Kind, list[Row]] = {kind: [] for kind in Kind}
    half_day = rng.random() < 0.1
    for position, (kind, text, typed) in enumerate(base_rows()):
        if ahead and rng.random() < 0.005:  # has left, or is yet to come
            continue
        moved = dict(typed)
        if typed["dt_ult_cot"] >= FIRST - timedelta(days=7):
            trades = rng.random() > (0.2 if half_day else 0.05)
            moved["dt_ult_cot"] = session if trades else session_of(session - timedelta(days=1))
            factor = 1 + 0.002 * ahead * (-1 if position % 2 else 1) * rng.random()
            scaled = (
                *("vlr_cot", "vlr_min_52_sem", "vlr_max_52_sem", "vlr_mercado", "vlr_ind_p_sobre_vp"),
                *("vlr_p_sobre_vp", "vlr_ind_p_sobre_l"),
            )
            for column in scaled:
                if moved.get(column) is not None:
                    moved[column] *= factor
        sor[kind].append(text)
        sot[kind].append(moved)
    return Tables(
        {
            kind: pa.Table.from_pylist(rows, schema=table_schema(SOR[kind]).arrow)
            for kind, rows in sor.items()
        },
        {
            kind: pa.Table.from_pylist(rows, schema=table_schema(SOT[kind]).arrow)
            for kind, rows in sot.items()
        },
    )


def ledger_of(tables: Tables, day: date, *, archived: bool = True, **more: Any) -> DayLedger:
    """Return the ledger of a day all of whose papers were read."""
    listed, batches = {}, []
    for kind in Kind:
        rows = tables.sot[kind]
        tickers = rows[kind.ticker_column].to_pylist()
        listed[kind] = dict(zip(tickers, rows["vlr_cot"].to_pylist(), strict=True))
        read = {ticker: PaperEntry(Outcome.READ, object="a") for ticker in tickers}
        entry = BatchEntry(kind, read, archived=archived, **more.get(kind.value, {}))
        batches.append((entry, NOW))
    return DayLedger(number(day), Listing(listed), (), tuple(batches))


def evidence_of(
    tables: Tables, ledger: DayLedger, earlier: Mapping[int, Sequence[QualityRow]], **more: Any
) -> Evidence:
    return Evidence(
        ledger,
        frozenset("a"),
        tables.sor,
        tables.sot,
        tables.spec,
        earlier=earlier,
        trading_day=is_trading_day(ledger.day),
        **more,
    )


def judged_good(day: date, earlier: Mapping[int, Sequence[QualityRow]]) -> tuple[QualityRow, ...]:
    """Judge a good day."""
    tables = good_tables(day)
    return measured(evidence_of(tables, ledger_of(tables, day), earlier))


@cache
def history(count: int = 30) -> dict[int, tuple[QualityRow, ...]]:
    """Return what so many good days measured, each held against those before it."""
    earlier: dict[int, tuple[QualityRow, ...]] = {}
    for day in weekdays(count):
        earlier[number(day)] = judged_good(day, dict(earlier))
    return earlier


def page_of(paper: Paper) -> Page:
    return Page("https://site", 200, pages.CONTENT_TYPE, pages.detail_page(paper), NOW)


def on_session(paper: Paper, session: date) -> Paper:
    """Return a paper whose page shows a session, if it traded on the first day."""
    if paper.cells_by_column()["dt_ult_cot"].value != session_of(FIRST):
        return paper
    return paper.with_cell("dt_ult_cot", f"{session:%d/%m/%Y}", session)


def read_day(papers: Sequence[Paper], day: date) -> tuple[Tables, DayLedger]:
    """Take the pages of papers through the functions of stages 3 to 5; the listing is of the same prices."""
    rows: dict[Kind, list[Row]] = {kind: [] for kind in Kind}
    listed: dict[Kind, dict[str, float | None]] = {kind: {} for kind in Kind}
    found: dict[Kind, dict[str, Indicators]] = {kind: {} for kind in Kind}
    for paper in papers:
        kind = Kind(paper.kind)
        schema = table_schema(SOR[kind])
        labels = Labels(schema.labels, schema.core_labels)
        one = indicators(page_of(paper), paper.ticker, SiteKind(paper.kind), labels, number(day))
        found[kind][paper.ticker] = one
        rows[kind].append(
            {**one.texts, kind.ticker_column: paper.ticker, "datetime_exec": f"{day:%d-%m-%Y} 18:50:00"}
        )
        price = paper.cells_by_column()["vlr_cot"].value
        listed[kind][paper.ticker] = float(price) if price is not None else None  # type: ignore[arg-type]
    batches = []
    for kind in Kind:
        read = {ticker: PaperEntry(Outcome.READ, object="a") for ticker in found[kind]}
        labels_of = {
            which: counted({ticker: getattr(one, name) for ticker, one in found[kind].items()})
            for which, name in (("labels", "unknown_labels"), ("lacking", "lacking_core"))
        }
        batches.append((BatchEntry(kind, read, **labels_of), NOW))
    sor = {
        kind: pa.Table.from_pylist(of_kind, schema=table_schema(SOR[kind]).arrow)
        for kind, of_kind in rows.items()
    }
    sot = {kind: prepare(table, kind).table for kind, table in sor.items()}
    return Tables(sor, sot), DayLedger(number(day), Listing(listed), (), tuple(batches))


Change = Callable[[Paper], Paper]


def changed_papers(day: date, change: Change) -> list[Paper]:
    session = session_of(day)
    return [change(on_session(paper, session)) for paper in papers_of()]
