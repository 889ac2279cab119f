"""In a browser without a network, the page is readable on desktop and phone, in light and dark."""

from __future__ import annotations

import csv
import functools
import io
import math
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from report import numbers
from report.history import SERIES, AssetHistory
from report.html_page import page
from report.indicators import Indicator, indicators_of
from report.screens import SETTINGS, numbers_of
from report.snapshot import ListedAsset, Snapshot
from report_sample import DAY, FOLLOWED, judgement, sample
from sandbox.site import make_assets

pytestmark = pytest.mark.full

DESK, PHONE = 1280, 390
CHARTS = ["breadth", "rises", "falls", "sectors", "yields", "stocks", "funds", "series"]
READABLE = 4.5
"""The minimum contrast of text in WCAG 2, level AA."""
DRAWN = "() => [...document.querySelectorAll('.chart')].every((place) => place.querySelector('svg.marks'))"
CONTRASTS = """() => {
  const channel = (value) => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((one) => channel(one / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/^rgba\\(.*, 0\\)$/.test(colour)) return colour;
    }
  };
  const found = {};
  for (const element of document.querySelectorAll("body *:not(script):not(style)")) {
    const written = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!written || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const ink = element instanceof SVGElement ? style.fill : style.color;
    const [one, other] = [light(ink), light(ground(element))].sort((a, b) => b - a);
    found[`${element.nodeName} ${element.textContent.slice(0, 40)} ${ink}`] = (one + 0.05) / (other + 0.05);
  }
  return found;
}"""
SMALL = """() => [...document.querySelectorAll("body *")]
  .filter((element) => element.checkVisibility() && parseFloat(getComputedStyle(element).fontSize) < 11)
  .map((element) => element.outerHTML.slice(0, 200))"""
CUT_OFF = """() => [...document.querySelectorAll('.chart svg text')].filter((text) => {
  if (!text.textContent.trim() || !text.checkVisibility({ opacityProperty: true })) return false;
  const [inner, outer] = [text, text.closest('.chart')].map((one) => one.getBoundingClientRect());
  return inner.left < outer.left || inner.right > outer.right + 1 || inner.bottom > outer.bottom + 1;
}).map((text) => text.textContent)"""
SHOWN = """() => [...document.querySelectorAll('#papers tbody tr')]
  .filter((row) => !row.hidden)
  .map((row) => [...row.cells].map((cell) => cell.textContent))"""
TICKERS = f"() => ({SHOWN})().map((cells) => cells[0])"
QUERIES = Path(__file__).resolve().parents[3] / "athena" / "queries"


@functools.cache
def many() -> Snapshot:
    """Return a snapshot with more assets than fit in a browser window."""
    more = {"anomesdia_exec": DAY, "datetime_exec": datetime(2026, 11, 23, 18, 50)}
    samples = make_assets(DAY, acoes=300, fiis=150)
    stocks, funds = (
        [asset.expected_sot(DAY) | more for asset in samples if asset.kind == kind]
        for kind in ("acoes", "fiis")
    )
    return Snapshot(stocks, funds, judgement(DAY, "ok"), histories_of(stocks, funds), {20261117: "falha"})


@functools.cache
def assets() -> dict[str, ListedAsset]:
    return {asset.ticker: asset for asset in many().assets()}


def histories_of(*rows: list[dict[str, Any]]) -> list[AssetHistory]:
    """Return histories of at most eight sessions. Some random values are null. PETR4 has a split."""
    rng = Random(0)  # noqa: S311 - no secret
    days = [date(2026, 11, day) for day in (11, 12, 13, 16, 17, 18, 19, 23)]
    found = []
    for kind in rows:
        ticker = next(iter(kind[0]))
        for row in kind:
            is_whole = row[ticker] in ("PETR4", "HGLG11")
            sessions = [day for day in days if is_whole or rng.random() < 0.9]
            values: dict[str, list[float | None]] = {
                name: [rng.choice([None, 1.5, -2.25, round(rng.gauss(9, 3), 2)]) for _ in sessions]
                for name in SERIES[ticker]
            }
            values["vlr_cot"] = [round(rng.uniform(20, 21), 2) for _ in sessions]
            if row[ticker] == "PETR4":
                values["vlr_cot"][:4] = [40.4, 40.5, 40.6, 41.0]
            shares = [100.0 if day.day < 17 and row[ticker] == "PETR4" else 200.0 for day in sessions]
            found.append(AssetHistory(row[ticker], sessions, values, shares))
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    assert executable, "install chromium"
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=executable) as browser:
        yield browser


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write one page per case (for example, an empty lake), and return the files by name."""
    directory = tmp_path_factory.mktemp("pages")
    snapshots = {
        "whole": sample(quality=judgement(DAY, "aviso", "faltam 3 papéis")),
        "one": sample(sessions=(DAY,)),
        "refused": Snapshot(quality=judgement(DAY, "falha", "O site recusou a listagem.")),
        "empty": Snapshot(),
        "many": many(),
    }
    for name, snapshot in snapshots.items():
        (directory / f"{name}.html").write_text(page(snapshot, FOLLOWED), encoding="utf-8")
    return {name: directory / f"{name}.html" for name in snapshots}


Opener = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, files: dict[str, Path]) -> Iterator[Opener]:
    """Return a function that opens a page and waits until its charts are drawn.

    The test fails if a page writes an error or a warning, or asks for anything except its own file.
    """
    pages: list[Page] = []
    complaints: list[str] = []
    asked_for: set[str] = set()

    def open_page(name: str = "many", fragment: str = "", width: int = DESK, scheme: str = "light") -> Page:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(page)
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked_for.add(request.url))
        page.goto(files[name].as_uri() + fragment)
        page.wait_for_function(DRAWN)
        return page

    yield open_page
    for one in pages:
        one.close()
    assert complaints == []
    assert asked_for <= {file.as_uri() for file in files.values()}


def check_readable(page: Page) -> None:
    """Check that no text is cut off, small, or of low contrast."""
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate(SMALL) == []
    assert {what: ratio for what, ratio in page.evaluate(CONTRASTS).items() if ratio < READABLE} == {}


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("whole", DESK, "light"),
        ("whole", PHONE, "dark"),
        ("one", PHONE, "dark"),
        ("empty", PHONE, "light"),
        ("refused", 360, "dark"),
    ],
)
def test_it_is_drawn_and_readable_and_makes_no_requests(
    opened: Opener, name: str, width: int, scheme: str
) -> None:
    page = opened(name, width=width, scheme=scheme)

    places = page.locator(".chart").all()
    expected = {"whole": CHARTS, "one": CHARTS[:-1], "empty": [], "refused": []}[name]
    assert [place.get_attribute("id") for place in places] == [f"chart-{chart}" for chart in expected]
    for place in places:
        drawn = place.locator("svg .mark-rect path, svg .mark-symbol path, svg .mark-line path")
        boxes = [box for mark in drawn.all() if (box := mark.bounding_box())]
        assert any(box["width"] > 1 and box["height"] > 1 for box in boxes)
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
        assert place.get_attribute("aria-label")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    check_readable(page)


def test_light_and_dark_differ_and_a_page_follows_a_change(opened: Opener) -> None:
    page = opened("whole")
    colours = """() => [
      getComputedStyle(document.body).backgroundColor,
      getComputedStyle(document.querySelector('#chart-rises .mark-rect path')).fill,
    ]"""
    ground, bar = page.evaluate(colours)

    page.emulate_media(color_scheme="dark")

    dark_ground, dark_bar = page.evaluate(colours)
    assert ground != dark_ground
    assert bar != dark_bar


def test_the_table_is_filtered_by_words_kind_group_and_volume(opened: Opener) -> None:
    page = opened()
    every = page.evaluate(TICKERS)
    assert set(every) == set(assets())
    words, kind = page.get_by_label("Filtrar por"), page.get_by_label("Tipo", exact=True)

    words.fill("petroleo petr4")  # without the accent
    assert page.evaluate(TICKERS) == ["PETR4"]
    expect(page.get_by_role("status")).to_have_text(f"1 de {len(every)} ativos")
    words.fill("petr4 vale3")
    assert set(page.evaluate(TICKERS)) == {"PETR4", "VALE3"}
    words.fill("petr vale3")
    assert set(page.evaluate(TICKERS)) == {name for name in assets() if name.startswith("PETR")} | {"VALE3"}
    words.fill("nada que exista")
    assert page.evaluate(TICKERS) == []
    words.fill("")

    kind.select_option("fiis")
    assert set(page.evaluate(TICKERS)) == {name for name, asset in assets().items() if asset.is_fund}
    kind.select_option("")
    group = next(asset.group for asset in assets().values() if asset.group)
    page.get_by_label("Setor ou segmento", exact=True).select_option(group)
    assert set(page.evaluate(TICKERS)) == {name for name, asset in assets().items() if asset.group == group}
    page.get_by_role("button", name="Limpar filtros").click()
    page.get_by_label("só líquidos").check()
    assert set(page.evaluate(TICKERS)) == {name for name, asset in assets().items() if asset.is_liquid}


@pytest.mark.parametrize(
    ("typed", "address", "limits"),
    [
        (
            {"P/L, mínimo": "0", "P/L, máximo": "10", "Yield, mínimo": "6"},
            "yield=6..&pl=0..10",
            {"vlr_ind_p_sobre_l": (0, 10), "vlr_ind_div_yield": (6, math.inf)},
        ),
        (
            {"12 meses, mínimo": "−2,5%", "12 meses, máximo": "40,43"},
            "12m=-2.5..40.43",
            {"pct_var_12m": (-0.025, 0.4043)},
        ),
        ({"Valor de mercado, mínimo": "1,5 bi"}, "mercado=1500000000..", {"vlr_mercado": (1.5e9, math.inf)}),
        (
            {"Volume, mínimo": "1.000.000", "Vacância, máximo": "10"},
            "volume=1000000..&vacancia=..10",
            {"vol_med_neg_2m": (1_000_000, math.inf), "vlr_vacancia_media": (-math.inf, 10)},
        ),
        (
            {"Dív. líq./PL, mínimo": "0.125"},
            "dlpl=0.125..",
            {"vlr_ind_divida_liq_sobre_patrim": (0.125, math.inf)},
        ),
    ],
    ids=["two numbers", "percent", "billions", "one limit each", "a decimal point"],
)
def test_limits_show_the_same_assets_as_python_and_the_address_restores_them(
    opened: Opener, typed: dict[str, str], address: str, limits: dict[str, tuple[float, float]]
) -> None:
    def fits(row: Mapping[str, Any]) -> bool:
        return all(
            row.get(name) is not None and low <= row[name] <= high for name, (low, high) in limits.items()
        )

    expected = {ticker for ticker, asset in assets().items() if fits(asset.row)}
    page = opened()
    page.get_by_text("Colunas, mínimos e máximos").click()

    for label, text in typed.items():
        page.get_by_label(label, exact=True).fill(text)

    assert 0 < len(expected) < len(assets())
    assert set(page.evaluate(TICKERS)) == expected
    assert page.evaluate("location.hash") == f"#{address}"
    another = opened(fragment=f"#{address}")
    assert another.evaluate(TICKERS) == page.evaluate(TICKERS)
    assert another.evaluate("location.hash") == f"#{address}"


def test_an_address_may_have_decimal_commas(opened: Opener) -> None:
    found = opened(fragment="#dlpl=0,125..1,5").evaluate(TICKERS)

    assert 0 < len(found) < len(assets())
    assert found == opened(fragment="#dlpl=0.125..1.5").evaluate(TICKERS)


@pytest.mark.parametrize("text", ["dez", "1,234.5"])
def test_an_invalid_limit_is_marked_and_hides_no_asset(opened: Opener, text: str) -> None:
    page = opened()
    page.get_by_text("Colunas, mínimos e máximos").click()
    field = page.get_by_label("P/L, mínimo", exact=True)

    field.fill(text)

    expect(field).to_have_attribute("aria-invalid", "")
    assert len(page.evaluate(TICKERS)) == len(assets())


@pytest.mark.parametrize("preset", SETTINGS["presets"], ids=lambda preset: preset["title"])
def test_a_screen_shows_the_assets_of_the_saved_query(opened: Opener, preset: dict[str, str]) -> None:
    page = opened()
    button = page.get_by_role("button", name=preset["title"], exact=True)

    button.click()

    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#formula")).to_have_text(preset["formula"])
    found, expected = page.evaluate(TICKERS), answer_of(preset["query"])
    assert found
    if preset["query"] == "menores-p-vp-por-setor":
        # The browser and the database sort accented letters differently.
        assert by_sector(found) == by_sector(expected)
    else:
        assert found == expected
    another = opened(fragment=f"#{preset['screen']}")
    assert another.evaluate(TICKERS) == found
    button.click()
    assert page.evaluate("location.hash") == ""
    assert len(page.evaluate(TICKERS)) == len(assets())


def by_sector(tickers: list[str]) -> dict[str | None, list[str]]:
    """Group the tickers by sector, and keep their order."""
    sectors = [assets()[ticker].group for ticker in tickers]
    return {group: [one for one in tickers if assets()[one].group == group] for group in sectors}


def answer_of(query: str | None) -> list[str]:
    """Return the tickers that a saved query finds. If `query` is None, return the funds below book value."""
    snapshot = many()
    if query is None:
        ratio = {
            asset.ticker: asset.price_to_book
            for asset in snapshot.assets()
            if asset.is_fund and asset.is_liquid and 0 < (asset.price_to_book or 0) < 1
        }
        return sorted(ratio, key=lambda ticker: (ratio[ticker], ticker))
    relations = {
        "vw_acoes_ultimo_dia": snapshot.stocks,
        "vw_fiis_ultimo_dia": snapshot.funds,
        "vw_ativos_negociados": [{"codigo_ticker_ativo": asset.ticker} for asset in snapshot.assets()],
    }
    lake = duckdb.connect()
    for name, rows in relations.items():
        lake.register(name, pa.Table.from_pylist([dict(row) for row in rows]))
    text = (QUERIES / f"{query}.sql").read_text("utf-8")
    for name in relations:
        text = text.replace(f"${{{name}}}", name)
    answer = lake.execute(text).df()
    return answer["papel" if "papel" in answer else "nome_papel"].tolist()


def test_the_shown_rows_are_downloaded_as_a_sheet(opened: Opener, tmp_path: Path) -> None:
    page = opened(fragment="#tipo=acoes&ordem=roe&colunas=dia,roe,mercado")

    with page.expect_download() as download:
        page.get_by_role("button", name="Baixar em CSV").click()
    download.value.save_as(tmp_path / "ativos.csv")

    text = (tmp_path / "ativos.csv").read_bytes().decode("utf-8-sig")
    head, *lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    assert head == ["Ativo", "Nome", "Setor ou segmento", "Dia (%)", "ROE (%)", "Valor de mercado"]
    assert [line[0] for line in lines] == page.evaluate(TICKERS)
    for ticker, name, _, day, equity, worth in lines:
        row = assets()[ticker].row
        assert name.removeprefix("'") == (row["nome_empresa"] or "").strip()
        for cell, value in (
            (day, row["pct_var_dia"] and 100 * row["pct_var_dia"]),
            (equity, row["vlr_ind_roe"]),
            (worth, row["vlr_mercado"]),
        ):
            assert (float(cell.replace(",", ".")) if cell else None) == pytest.approx(value)


def test_the_readers_own_list_filters_the_assets_and_is_kept_in_address_and_browser(
    opened: Opener,
) -> None:
    page = opened(fragment="#lista=petr4,HGLG11,XXXX3")

    assert set(page.evaluate(TICKERS)) == {"PETR4", "HGLG11"}
    expect(page.get_by_role("status")).to_contain_text("não estão nesta página: XXXX3")
    file = page.url.partition("#")[0]
    page.goto("about:blank")
    page.goto(file)
    expect(page.get_by_role("textbox", name="Minha lista")).to_have_value("PETR4, HGLG11, XXXX3")
    assert len(page.evaluate(TICKERS)) == len(assets())
    page.get_by_label("só a minha lista").check()
    page.get_by_role("textbox", name="Minha lista").fill("vale3 itub4")
    assert set(page.evaluate(TICKERS)) == {"VALE3", "ITUB4"}
    assert page.evaluate("location.hash") == "#lista=VALE3,ITUB4"


def test_every_column_can_be_chosen_and_has_the_format_of_python(opened: Opener) -> None:
    columns = numbers_of(many().assets())
    address = "#colunas=" + ",".join(column.key for column in columns)

    page = opened(fragment=address)

    heads = page.locator("#papers thead th")
    assert heads.all_text_contents()[3:] == [column.title for column in columns]
    shown = {row[0]: row[3:] for row in page.evaluate(SHOWN)}
    for place, asset in enumerate(many().assets()):
        assert shown[asset.ticker] == [
            getattr(numbers, column.shown)(values[place]) for column, values in columns.items()
        ]
    page.get_by_text("Colunas, mínimos e máximos").click()
    page.get_by_role("checkbox", name="ROIC").uncheck()
    assert "roic" not in page.evaluate("location.hash")
    expect(heads.filter(has_text="ROIC")).to_have_count(0)


@pytest.mark.parametrize("width", [360, DESK])
def test_the_sorted_column_is_visible_and_a_hint_says_that_there_is_more(opened: Opener, width: int) -> None:
    page = opened(width=width, fragment="#ordem=-roe&colunas=mes,roe,mercado,max52,lpa,psr,ano")
    place = page.locator("#papers")
    sorted_by = page.locator("#papers thead th[aria-sort]")
    hint = page.locator("p.more:has(+ #papers)")
    expect(sorted_by).to_have_text("ROE")

    for left in (0, 10_000):
        place.evaluate("(place, left) => { place.scrollLeft = left; }", left)
        outer, inner = place.bounding_box(), sorted_by.bounding_box()
        assert outer and inner
        assert inner["x"] >= outer["x"]
        assert inner["x"] + inner["width"] <= outer["x"] + outer["width"] + 1
        if width < DESK:
            expect(hint).to_be_visible(visible=left == 0)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_heading_sorts_the_table_with_missing_values_last(opened: Opener) -> None:
    page = opened()
    rows = {ticker: asset.row for ticker, asset in assets().items()}
    for title, columns, directions in (
        ("ROE", ("vlr_ind_roe",), ("descending", "ascending")),
        ("P/VP", ("vlr_ind_p_sobre_vp", "vlr_p_sobre_vp"), ("ascending", "descending")),
    ):
        heading = page.locator("#papers thead th", has_text=title)
        for direction in directions:
            heading.get_by_role("button").press("Enter")

            expect(heading).to_have_attribute("aria-sort", direction)
            expect(heading.get_by_role("button")).to_be_focused()
            expect(page.locator("#papers [aria-sort]")).to_have_count(1)
            found = [
                next((rows[ticker][name] for name in columns if name in rows[ticker]), None)
                for ticker in page.evaluate(TICKERS)
            ]
            present = [value for value in found if value is not None]
            assert present == sorted(present, reverse=direction == "descending")
            assert 0 < len(present) < len(found)
            assert set(found[len(present) :]) == {None}

    page.locator("#papers thead th").first.get_by_role("button").press("Enter")
    tickers = page.evaluate(TICKERS)
    assert tickers == sorted(tickers)


def test_the_comparison_of_sectors_and_segments_is_visible(opened: Opener) -> None:
    page = opened()

    for name in ("Setor em tabela", "Segmento em tabela"):
        expect(page.get_by_role("region", name=name)).to_be_visible()


def test_a_point_names_its_asset(opened: Opener) -> None:
    page = opened("whole")
    point = page.locator("#chart-stocks .mark-symbol path").first
    point.scroll_into_view_if_needed()

    point.hover(force=True)

    expect(page.locator("#vg-tooltip-element:visible")).to_contain_text("P/VP")


FILLED = "() => document.getElementById('panel').dataset.filled === state.asset"
PANEL = """() => [...document.querySelectorAll('#panel-rows tr')].filter((row) => row.cells.length > 1)
  .map((row) => [row.querySelector('summary'), ...[...row.cells].slice(1)].map((cell) => cell.textContent))"""
SERIES_OF_ALL = """async () => {
  const data = await panelData();
  const found = {};
  for (const kind of [data.acoes, data.fiis]) {
    kind.tickers.forEach((ticker, place) => {
      const series = kind.history[place].map((text) => seriesOf(text, data.sessions));
      found[ticker] = Object.fromEntries(kind.series.map((name, nth) => [name, series[nth]]));
    });
  }
  return [data.sessions, found];
}"""
CLIPPED = """() => {
  const panel = document.getElementById("panel");
  const edge = panel.getBoundingClientRect();
  return [...panel.querySelectorAll("*")]
    .filter((one) => one.checkVisibility() && one.textContent.trim() && !one.closest(".scroll, .vg-tooltip"))
    .filter((one) => {
      const box = one.getBoundingClientRect();
      return box.right > edge.right + 1 || box.left < edge.left - 1;
    })
    .map((one) => one.outerHTML.slice(0, 200));
}"""


def panel(opened: Opener, fragment: str, **options: Any) -> Page:
    """Open a page with an asset's panel and wait until the panel is filled and drawn."""
    page = opened(fragment=fragment, **options)
    filled(page)
    return page


def filled(page: Page) -> None:
    page.wait_for_function(FILLED)
    page.wait_for_function(DRAWN)


def shown(indicator: Indicator, value: Any) -> str:
    """Return a value as the panel should show it."""
    if value is None:
        return "–"
    if indicator.shown == "text":
        return str(value)
    if indicator.shown == "day":
        return f"{value:%d/%m/%Y %H:%M}" if isinstance(value, datetime) else f"{value:%d/%m/%Y}"
    return f"{indicator.before}{getattr(numbers, indicator.shown)(value)}{indicator.after}"


@pytest.mark.parametrize("ticker", ["PETR4", "ITUB4", "HGLG11"])
def test_a_panel_has_every_number_of_its_asset_with_median_and_rank_of_its_group(
    opened: Opener, ticker: str
) -> None:
    page = panel(opened, f"#{ticker}")
    asset = assets()[ticker]
    kind = [one.row for one in assets().values() if one.is_fund == asset.is_fund]
    group = [one.row for one in assets().values() if (one.is_fund, one.group) == (asset.is_fund, asset.group)]
    expected = []
    for one in indicators_of("fii" if asset.is_fund else "nome_papel", kind):
        value = asset.row[one.name]
        if one.shown in ("text", "day"):
            expected.append([one.title, shown(one, value)])
            continue
        values = [row[one.name] for row in group if row[one.name] is not None]
        place = 1 + sum(other > value for other in values) if value is not None else 0
        rank = f"{place}º de {len(values)}" if place and len(values) > 1 else "–"
        if values:
            expected.append([one.title, shown(one, value), shown(one, median(values)), rank])

    found = page.evaluate(PANEL)

    assert len(group) > 2
    assert [row for row in found if row[-1] != "–"] == [row for row in expected if row[-1] != "–"]
    assert [row for row in found if row not in expected] == []
    expect(page.get_by_role("heading", name=ticker, exact=True)).to_be_visible()
    what = "segmento" if asset.is_fund else "setor"
    expect(page.locator("#panel-compared")).to_contain_text(f"{what} {asset.group}")


def test_a_name_in_a_panel_shows_its_definition(opened: Opener) -> None:
    page = panel(opened, "#PETR4")
    row = page.locator("#panel-rows tr", has=page.locator("summary", has_text="ROE"))
    meant = row.get_by_text("Retorno sobre o patrimônio líquido (ROE)")
    expect(meant).to_be_hidden()

    row.locator("summary").press("Enter")

    expect(meant).to_be_visible()


def test_the_page_has_the_history_of_the_lake(opened: Opener) -> None:
    page = opened()

    sessions, found = page.evaluate(SERIES_OF_ALL)

    assert len(sessions) == 8
    assert found.keys() == assets().keys()
    for history in many().histories:
        if history.ticker in assets():
            for name, values in history.values.items():
                expected = dict(zip((day.isoformat() for day in history.sessions), values, strict=True))
                assert dict(zip(sessions, found[history.ticker][name], strict=True)) == {
                    day: expected.get(day) for day in sessions
                }


def test_a_panel_opens_and_closes_with_the_keyboard_and_keeps_the_screen(opened: Opener) -> None:
    page = opened(fragment="#tipo=acoes&ordem=ativo")
    active = "document.activeElement.id || document.activeElement.textContent"
    before = page.evaluate(TICKERS)
    page.locator("#papers tbody a", has_text="PETR4").press("Enter")
    filled(page)

    assert page.evaluate("location.hash") == "#PETR4&tipo=acoes&ordem=ativo"
    assert page.evaluate(active) == "panel-title"
    for _ in range(40):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.matches('body, #panel *')")
    page.keyboard.press("Escape")

    page.locator("#panel").wait_for(state="hidden")
    assert page.evaluate("location.hash") == "#tipo=acoes&ordem=ativo"
    assert page.evaluate(active) == "PETR4"
    assert page.evaluate(TICKERS) == before


def test_the_browsers_back_button_closes_a_panel(opened: Opener) -> None:
    page = opened(fragment="#liquidos=1")
    page.locator("#papers tbody tr:visible a").first.click()
    filled(page)

    page.go_back()

    page.locator("#panel").wait_for(state="hidden")
    assert page.evaluate("location.hash") == "#liquidos=1"


@pytest.mark.parametrize("place", ["#chart-rises .mark-rect path", "#chart-stocks .mark-symbol path"])
def test_a_mark_of_a_chart_opens_the_panel_of_its_asset(opened: Opener, place: str) -> None:
    page = opened()

    page.locator(place).first.click(force=True)

    filled(page)
    expect(page.locator("#panel-title")).to_have_text(page.evaluate("location.hash.slice(1)"))


def test_the_reader_picks_series_and_the_address_keeps_them(opened: Opener) -> None:
    page = panel(opened, "#petr4")
    drawn = "() => [...document.querySelectorAll('#panel-charts h4')].map((one) => one.textContent)"
    assert page.evaluate(drawn) == ["Cotação, em reais", "P/L, em vezes", "Yield, %"]

    page.get_by_role("checkbox", name="P/L").uncheck()
    page.get_by_role("group", name="Indicadores do histórico").get_by_label("ROE").check()
    page.wait_for_function(DRAWN)

    assert page.evaluate(drawn) == ["Cotação, em reais", "Yield, %", "ROE, %"]
    assert page.evaluate("location.hash") == "#PETR4&grafico=yield,roe"
    another = panel(opened, page.evaluate("location.hash"))
    assert another.evaluate(drawn) == page.evaluate(drawn)


def test_a_history_marks_bad_days_and_a_possible_split_and_says_that_prices_are_not_adjusted(
    opened: Opener,
) -> None:
    page = panel(opened, "#PETR4")

    expect(page.locator("#panel-bad")).to_contain_text("falha em 17/11/2026")
    expect(page.locator("#panel-history-note")).to_contain_text("não ajustadas por desdobramentos")
    expect(page.locator("#panel-splits li")).to_contain_text(
        "Possível desdobramento em 17/11/2026: número de ações × 2,00, cotação ÷ "
    )
    rules = page.locator("#panel-charts figure").first.locator(".mark-rule.role-mark line[stroke^='var']")
    assert {one.get_attribute("stroke") for one in rules.all()} == {"var(--falha)", "var(--line-4)"}
    page.locator("#panel-charts .chart").first.hover(force=True)
    expect(page.locator("#panel-tooltip", has_text="pregão")).to_be_visible()


def test_the_page_reports_an_asset_that_it_does_not_have(opened: Opener) -> None:
    page = opened(fragment="#XXXX3")

    expect(page.get_by_text("Este ativo não está nesta página")).to_be_visible()
    page.get_by_role("button", name="Fechar").click()
    assert page.evaluate("location.hash") == ""


@pytest.mark.parametrize(
    ("ticker", "width", "scheme"),
    [("PETR4", 360, "light"), ("HGLG11", PHONE, "dark"), ("ITUB4", 1600, "light")],
)
def test_nothing_of_a_panel_is_clipped_or_hard_to_read(
    opened: Opener, ticker: str, width: int, scheme: str
) -> None:
    every = ",".join(("pl", "pvp", "yield", "roe", "mbruta", "mebit", "mliquida", "vacancia"))
    page = panel(opened, f"#{ticker}&grafico={every}", width=width, scheme=scheme)
    for summary in page.locator("#panel summary").all():
        summary.click()

    assert page.locator("#panel").evaluate("(panel) => panel.scrollWidth - panel.clientWidth") <= 0
    assert page.evaluate(CLIPPED) == []
    check_readable(page)


def test_the_readers_own_list_has_a_section_at_the_top(opened: Opener) -> None:
    page = opened(fragment="#lista=PETR4,HGLG11,XXXX3")
    own = page.get_by_role("region", name="Minha lista", exact=True)
    listed = own.locator("tbody th")
    prices = [numbers.decimal(assets()[ticker].price) for ticker in ("PETR4", "HGLG11")]

    assert listed.all_text_contents() == ["PETR4", "HGLG11"]
    assert own.locator("tbody td:nth-child(3)").all_text_contents() == prices
    expect(own).to_contain_text("Não estão nesta página: XXXX3")
    top, next_section = (page.locator(one).bounding_box() for one in ("#own", "#market"))
    assert top and next_section
    assert top["y"] < next_section["y"]

    listed.get_by_role("link", name="PETR4").click()
    filled(page)
    page.get_by_role("button", name="Tirar da minha lista").click()
    page.keyboard.press("Escape")
    assert listed.all_text_contents() == ["HGLG11"]
    assert page.evaluate("location.hash") == "#lista=HGLG11,XXXX3"
    page.get_by_role("textbox", name="Minha lista").fill("")
    expect(own).to_be_hidden()


def test_the_sort_order_explains_its_column(opened: Opener) -> None:
    page = opened()

    page.locator("#papers thead th", has_text="ROE").get_by_role("button").click()

    expect(page.locator("#meaning")).to_contain_text("Em ordem de ROE: Retorno sobre o patrimônio")


def test_a_scatter_names_points_of_interest_and_distinguishes_its_groups(opened: Opener) -> None:
    page = opened()
    for funds, chart in ((False, "#chart-stocks"), (True, "#chart-funds")):
        inside = {*page.locator(f"{chart} .mark-text.role-mark text").all_text_contents()} - {""}
        legend = page.locator(f"{chart} .role-legend-label text").all_text_contents()
        symbols = page.locator(f"{chart} .role-legend-symbol path").all()

        assert len(inside) > 4
        assert inside <= {ticker for ticker, asset in assets().items() if asset.is_fund == funds}
        assert legend[-1] == "outros"
        assert 2 < len(legend) <= 8
        assert len({symbol.get_attribute("fill") for symbol in symbols}) == len(legend)
        points, (frame, *_) = (
            [one.bounding_box() for one in page.locator(f"{chart} {place}").all()]
            for place in (".mark-symbol.role-mark path", ".background")
        )
        for at, size in (("x", "width"), ("y", "height")):
            places = [point[at] + point[size] / 2 for point in points]
            assert max(places) - min(places) > 0.8 * frame[size]
