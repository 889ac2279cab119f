"""An upgrade from an earlier version keeps the buckets, queues, databases, tables and stored rows."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import time
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
from sandbox.site import SampleAsset, SiteServer, make_assets

pytestmark = [pytest.mark.e2e, pytest.mark.full]

ADDED_SINCE = {"0a768d0": "vlr_ind_divida_liq_sobre_patrim", "e386b81": "datetime_leitura"}
"""The commits to upgrade from, each with a column that was added later: the first complete version, and the
last version that compared ETags and times."""

OLD_DAY = 20251124
WORKFLOW_SECONDS = 600.0

KEPT = ("aws_s3_bucket.", "aws_sqs_queue.", "aws_glue_catalog_database.", "aws_glue_catalog_table.")


def old_module(commit: str, directory: Path) -> Path:
    """Return the module and its code as they were at a commit."""
    archive = subprocess.run(["git", "archive", commit], cwd=PROJECT, capture_output=True, check=False)
    assert archive.returncode == 0, (
        f"the history lacks {commit}, from which this test upgrades: fetch the whole history "
        f"(git fetch --unshallow)\n{archive.stderr.decode()}"
    )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(directory, filter="data")
    return directory


@dataclass
class Upgraded:
    """A lake after an upgrade.

    Parameters
    ----------
    added
        A column that a later version added.
    changes
        The changes in the plan of the upgrade.
    checkout
        The consumer's root module, with the current version of the lake's module.
    old_share, share
        The lake read the assets `old_share` on `old_day`, and the assets `share` on `day`.
    old_day
        The old version read the pages of this day. After the upgrade, an execution of the old workflow
        completed this day.
    verdict
        The verdict that the old workflow's execution gave.
    day
        The current version read and compacted this day.
    """

    added: str
    changes: dict[str, str]
    checkout: Checkout
    old_share: list[SampleAsset]
    share: list[SampleAsset]
    old_day: Day
    verdict: str
    day: Day


@pytest.fixture(scope="module")
def site() -> Iterator[SiteServer]:
    with SiteServer(make_assets(OLD_DAY)) as site:
        yield site


@pytest.fixture(scope="module", params=ADDED_SINCE)
def upgraded(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    emulator: Emulator,
    env: dict[str, str],
    site: SiteServer,
) -> Iterator[Upgraded]:
    directory = tmp_path_factory.mktemp("upgrade")
    old = old_module(request.param, directory / "module")
    assets = sorted(site.assets.values(), key=lambda asset: asset.ticker)
    share = [asset for kind in ("acoes", "fiis") for asset in assets if asset.kind == kind][:4]
    share += [asset for asset in assets if asset.kind == "fiis"][:2]

    def checkout(name: str, module: Path) -> Checkout:
        return Checkout(
            directory / name,
            source=str(module),
            env={**env, "TF_VAR_fundamentus_base_url": site.base_url},
            project=module,
            default_tags={},  # the first version accepts at most ten tags
        )

    before = checkout("before", old)
    before.apply()
    lake = old_lake(before.outputs())
    old_day = Day(lake, emulator.client, lambda line: None)
    tickers = [asset.ticker for asset in share]
    old_share = share
    if "work_bucket" in before.outputs():  # from this version on, stage 2 requests a past day, for all assets
        old_share = assets
        old_day.ask(OLD_DAY)
    else:
        old_day.start(tickers=tickers, anomesdia_exec=OLD_DAY)
    old_day.wait()
    workflow = definition(lake, emulator)

    after = checkout("after", PROJECT)
    changes = after.changes()
    after.apply()
    verdict = finish(workflow, emulator)
    day = Day(Lake.from_outputs(after.outputs()), emulator.client, lambda line: None)
    day.start(tickers=tickers)
    day.wait()
    day.run_workflow()
    yield Upgraded(ADDED_SINCE[request.param], changes, after, old_share, share, old_day, verdict, day)
    after.destroy()


def old_lake(outputs: dict[str, Any]) -> Lake:
    """Return the lake of the old version. Outputs that the old version lacks get default values."""
    tables, quality = (
        [{"prefix": f"{table['name']}/", **table} for table in found]
        for found in (outputs["tables"], [outputs.get("quality_table", outputs["tables"][-1])])
    )
    since = {"work_bucket": "", "workgroup": ""}
    return Lake.from_outputs({**since, **outputs, "tables": tables, "quality_table": quality[0]})


def definition(lake: Lake, emulator: Emulator) -> dict[str, str]:
    """Return name, role and definition of the lake's workflow."""
    target = emulator.client("scheduler").get_schedule(Name=lake.dedup_schedule)["Target"]
    machine = emulator.client("stepfunctions").describe_state_machine(stateMachineArn=target["Arn"])
    return {
        "name": f"{machine['name']}-before",
        **{name: machine[name] for name in ("roleArn", "definition")},
    }


def finish(workflow: dict[str, str], emulator: Emulator) -> str:
    """Run the workflow with its old definition, as AWS does for executions that began before an upgrade.

    Returns
    -------
    str
        The verdict of the day, or an empty text if the old workflow gives no verdict.
    """
    states = emulator.client("stepfunctions")
    machine = states.create_state_machine(**workflow)["stateMachineArn"]
    given = json.dumps({"anomesdia_exec": OLD_DAY})
    execution = states.start_execution(stateMachineArn=machine, input=given)["executionArn"]
    deadline = time.monotonic() + WORKFLOW_SECONDS
    while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < deadline, f"the old workflow has not ended within {WORKFLOW_SECONDS:.0f} s"
        time.sleep(1)
    states.delete_state_machine(stateMachineArn=machine)
    assert found["status"] == "SUCCEEDED", (found.get("error"), found.get("cause"))
    return str(json.loads(found["output"]).get("verdict", ""))


def test_no_bucket_queue_database_or_table_is_replaced(upgraded: Upgraded) -> None:
    kept = {address for address in upgraded.changes if any(kind in address for kind in KEPT)}

    assert 'module.glue.aws_glue_catalog_table.this["sot_acoes"]' in kept
    assert {a: upgraded.changes[a] for a in kept if upgraded.changes[a] not in ("create", "update")} == {}


def test_an_execution_that_began_before_the_upgrade_succeeds_after_it(
    upgraded: Upgraded, emulator: Emulator
) -> None:
    lake = Lake.from_outputs(upgraded.checkout.outputs())
    objects = upgraded.old_day.partitions

    assert upgraded.verdict in ("", "ok", "aviso")
    for table in lake.tables:
        if table.layer in ("sot", "spec"):
            stored = objects.objects(table, OLD_DAY)
            rows = sum(asset.kind == table.kind or table.layer == "spec" for asset in upgraded.old_share)
            assert [len(item.rows) for item in stored] == [rows], table.name


def test_the_old_day_has_nulls_in_new_columns(upgraded: Upgraded, emulator: Emulator) -> None:
    lake = upgraded.day.lake
    table = lake.table("sot", "acoes")
    old_stocks, stocks = (
        sum(asset.kind == "acoes" for asset in share) for share in (upgraded.old_share, upgraded.share)
    )
    added = sum(
        asset.kind == "acoes"
        # The lake fills a column that is not on the pages.
        and asset.expected_sot(upgraded.day.number).get(upgraded.added, "the lake's") is not None
        for asset in upgraded.share
    )

    # Query both days together. The emulator refuses a column that is in none of the queried objects.
    answer = Athena(emulator.client("athena"), lake.workgroup).ask(
        f"SELECT anomesdia_exec, count(*), count(vlr_cot), count({upgraded.added}) "  # noqa: S608 - the lake's own names
        f"FROM {table.database}.{table.name} GROUP BY anomesdia_exec ORDER BY anomesdia_exec"
    )

    assert added > 0
    assert answer.rows == [
        [str(OLD_DAY), str(old_stocks), str(old_stocks), "0"],
        [str(upgraded.day.number), str(stocks), str(stocks), str(added)],
    ]


def test_a_new_day_is_exact_and_a_plan_after_it_is_empty(upgraded: Upgraded, emulator: Emulator) -> None:
    checks.check_assets(upgraded.day, upgraded.share, emulator.client("glue"))
    assert "No changes." in upgraded.checkout.terraform("plan")
