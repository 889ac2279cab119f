"""After an evening, the lake has the values on the page, for each variety of asset."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from moto_lake import DAY, LAYERS
from pynvest_lake.contract import KINDS, QUALITY, SOR_ACOES, table_schema
from sandbox.checks import check_assets
from sandbox.lake import Partitions, Table
from sandbox.site import FUND_VARIETIES, STOCK_VARIETIES, make_assets
from world import SCHEDULED, make_world

_NAMES = table_schema(SOR_ACOES).arrow.names
ADDED_COLUMNS = _NAMES[_NAMES.index("datetime_exec") + 1 : -1]


def test_every_cell_of_the_five_tables_matches_the_asset_of_the_page(
    context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = make_assets(DAY, 48, 32)
    assert {asset.variety for asset in assets} == {*STOCK_VARIETIES, *FUND_VARIETIES}
    filled = Counter(column for asset in assets for column, text in asset.expected_sor().items() if text)
    assert min(filled[column] for column in ADDED_COLUMNS) >= 3

    with make_world(assets, context, monkeypatch) as world:
        for event in (("start", SCHEDULED), world.execution()):
            world.pending.append(event)
            world.drain()

        lake = world.lake
        tables = [
            Table(**vars(lake.tables[name]), layer=layer, kind=KINDS.get(name))
            for name, layer in LAYERS.items()
            if name != QUALITY
        ]
        partitions = Partitions(lake.s3)
        day: Any = SimpleNamespace(number=DAY, lake=SimpleNamespace(tables=tables), partitions=partitions)
        check_assets(day, assets, lake.glue)
