"""Every cell of the lake equals the cell on the page, for assets of every form, after stages 3, 4 and 5."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from types import SimpleNamespace

import pytest

from moto_lake import DAY
from pynvest_lake.contract import SOR, SOR_ACOES, SOT, SPEC_ATIVOS, table_schema
from sandbox.site import FUND_VARIETIES, STOCK_VARIETIES, make_assets
from world import SCHEDULED, make_world

_NAMES = table_schema(SOR_ACOES).arrow.names
ADDED_COLUMNS = _NAMES[_NAMES.index("datetime_exec") + 1 : -1]


def test_every_cell_of_the_five_tables_is_what_the_page_was_built_from(
    context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = make_assets(DAY, 90, 60)
    assert {asset.variety for asset in assets} == {*STOCK_VARIETIES, *FUND_VARIETIES}

    with make_world(assets, context, monkeypatch) as world:
        world.pending.append(("start", SCHEDULED))
        world.drain()
        found = {table: world.rows(table) for table in (*SOR.values(), *SOT.values(), SPEC_ATIVOS)}

    different = []
    for asset in assets:
        sor, sot = SOR[asset.kind], SOT[asset.kind]
        expected = {sor: asset.expected_sor(), sot: asset.expected_sot(), SPEC_ATIVOS: asset.expected_spec()}
        read_at = datetime.strptime(found[sor][asset.ticker].pop("datetime_exec"), "%d-%m-%Y %H:%M:%S")
        for table, row in expected.items():
            cells = found[table].pop(asset.ticker)
            del cells["datetime_leitura"]
            assert cells.pop("datetime_exec", read_at) == read_at
            assert cells.keys() == row.keys()
            different += [
                f"{table} {asset.ticker} {column}: {cells[column]!r}, expected {value!r}"
                for column, value in row.items()
                if cells[column] != value or type(cells[column]) is not type(value)
            ]
    assert different == []
    assert not any(found.values()), "the lake has other assets than the site"
    filled = Counter(column for asset in assets for column, text in asset.expected_sor().items() if text)
    assert min(filled[column] for column in ADDED_COLUMNS) >= 5
