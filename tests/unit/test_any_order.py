"""Events come twice or late, in any order, or are interrupted; the next workflow run completes the day."""

from __future__ import annotations

import os
import random
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from assess_day.load import state_of
from b3.kind import Kind
from moto_lake import DAY
from pynvest_lake.best_reading import best_rows
from pynvest_lake.contract import SOR, SOT, SPEC_ATIVOS
from pynvest_lake.prepare import prepare
from pynvest_lake.specialize import specialize
from pynvest_lake.storage import list_day
from sandbox.site import make_assets
from world import COMPACTED, SCHEDULED, World, calm_down, make_world, random_evening

SEEDS = int(os.environ.get("PYNVEST_SEEDS", "20"))
STEPS = 36
KINDS = {
    "start", "tickers", "messages", "sor", "sot", "workflow", "killed", "meanwhile",
    "scheduled", "person", "partial", "pages", "from sor", "execution", "round",
    "refusal", "end of refusal", "new price", "new process", "duplicate",
}  # fmt: skip


def check(world: World) -> None:
    """Check that SoT and Spec contain, for each listed asset, its best reading in SoR."""
    listed = {asset.ticker for asset in world.site.assets.values()}
    held: dict[str, dict[str, Any]] = {}
    for kind in Kind:
        readings = pa.concat_tables(world.contents(SOR[kind]))
        best = prepare(best_rows([readings], kind.ticker_column), kind, DAY).table
        held |= {row[kind.ticker_column]: row for row in best.to_pylist()}
        assert world.rows(SOT[kind]) == {row[kind.ticker_column]: row for row in best.to_pylist()}
        of_spec = {row["codigo_ticker_ativo"]: row for row in specialize(best, kind).to_pylist()}
        assert of_spec.items() <= world.rows(SPEC_ATIVOS).items()
    assert set(held) == listed == set(world.rows(SPEC_ATIVOS))
    for ticker, row in held.items():
        shown = world.site.assets[ticker].expected_sot(DAY)
        same = {name: value for name, value in row.items() if name in shown and name != "vlr_cot"}
        assert same == {name: shown[name] for name in same}
    for name in COMPACTED:
        assert len(list_day(world.lake.s3, world.lake.tables[name], DAY)) == 1, f"{name} is not one object"
    ledger = world.lake.ledger.read(DAY)
    state = state_of(world.lake.s3, world.lake.tables.values(), ledger)
    assert state.not_through == ()
    missing = {ticker for _, ticker in ledger.missing(state.sor_ids)}
    assert missing & listed == set()


@pytest.mark.timeout(0)  # no limit: the duration depends on the number of seeds
def test_after_one_more_workflow_every_table_holds_the_best_reading_of_every_asset(
    context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: Counter[str] = Counter()
    assets = make_assets(DAY, 4, 2)
    for seed in range(SEEDS):
        with make_world(assets, context, monkeypatch) as world:
            random_evening(world, random.Random(seed), STEPS)  # noqa: S311 - not a secret
            calm_down(world)
            try:
                check(world)
            except AssertionError as error:
                error.add_note(f"seed {seed}; events: {dict(world.met)}")
                raise
            met += world.met
    if SEEDS >= 20:
        assert set(met) == KINDS


def test_a_calm_evening_is_complete_without_another_round(
    context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with make_world(make_assets(DAY, 4, 2), context, monkeypatch) as world:
        world.pending.append(("start", SCHEDULED))
        world.drain()
        world.pending.append(world.execution())
        world.drain()
        check(world)
