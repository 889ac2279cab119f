"""The charts of the page, as Vega-Lite specifications; their colours are the page's own CSS variables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

import altair as alt

from report.history import AssetHistory
from report.snapshot import ListedAsset

FOLLOWED_STOCKS, FOLLOWED_FUNDS = 3, 2
MOVES = 8
MOST_POINTS = 300
"""With more sessions than this, summed over the assets, lines have no points."""
GROUPS = 20
BAR_STEP = 22
AXIS = 50
"""Height in pixels of a bar, and of the axis below all bars."""
CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "titleColor": "var(--muted)",
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
    },
    "legend": {
        "labelColor": "var(--ink)",
        "labelFontSize": 12,
        "symbolStrokeWidth": 3,
        "orient": "top",
        "title": None,
    },
    "text": {"fill": "var(--ink)"},
}
UP, FLAT, DOWN, MAIN = "var(--up)", "var(--flat)", "var(--down)", "var(--main)"
DIRECTIONS = {"em alta": UP, "estáveis": FLAT, "em queda": DOWN}
COLOURS = [f"var(--group-{number})" for number in range(1, 8)]
SHAPES = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right"]
"""Colour and shape of each group in a scatter. The shapes distinguish the groups without the colours."""
OTHERS = "outros"
OF_INTEREST = 4
"""Number of points of a scatter that are named for each reason."""
LINES = ["var(--line-1)", "var(--line-2)", "var(--line-3)", "var(--line-4)", "var(--line-5)"]
KINDS = {False: "Ações", True: "FIIs"}


@dataclass(frozen=True)
class Group:
    """A sector of stocks or a segment of funds, with the number and the medians of its traded assets."""

    name: str
    assets: int
    volume: int
    day: float | None
    year: float | None
    price_to_book: float | None
    dividend_yield: float | None


@dataclass(frozen=True)
class Breadth:
    """How many assets rose, did not move or fell in the newest session, and the median change."""

    up: int
    flat: int
    down: int
    change: float | None

    @property
    def assets(self) -> int:
        """Return how many assets have a change."""
        return self.up + self.flat + self.down


def newest_session(assets: Iterable[ListedAsset]) -> date | None:
    """Return the newest trading day of the assets; return None if no asset has a trading day."""
    return max((asset.session for asset in assets if asset.session), default=None)


def of_newest_session(assets: Sequence[ListedAsset]) -> list[ListedAsset]:
    """Return the assets that traded in the newest session and have a change for that day."""
    newest = newest_session(assets)
    return [asset for asset in assets if asset.session == newest and asset.day is not None]


def breadth(assets: Iterable[ListedAsset]) -> Breadth:
    """Count the assets by the direction of their price: up, unchanged or down."""
    changes = [asset.day for asset in assets if asset.day is not None]
    up, down = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
    return Breadth(up, len(changes) - up - down, down, _median(changes))


def largest_moves(assets: Sequence[ListedAsset], *, rose: bool) -> list[ListedAsset]:
    """Return the liquid assets with the largest rises or falls in the newest session, the largest first."""
    moved = [asset for asset in of_newest_session(assets) if asset.is_liquid and asset.day]
    ordered = sorted(moved, key=lambda asset: (-abs(asset.day or 0), asset.ticker))
    return [asset for asset in ordered if ((asset.day or 0) > 0) == rose][:MOVES]


def groups(assets: Iterable[ListedAsset]) -> list[Group]:
    """Return sectors or segments, the most traded first."""
    members: dict[str, list[ListedAsset]] = defaultdict(list)
    for asset in assets:
        if asset.group:
            members[asset.group].append(asset)
    newest = newest_session(asset for found in members.values() for asset in found)
    made = [
        Group(
            name,
            len(found),
            sum(asset.volume or 0 for asset in found),
            _median(asset.day for asset in found if asset.session == newest),
            _median(asset.year for asset in found),
            _median(asset.price_to_book for asset in found),
            _median(asset.dividend_yield for asset in found),
        )
        for name, found in members.items()
    ]
    return sorted(made, key=lambda group: (-group.volume, group.name))


def _median(values: Iterable[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return median(present) if present else None


def breadth_chart(assets: Sequence[ListedAsset]) -> dict[str, Any] | None:
    """Draw the percentages of assets that rose, fell or did not move, by kind; None if no change is known."""
    rows = []
    for is_fund, kind in KINDS.items():
        counted = breadth(asset for asset in of_newest_session(assets) if asset.is_fund == is_fund)
        for place, (name, count) in enumerate(
            zip(DIRECTIONS, (counted.up, counted.flat, counted.down), strict=True)
        ):
            if count:
                rows.append({"tipo": kind, "direção": name, "ordem": place, "ativos": count})
    if not rows:
        return None
    bars = _chart(rows).encode(
        alt.X("ativos:Q", stack="normalize", title=None, axis=alt.Axis(format="%", tickCount=5)),
        alt.Y("tipo:N", title=None, sort=list(KINDS.values())),
        order=alt.Order("ordem:Q"),
    )
    colour = alt.Color("direção:N", scale=alt.Scale(domain=list(DIRECTIONS), range=list(DIRECTIONS.values())))
    hints = [alt.Tooltip("tipo:N"), alt.Tooltip("direção:N"), alt.Tooltip("ativos:Q")]
    return _spec(
        bars.mark_bar(height=20).encode(colour, tooltip=hints),
        "Quantas ações e quantos fundos subiram, ficaram estáveis e caíram no pregão",
        height=36 * len({row["tipo"] for row in rows}) + AXIS,
    )


def moves_chart(assets: Sequence[ListedAsset], *, rose: bool) -> dict[str, Any] | None:
    """Draw the largest rises or falls of liquid assets in the newest session; None if no asset moved."""
    rows = [
        {
            "ativo": asset.ticker,
            "nome": asset.name or "",
            "variação": asset.day,
            "cotação": asset.price,
        }
        for asset in largest_moves(assets, rose=rose)
    ]
    return _bars(
        rows,
        "ativo",
        "variação",
        f"Maiores {'altas' if rose else 'baixas'} do pregão entre os ativos líquidos",
        hints=[alt.Tooltip("nome:N"), alt.Tooltip("cotação:Q", format=",.2f")],
    )


def groups_chart(found: Sequence[Group], what: str) -> dict[str, Any] | None:
    """Draw the day's median change for the most traded groups; return None if no group has a change."""
    rows = [
        {
            what: group.name,
            "variação": group.day,
            "ativos": group.assets,
            "P/VP mediano": group.price_to_book,
            "yield mediano (%)": group.dividend_yield,
        }
        for group in sorted(found[:GROUPS], key=lambda group: -(group.day or 0))
        if group.day is not None
    ]
    return _bars(
        rows,
        what,
        "variação",
        f"Variação mediana do dia por {what}",
        hints=[
            alt.Tooltip("ativos:Q"),
            alt.Tooltip("P/VP mediano:Q", format=",.2f"),
            alt.Tooltip("yield mediano (%):Q", format=",.1f"),
        ],
    )


def yields_chart(found: Sequence[Group]) -> dict[str, Any] | None:
    """Draw the median dividend yield of the most traded segments; return None if no segment has one."""
    rows = [
        {
            "segmento": group.name,
            "yield mediano": group.dividend_yield,
            "fundos": group.assets,
            "P/VP mediano": group.price_to_book,
        }
        for group in sorted(found[:GROUPS], key=lambda group: -(group.dividend_yield or 0))
        if group.dividend_yield is not None
    ]
    if not rows:
        return None
    bars = _chart(rows).encode(
        alt.X("yield mediano:Q", title="yield mediano, % ao ano", axis=alt.Axis(tickCount=5)),
        alt.Y("segmento:N", title=None, sort=None),
        tooltip=[
            alt.Tooltip("segmento:N"),
            alt.Tooltip("yield mediano:Q", format=",.1f"),
            alt.Tooltip("P/VP mediano:Q", format=",.2f"),
            alt.Tooltip("fundos:Q"),
        ],
    )
    title = "Dividend yield mediano por segmento de fundos"
    return _spec(bars.mark_bar(color=MAIN, cornerRadiusEnd=2), title, height=BAR_STEP * len(rows) + AXIS)


def scatter_chart(assets: Sequence[ListedAsset], *, funds: bool) -> dict[str, Any] | None:
    """Draw liquid assets by P/VP and dividend yield, without outliers; return None if no asset is left.

    A point's colour and shape show the sector or segment. Only `points_of_interest` show their tickers.
    """
    shown = [
        asset
        for asset in assets
        if asset.is_fund == funds and asset.is_liquid and _has_both(asset) and (asset.price_to_book or 0) > 0
    ]
    if not shown:
        return None
    right = _near_all(asset.price_to_book for asset in shown)
    top = _near_all(asset.dividend_yield for asset in shown)
    inside = [
        asset for asset in shown if (asset.price_to_book or 0) <= right and (asset.dividend_yield or 0) <= top
    ]
    named, of_interest = _named_groups(inside), points_of_interest(inside)
    rows = [
        {
            "ativo": asset.ticker,
            "nome": asset.name or "",
            "grupo": asset.group or "",
            "cor": asset.group if asset.group in named else OTHERS,
            "rótulo": asset.ticker if asset.ticker in of_interest else "",
            "P/VP": asset.price_to_book,
            "yield": asset.dividend_yield,
            "volume": asset.volume,
        }
        for asset in inside
    ]
    kinds = [*named, OTHERS] if any(row["cor"] == OTHERS for row in rows) else named
    colours = [*COLOURS[: len(named)], "var(--muted)"][: len(kinds)]
    shapes = [*SHAPES[: len(named)], "circle"][: len(kinds)]
    place = _chart(rows).encode(
        alt.X(
            "P/VP:Q",
            title="P/VP, em vezes (escala logarítmica)",
            scale=alt.Scale(type="log", base=2, nice=False, padding=12),
            axis=alt.Axis(values=_log_ticks([asset.price_to_book or 0 for asset in inside]), format=",.2~f"),
        ),
        alt.Y(
            "yield:Q",
            title="dividend yield, % ao ano",
            scale=alt.Scale(zero=False, nice=False, padding=12),
            axis=alt.Axis(tickCount=6, format=",.1~f"),
        ),
    )
    points = place.mark_point(filled=True, size=60, opacity=0.85, cursor="pointer").encode(
        alt.Color("cor:N", scale=alt.Scale(domain=kinds, range=colours)),
        alt.Shape("cor:N", scale=alt.Scale(domain=kinds, range=shapes)),
        tooltip=[
            alt.Tooltip("ativo:N"),
            alt.Tooltip("nome:N"),
            alt.Tooltip("grupo:N", title="segmento" if funds else "setor"),
            alt.Tooltip("P/VP:Q", format=",.2f"),
            alt.Tooltip("yield:Q", format=",.1f", title="yield (%)"),
        ],
    )
    names = place.transform_filter("datum['rótulo']").mark_text(fontSize=11).encode(alt.Text("rótulo:N"))
    kind = "fundos líquidos" if funds else "ações líquidas"
    return _spec(points + names, f"P/VP e dividend yield: {kind}", height=380)


def points_of_interest(assets: Sequence[ListedAsset]) -> set[str]:
    """Return the assets with the most volume, the highest yields, and the lowest and highest P/VP."""
    orders = (
        lambda asset: -(asset.volume or 0),
        lambda asset: -(asset.dividend_yield or 0),
        lambda asset: asset.price_to_book or 0,
        lambda asset: -(asset.price_to_book or 0),
    )
    return {asset.ticker for order in orders for asset in sorted(assets, key=order)[:OF_INTEREST]}


def _named_groups(assets: Iterable[ListedAsset]) -> list[str]:
    """Return the sectors or segments with the most assets: at most one for each colour in `COLOURS`."""
    counted = Counter(asset.group for asset in assets if asset.group)
    return sorted(counted, key=lambda name: (-counted[name], name))[: len(COLOURS)]


def _log_ticks(values: Sequence[float]) -> list[float]:
    """Return round numbers for the ticks of a logarithmic axis; a narrow range has more ticks."""
    steps = (
        (1, 1.5, 2, 3, 5, 7)
        if max(values) > 4 * min(values)
        else (1, 1.1, 1.2, 1.4, 1.7, 2, 3, 4, 5, 6, 7, 8, 9)
    )
    ticks = [round(step * 10**power, 6) for power in range(-3, 4) for step in steps]
    return [tick for tick in ticks if min(values) <= tick <= max(values)]


def _has_both(asset: ListedAsset) -> bool:
    return asset.price_to_book is not None and asset.dividend_yield is not None


def _near_all(values: Iterable[float | None]) -> float:
    """Return the 95th percentile, without interpolation."""
    ordered = sorted(value for value in values if value is not None)
    return ordered[(len(ordered) * 19 + 19) // 20 - 1]


def followed(assets: Iterable[ListedAsset]) -> list[str]:
    """Return the tickers of the most traded stocks and funds, for the chart of series."""
    ordered = sorted(assets, key=lambda asset: (-(asset.volume or 0), asset.ticker))
    stocks = [asset.ticker for asset in ordered if not asset.is_fund]
    funds = [asset.ticker for asset in ordered if asset.is_fund]
    return stocks[:FOLLOWED_STOCKS] + funds[:FOLLOWED_FUNDS]


def series_chart(histories: Iterable[AssetHistory]) -> dict[str, Any] | None:
    """Draw each history's prices, scaled to start at 100; None if there are fewer than two sessions."""
    first: dict[str, float] = {}
    rows = []
    for history in histories:
        for session, price in zip(history.sessions, history.values["vlr_cot"], strict=True):
            if price:
                start = first.setdefault(history.ticker, price)
                rows.append(
                    {
                        "ativo": history.ticker,
                        "pregão": session.isoformat(),
                        "cotação": price,
                        "índice": 100 * price / start,
                    }
                )
    if len({row["pregão"] for row in rows}) < 2:
        return None
    tickers = sorted(first)
    lines = _chart(rows).encode(
        # The sessions are dates without a time. The axis is in UTC, so all time zones show the same date.
        alt.X(
            "utcyearmonthdate(pregão):T",
            title=None,
            axis=alt.Axis(format="%d/%m/%y", tickCount=5, labelOverlap=True),
        ),
        alt.Y("índice:Q", title="primeiro pregão = 100", scale=alt.Scale(zero=False)),
        alt.Color("ativo:N", scale=alt.Scale(domain=tickers, range=LINES)),
        tooltip=[
            alt.Tooltip("ativo:N"),
            alt.Tooltip("utcyearmonthdate(pregão):T", format="%d/%m/%Y", title="pregão"),
            alt.Tooltip("cotação:Q", format=",.2f"),
            alt.Tooltip("índice:Q", format=",.1f"),
        ],
    )
    return _spec(
        lines.mark_line(point=len(rows) < MOST_POINTS, strokeWidth=2),
        "Cotações por pregão, do primeiro igual a 100, sem ajuste por desdobramentos",
        height=300,
    )


def _bars(
    rows: Sequence[Mapping[str, Any]], name: str, value: str, title: str, hints: Sequence[alt.Tooltip]
) -> dict[str, Any] | None:
    """Draw changes as bars on both sides of zero, in the order of the rows."""
    if not rows:
        return None
    bars = _chart(rows).encode(
        alt.X(f"{value}:Q", title="variação do dia", axis=alt.Axis(format=".1~%", tickCount=5)),
        alt.Y(f"{name}:N", title=None, sort=None),
        color=alt.condition(f"datum['{value}'] >= 0", alt.value(UP), alt.value(DOWN)),
        tooltip=[alt.Tooltip(f"{name}:N"), alt.Tooltip(f"{value}:Q", format="+.2%"), *hints],
    )
    return _spec(bars.mark_bar(cornerRadiusEnd=2), title, height=BAR_STEP * len(rows) + AXIS)


def _chart(rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=[dict(row) for row in rows]))


def _spec(chart: alt.Chart, title: str, height: int) -> dict[str, Any]:
    """Return the specification of a chart that fills its container's width; screen readers get `title`."""
    made: dict[str, Any] = chart.properties(width="container", height=height, description=title).to_dict()
    return made
