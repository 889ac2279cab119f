"""Take the screenshot of the report for the READMEs.

Run ``make up``, then ``.venv/bin/python docs/picture.py``. Chromium must be installed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).resolve().parent
REPORT = DOCS.parent / ".local" / "up" / "report.html"
PICTURE = DOCS / "report.png"


def main() -> None:
    """Write the picture."""
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=shutil.which("chromium")) as browser,
    ):
        tab = browser.new_page(viewport={"width": 1200, "height": 1010}, color_scheme="light")
        tab.goto(REPORT.as_uri())
        tab.locator("#chart-series svg").wait_for()
        tab.screenshot(path=PICTURE)


if __name__ == "__main__":
    main()
