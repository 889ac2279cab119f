"""The page in a browser: drawn, readable on a desk and on a phone, in light and dark, without a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from report.page import page
from report.snapshot import Snapshot
from report_sample import DAY, judgement, sample

pytestmark = pytest.mark.full

DESK, PHONE = WIDTHS = 1280, 390
CHARTS = ["breadth", "rises", "falls", "sectors", "yields", "stocks", "funds", "series"]
READABLE = 4.5
"""The contrast that WCAG 2 asks of text, level AA."""
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
SHOWN = """() => [...document.querySelectorAll('#papers tbody tr')]
  .filter((row) => !row.hidden)
  .map((row) => [...row.cells].map((cell) => cell.dataset.v ?? cell.textContent))"""


@dataclass
class Seen:
    """A page that is open in a browser, and what it asked for or complained of."""

    page: Page
    asked_for: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    assert executable, "install chromium"
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=executable) as browser:
        yield browser


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the page of a whole lake, of one with a single session and of an empty one, written once."""
    directory = tmp_path_factory.mktemp("pages")
    snapshots = {
        "whole": sample(quality=judgement(DAY, "aviso", "faltam 3 papéis")),
        "one": sample(sessions=(DAY,)),
        "empty": Snapshot(),
    }
    for name, snapshot in snapshots.items():
        (directory / f"{name}.html").write_text(page(snapshot), encoding="utf-8")
    return {name: directory / f"{name}.html" for name in snapshots}


def opened(browser: Browser, file: Path, width: int = 1280, scheme: str = "light") -> Seen:
    """Open a page and wait until its charts are drawn."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    seen = Seen(context.new_page())

    def complain(message: ConsoleMessage) -> None:
        seen.complaints.append(f"{message.type}: {message.text}")

    seen.page.on("console", complain)
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on("request", lambda request: seen.asked_for.append(request.url))
    seen.page.goto(file.as_uri())
    seen.page.wait_for_function(DRAWN)
    return seen


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        *(("whole", width, scheme) for width in WIDTHS for scheme in ("light", "dark")),
        ("one", PHONE, "dark"),
        ("empty", PHONE, "light"),
    ],
)
def test_it_is_drawn_and_readable_and_asks_for_nothing(
    browser: Browser, files: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    seen = opened(browser, files[name], width, scheme)

    assert seen.complaints == []
    assert seen.asked_for == [files[name].as_uri()]
    places = seen.page.locator(".chart").all()
    expected = {"whole": CHARTS, "one": [chart for chart in CHARTS if chart != "series"], "empty": []}[name]
    assert [place.get_attribute("id") for place in places] == [f"chart-{chart}" for chart in expected]
    for place in places:
        drawn = place.locator("svg .mark-rect path, svg .mark-symbol path, svg .mark-line path")
        boxes = [box for mark in drawn.all() if (box := mark.bounding_box())]
        assert any(box["width"] > 1 and box["height"] > 1 for box in boxes)
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
        assert place.get_attribute("aria-label")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.page.evaluate(SMALL) == []
    assert {what: ratio for what, ratio in seen.page.evaluate(CONTRASTS).items() if ratio < READABLE} == {}
    seen.page.context.close()


def test_light_and_dark_differ_and_a_page_follows_a_change_of_them(
    browser: Browser, files: dict[str, Path]
) -> None:
    page = opened(browser, files["whole"]).page
    ground = "getComputedStyle(document.body).backgroundColor"
    bar = "getComputedStyle(document.querySelector('#chart-rises .mark-rect path')).fill"
    light = page.evaluate(ground), page.evaluate(bar)

    page.emulate_media(color_scheme="dark")

    dark = page.evaluate(ground), page.evaluate(bar)
    assert light[0] != dark[0]
    assert light[1] != dark[1]
    page.context.close()


def test_the_table_is_filtered_by_words_kind_and_volume(browser: Browser, files: dict[str, Path]) -> None:
    page = opened(browser, files["whole"]).page
    every = page.evaluate(SHOWN)

    page.get_by_role("searchbox").fill("petroleo petr4")  # without the accent
    assert [row[0] for row in page.evaluate(SHOWN)] == ["PETR4"]
    assert page.get_by_role("status").text_content() == f"1 de {len(every)} papéis"

    page.get_by_role("searchbox").fill("")
    page.get_by_role("combobox").select_option("fund")
    funds = {row["fii"] for row in sample().funds}
    found = {row[0] for row in page.evaluate(SHOWN)}
    assert found
    assert found <= funds

    page.get_by_role("combobox").select_option("")
    page.get_by_role("checkbox").check()
    assert [row[0] for row in page.evaluate(SHOWN)] == [
        row[0] for row in every if row[11] and float(row[11]) > 1_000_000
    ]
    page.context.close()


def test_the_table_is_sorted_by_a_heading_and_what_is_missing_comes_last(
    browser: Browser, files: dict[str, Path]
) -> None:
    page = opened(browser, files["whole"]).page
    heading = page.locator("#papers thead th", has_text="Yield")

    for direction in ("descending", "ascending"):
        heading.get_by_role("button").click()

        assert heading.get_attribute("aria-sort") == direction
        assert page.locator("#papers [aria-sort]").count() == 1
        cells = [row[8] for row in page.evaluate(SHOWN)]
        present = [float(cell) for cell in cells if cell]
        assert present == sorted(present, reverse=direction == "descending")
        assert 0 < len(present) < len(cells)
        assert not any(cells[len(present) :])

    page.locator("#papers thead th").first.get_by_role("button").press("Enter")
    tickers = [row[0] for row in page.evaluate(SHOWN)]
    assert tickers == sorted(tickers)
    page.context.close()


def test_a_point_says_which_asset_it_is(browser: Browser, files: dict[str, Path]) -> None:
    page = opened(browser, files["whole"]).page
    point = page.locator("#chart-stocks .mark-symbol path").first
    point.scroll_into_view_if_needed()

    point.hover(force=True)

    hint = page.locator("#vg-tooltip-element")
    hint.wait_for(state="visible")
    assert "P/VP" in (hint.text_content() or "")
    page.context.close()
