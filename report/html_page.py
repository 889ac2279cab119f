"""The report as a single self-contained page: it includes styles, scripts, charts and rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from report import figures, numbers
from report.advice import advice
from report.indicators import indicators_of, meaning
from report.panel import panel_data
from report.screens import ShownColumn, numbers_of, presets
from report.snapshot import PARTITION_KEY, Row, Snapshot

_HERE = Path(__file__).resolve().parent
_SITUATIONS = {"ok": "Dia ok", "aviso": "Dia com avisos", "falha": "Dia com falha"}


@dataclass(frozen=True)
class DayVerdict:
    """The verdict of a day: ``ok``, ``aviso`` or ``falha``, with reasons and advice."""

    day: int
    situation: str
    reasons: Sequence[str]
    advice: Sequence[str]

    @property
    def title(self) -> str:
        """Return the verdict in words."""
        return _SITUATIONS.get(self.situation, self.situation)


def verdicts(quality: Sequence[Row]) -> list[DayVerdict]:
    """Return a verdict for each judged day, newest day first. In a verdict's reasons, failures come first."""
    found = []
    for number, rows in groupby(quality, key=lambda row: row[PARTITION_KEY]):
        measures = list(rows)
        remarks = [row for row in measures if row["medida"] != "dia"]
        remarks.sort(key=lambda row: row["situacao"] != "falha")
        reasons = [row["motivo"] for row in remarks if row.get("motivo")]
        summary = [row["motivo"] for row in measures if row["medida"] == "dia" and row.get("motivo")]
        to_do = advice((row["medida"] for row in remarks), number)
        found += [
            DayVerdict(number, row["situacao"], reasons or summary, to_do)
            for row in measures
            if row["medida"] == "dia"
        ]
    return sorted(found, key=lambda verdict: -verdict.day)


def page(snapshot: Snapshot, followed: Sequence[str] = ()) -> str:
    """Return the report as HTML. If the lake is empty or has a single day, the page says so.

    Parameters
    ----------
    snapshot
        The lake's latest day and the history before it.
    followed
        Tickers whose series the page draws; if empty, the page draws the most traded assets.
    """
    assets = sorted(snapshot.assets(), key=lambda asset: (-(asset.volume or 0), asset.ticker))
    stocks = [asset for asset in assets if not asset.is_fund]
    funds = [asset for asset in assets if asset.is_fund]
    drawn_tickers = followed or figures.followed(assets)
    sectors, segments = figures.groups(stocks), figures.groups(funds)
    charts = {
        "breadth": figures.breadth_chart(assets),
        "rises": figures.moves_chart(assets, rose=True),
        "falls": figures.moves_chart(assets, rose=False),
        "sectors": figures.groups_chart(sectors, "setor"),
        "yields": figures.yields_chart(segments),
        "stocks": figures.scatter_chart(assets, funds=False),
        "funds": figures.scatter_chart(assets, funds=True),
        "series": figures.series_chart(one for one in snapshot.histories if one.ticker in drawn_tickers),
    }
    columns = numbers_of(assets)
    priced = {one.ticker for one in snapshot.histories if any(one.values["vlr_cot"])}
    of_session = figures.of_newest_session(assets)
    judged = verdicts(snapshot.quality)
    drawn = {name: spec for name, spec in charts.items() if spec is not None}
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            snapshot=snapshot,
            later=next((verdict for verdict in judged if verdict.day > (snapshot.day or 0)), None),
            verdict=next((verdict for verdict in judged if verdict.day == snapshot.day), None),
            verdicts=judged,
            session=figures.newest_session(assets),
            breadths={
                name: figures.breadth(asset for asset in of_session if asset.is_fund == is_fund)
                for is_fund, name in figures.KINDS.items()
            },
            rises=figures.largest_moves(assets, rose=True),
            falls=figures.largest_moves(assets, rose=False),
            assets=assets,
            columns=[column for column in columns if column.is_default],
            every_column=list(columns),
            numbers=columns,
            table=[
                {
                    "key": column.key,
                    "title": column.title,
                    "hint": column.hint,
                    "meaning": meaning(column),
                    "shown": column.shown,
                    "low": column.is_low_better,
                    "default": column.is_default,
                    "values": values,
                }
                for column, values in columns.items()
            ],
            groups={
                "Setores de ações": sorted(group.name for group in sectors),
                "Segmentos de fundos": sorted(group.name for group in segments),
            },
            dictionary={
                "ações": indicators_of("nome_papel", [asset.row for asset in stocks]),
                "fundos imobiliários": indicators_of("fii", [asset.row for asset in funds]),
            },
            presets=presets(columns),
            followed=drawn_tickers,
            absent=[ticker for ticker in drawn_tickers if ticker not in priced],
            older=[
                (what, rows[0][PARTITION_KEY])
                for what, rows in {"As ações": snapshot.stocks, "Os fundos": snapshot.funds}.items()
                if rows and rows[0][PARTITION_KEY] != snapshot.day
            ],
            silent=len(snapshot.stocks) + len(snapshot.funds) - len(assets),
            sectors=sectors,
            segments=segments,
            charts=drawn,
            config=figures.CONFIG,
            number_locale=vl_convert.get_format_locale("pt-BR"),
            time_locale=vl_convert.get_time_format_locale("pt-BR"),
            library=_library() if assets else "",
            panel=panel_data(snapshot, assets) if assets else "",
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "decimal": numbers.decimal,
        "change": numbers.change,
        "points": numbers.points,
        "day": numbers.day,
        "shown": _shown,
        "direction": _direction,
    }
    return environment


def _shown(value: float | None, column: ShownColumn) -> str:
    write: Any = getattr(numbers, column.shown)
    return str(write(value))


def _direction(fraction: float | None) -> str:
    return "" if not fraction else "up" if fraction > 0 else "down"


@cache
def _library() -> Markup:
    """Return the chart library's script, ready for a page."""
    release = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    script = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=release)
    return Markup(script.replace("</script", r"<\/script"))  # noqa: S704 - code of a library
