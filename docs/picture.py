"""Take the picture of the report that the READMEs show: ``python docs/picture.py``, with chromium installed.

The data is made up: the assets of the sample site, without assets whose names test parsers.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "lambda" / "src")]

from report.page import page  # noqa: E402
from report.snapshot import Row, Snapshot  # noqa: E402
from sandbox.site import make_assets  # noqa: E402

PICTURE = ROOT / "docs" / "report.png"
DAY = 20261123
FOLLOWED = ("HGLG11", "ITUB4", "PETR4", "VALE3", "XPML11")


def snapshot() -> Snapshot:
    """Return a day of made-up assets, with series of half a year."""
    more = {"anomesdia_exec": DAY, "datetime_exec": datetime(2026, 11, 23, 18, 52)}
    rng = Random(1)  # noqa: S311 - no secret
    rows: dict[str, list[Row]] = {"acoes": [], "fiis": []}
    for asset in make_assets(DAY, acoes=500, fiis=220):
        if asset.variety not in ("text", "label", "sparse", "huge"):
            row = asset.expected_sot(DAY) | more
            if row["pct_var_dia"] is not None:
                row["pct_var_dia"] = round(rng.gauss(0.001, 0.018), 4)
            rows[asset.kind].append(row)
    verdict = {"anomesdia_exec": DAY, "medida": "dia", "situacao": "ok", "motivo": None}
    return Snapshot(rows["acoes"], rows["fiis"], [verdict], series())


def series() -> list[Row]:
    """Return prices of a random walk, the same for each run."""
    rng = Random(0)  # noqa: S311 - no secret
    prices = dict.fromkeys(FOLLOWED, 100.0)
    made: list[Row] = []
    for back in range(182, -1, -1):
        session = date(2026, 11, 23) - timedelta(days=back)
        if session.weekday() < 5:
            for ticker in FOLLOWED:
                prices[ticker] *= 1 + rng.gauss(0.0005, 0.013)
                made.append({"codigo_ticker_ativo": ticker, "dt_ult_cot": session, "vlr_cot": prices[ticker]})
    return made


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        file = Path(directory) / "report.html"
        file.write_text(page(snapshot()), encoding="utf-8")
        with playwright.chromium.launch(executable_path=shutil.which("chromium")) as browser:
            tab = browser.new_page(viewport={"width": 1200, "height": 1010}, color_scheme="light")
            tab.goto(file.as_uri())
            tab.locator("#chart-series svg").wait_for()
            tab.screenshot(path=PICTURE)


if __name__ == "__main__":
    main()
