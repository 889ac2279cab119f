"""An upgrade from the first version that was whole keeps every bucket, queue, database, table and day."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from consumer import PROJECT, Checkout

from report.athena import Athena
from sandbox import checks
from sandbox.day import Day
from sandbox.emulator import Emulator
from sandbox.lake import Lake
from sandbox.site import Paper, SiteServer, make_papers

pytestmark = [pytest.mark.e2e, pytest.mark.full]

BEFORE = "0a768d0"
"""The commit that is upgraded from."""

OLD_DAY = 20251124
ADDED = "vlr_ind_divida_liq_sobre_patrim"
"""A column that has come since."""

KEPT = ("aws_s3_bucket.", "aws_sqs_queue.", "aws_glue_catalog_database.", "aws_glue_catalog_table.")


def old_module(directory: Path) -> Path:
    """Return the module as it was, with its own code."""
    archive = subprocess.run(["git", "archive", BEFORE], cwd=PROJECT, capture_output=True, check=False)
    assert archive.returncode == 0, (
        f"the history has no {BEFORE}, which this test upgrades from: fetch the whole history "
        f"(git fetch --unshallow)\n{archive.stderr.decode()}"
    )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(directory, filter="data")
    return directory


@dataclass
class Upgraded:
    """A lake that was upgraded: what the plan of it changed, and a day that it has had since."""

    changes: dict[str, list[str]]
    checkout: Checkout
    share: list[Paper]
    day: Day


@pytest.fixture(scope="module")
def site() -> Iterator[SiteServer]:
    with SiteServer(make_papers(OLD_DAY)) as site:
        yield site


@pytest.fixture(scope="module")
def upgraded(
    tmp_path_factory: pytest.TempPathFactory, emulator: Emulator, env: dict[str, str], site: SiteServer
) -> Upgraded:
    directory = tmp_path_factory.mktemp("upgrade")
    old = old_module(directory / "module")
    papers = sorted(site.papers.values(), key=lambda paper: paper.ticker)
    share = [paper for kind in ("acoes", "fiis") for paper in papers if paper.kind == kind][:4]
    share += [paper for paper in papers if paper.kind == "fiis"][:2]

    def checkout(name: str, module: Path) -> Checkout:
        made = Checkout(
            directory / name,
            source=str(module),
            state=directory / "terraform.tfstate",
            env={**env, "TF_VAR_fundamentus_base_url": site.base_url},
            project=module,
            default_tags={},  # more than ten were not to be had then
        )
        made.terraform("init")
        return made

    before = checkout("before", old)
    before.apply()
    run(lake_of_then(before.outputs()), emulator, share, OLD_DAY)
    after = checkout("after", PROJECT)
    changes = after.changes()
    after.apply()
    return Upgraded(changes, after, share, run(Lake.from_outputs(after.outputs()), emulator, share))


def lake_of_then(outputs: dict[str, Any]) -> Lake:
    """Return the lake as it was: without what has come since."""
    tables = [{**table, "prefix": f"{table['name']}/"} for table in outputs["tables"]]
    since = {"quality_table": tables[-1], "work_bucket": "", "workgroup": ""}
    return Lake.from_outputs({**outputs, "tables": tables, **since})


def run(lake: Lake, emulator: Emulator, share: list[Paper], number: int | None = None) -> Day:
    """Run a trial of some papers, on a day or on today, and its workflow."""
    day = Day(lake, emulator.client, lambda line: None)
    fields = {} if number is None else {"anomesdia_exec": number}
    day.start(tickers=[paper.ticker for paper in share], **fields)
    day.wait()
    day.run_workflow()
    return day


def test_no_bucket_queue_database_or_table_is_replaced(upgraded: Upgraded) -> None:
    kept = {address for address in upgraded.changes if any(kind in address for kind in KEPT)}

    assert 'module.glue.aws_glue_catalog_table.this["sot_acoes"]' in kept
    assert {a: upgraded.changes[a] for a in kept if "delete" in upgraded.changes[a]} == {}


def test_the_old_day_still_answers_with_nulls_in_new_columns(upgraded: Upgraded, emulator: Emulator) -> None:
    lake = upgraded.day.lake
    table = lake.table("sot", "acoes")
    stocks = sum(paper.kind == "acoes" for paper in upgraded.share)
    added = sum(
        paper.kind == "acoes" and paper.expected_sot(upgraded.day.number)[ADDED] is not None
        for paper in upgraded.share
    )

    # Both days in one query: of the old one alone the emulator's Athena takes the columns from its objects.
    answer = Athena(emulator.client("athena"), lake.workgroup).ask(
        f"SELECT anomesdia_exec, count(*), count(vlr_cot), count({ADDED}) "  # noqa: S608 - the lake's own names
        f"FROM {table.database}.{table.name} GROUP BY anomesdia_exec ORDER BY anomesdia_exec"
    )

    assert added > 0
    assert answer.rows == [
        [str(OLD_DAY), str(stocks), str(stocks), "0"],
        [str(upgraded.day.number), str(stocks), str(stocks), str(added)],
    ]


def test_a_new_day_is_exact_and_a_plan_after_it_is_empty(upgraded: Upgraded, emulator: Emulator) -> None:
    checks.check_papers(upgraded.day, upgraded.share, emulator.client("glue"))
    assert "No changes." in upgraded.checkout.terraform("plan")
