"""The sample pages give the same rows as commit e386b81, which read the pages with pynvest.

``rows.json`` contains the digests of all rows, and a few complete rows.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from b3.kind import Kind
from fundamentus_site.asset_page import Labels
from fundamentus_site.page import Page
from fundamentus_site.site import FundamentusSite
from pynvest_lake.contract import SOR_ACOES, SOR_FIIS, table_schema
from sandbox.site import make_assets
from sandbox.site.pages import CONTENT_TYPE, detail_page

DAY = 20261123
EVENING = datetime(2026, 11, 23, 21, 50, 7, tzinfo=timezone.utc)
ROWS = Path(__file__).with_name("rows.json")


def rows() -> dict[str, dict[str, Any]]:
    schemas = {Kind.ACOES: table_schema(SOR_ACOES), Kind.FIIS: table_schema(SOR_FIIS)}
    labels = {kind: Labels(schema.labels, schema.core_labels) for kind, schema in schemas.items()}
    site = FundamentusSite("http://site", labels=labels)
    found = {}
    for asset in make_assets(DAY):
        page = Page("http://site/page", 200, CONTENT_TYPE, detail_page(asset), EVENING)
        frame = site.coleta_indicadores_de_ativo(asset.ticker, page=page, kind=Kind(asset.kind), day=DAY)
        found[asset.ticker] = frame.iloc[0].to_dict()
    return found


def digest(row: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:16]


def test_the_rows_of_the_sample_pages_match_the_stored_rows() -> None:
    stored = json.loads(ROWS.read_text(encoding="utf-8"))
    found = rows()

    assert {ticker: found[ticker] for ticker in stored["rows"]} == stored["rows"]
    assert {ticker: digest(row) for ticker, row in found.items()} == stored["digests"]
