"""Each package works under AWS's runtime interface client, with only Lambda's own modules on the module
path."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from runtime_api import Invocation, invoke

from b3.days import day_at
from lake_rows import raw_s3_event, sqs_event
from lambda_packages import MANAGED_LAYER, ROOT, build_and_unpack, pins
from moto_lake import Lake, make_lake, usual_environment
from pynvest_lake.catalog import register_partition
from pynvest_lake.contract import QUALITY, SOR_ACOES, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS
from sandbox.emulator import Emulator
from sandbox.site import SiteServer, make_assets

RUNTIME = Path(__file__).with_name("requirements.txt")
PACKAGES = sorted(json.loads((ROOT / "lambda" / "packages.json").read_text()))
# The tests do not use today's date, because a test may run past midnight.
DAY = day_at(datetime.now(timezone.utc) - timedelta(days=1))
REMOVED = day_at(datetime.now(timezone.utc) + timedelta(days=7))


def installed(requirements: Path, target: Path) -> Path:
    """Install the packages in a requirements file, from wheels only."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", f"--target={target}", f"--requirement={requirements}"]
    subprocess.run(command, check=True)
    return target


@dataclass(frozen=True)
class Evening:
    """The events of one evening. Each event goes to a function that runs from its package.

    The functions run in the order of the stages; each function uses the previous function's results.
    """

    lake: Lake
    site: SiteServer
    account: Mapping[str, str]
    opt: Path
    found: Path

    def invoke(self, package: str, event: Mapping[str, Any], **variables: str) -> Invocation:
        environment = {
            **usual_environment(self.lake),
            "FUNDAMENTUS_BASE_URL": self.site.base_url,
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "POWERTOOLS_SERVICE_NAME": "any",
            "TICKER_KIND": "acoes",
            **variables,
            **self.account,
        }
        paths = [self.opt / name for name in (package, "layer/python", "managed", "runtime")]
        return invoke(f"{package}.handler.handler", paths, environment, event, self.found / f"{package}.json")

    def objects(self, table: str) -> list[tuple[str, str]]:
        return [(self.lake.tables[table].bucket, key) for key in self.lake.keys(table, DAY)]

    @cached_property
    def invocations(self) -> dict[str, Invocation]:
        """Invoke each package's handler, and return the results by package."""
        lake = self.lake
        quality = lake.tables[QUALITY]
        lake.s3.put_object(Bucket=quality.bucket, Key=f"{quality.prefix(REMOVED)}any.parquet", Body=b"any")
        register_partition(lake.glue, quality, REMOVED)
        done = {
            "check_and_delete_partitions": self.invoke(
                "check_and_delete_partitions", {"anomesdia_exec": REMOVED, "remove": True}
            ),
            "get_tickers": self.invoke("get_tickers", {"anomesdia_exec": DAY, "only_missing": True}),
        }
        messages = sorted(lake.messages("acoes"), key=lambda message: message["ticker"] == "GONE3")
        for batch in (messages[:2], messages[2:]):
            done["get_financial_data"] = self.invoke(
                "get_financial_data", sqs_event(*batch), TARGET_TABLE=lake.table_setting(SOR_ACOES)
            )
        done["prep_financial_data"] = self.invoke(
            "prep_financial_data",
            raw_s3_event(*self.objects(SOR_ACOES)),
            SOURCE_TABLES=lake.setting(SOR_ACOES),
            TARGET_TABLE=lake.table_setting(SOT_ACOES),
        )
        done["specialize_financial_data"] = self.invoke(
            "specialize_financial_data",
            raw_s3_event(*self.objects(SOT_ACOES)),
            SOURCE_TABLES=lake.setting(SOT_ACOES, SOT_FIIS),
            TARGET_TABLE=lake.table_setting(SPEC_ATIVOS),
        )
        workflow = {"started_at": datetime.now(timezone.utc).isoformat(), "input": {"anomesdia_exec": DAY}}
        done["dedup_financial_data"] = self.invoke(
            "dedup_financial_data",
            workflow,
            TABLE=lake.table_setting(SOT_ACOES),
            SOURCE_TABLES=lake.setting(SOR_ACOES),
            DOWNSTREAM_TABLES=lake.setting(SPEC_ATIVOS),
        )
        done["assess_day"] = self.invoke("assess_day", {**workflow, "step": "assess", "execution": "any"})
        return done


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    """Return an evening's events for an emulated lake. The sample site has three stocks and three funds."""
    opt = build_and_unpack(tmp_path_factory.mktemp("opt"))
    installed(MANAGED_LAYER, opt / "managed")
    installed(RUNTIME, opt / "runtime")
    assets = make_assets(DAY, acoes=3, fiis=3)
    with (
        Emulator(tmp_path_factory.mktemp("emulator")) as emulator,
        SiteServer(assets, ghosts={"acoes": ["GONE3"], "fiis": []}) as site,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in emulator.env().items():
            environment.setenv(name, value)
        yield Evening(make_lake(), site, emulator.env(), opt, tmp_path_factory.mktemp("found"))


def test_the_tests_run_on_the_functions_python() -> None:
    assert sys.version_info[:2] == (3, 13)


def test_the_runtime_and_the_other_tests_use_the_same_sdk() -> None:
    held, others = pins(RUNTIME), pins(ROOT / "requirements-dev.txt") | pins(MANAGED_LAYER)

    shared = held.keys() & others.keys()
    assert shared == {"boto3", "jmespath", "python-dateutil", "six"}
    assert {name: held[name] for name in shared} == {name: others[name] for name in shared}


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_come_only_from_package_layers_runtime_and_standard_library(
    evening: Evening, package: str
) -> None:
    ran = evening.invocations[package]

    held = [str(evening.opt / name) for name in (package, "layer/python", "managed", "runtime")]
    assert list(ran.path) == [*held, *ran.standard_library]
    assert not [path for path in ran.standard_library if "-packages" in path or path.startswith(str(ROOT))]
    places = tuple(f"{place}/" for place in (*held, *ran.standard_library))
    assert not {name: file for name, file in ran.files.items() if file and not file.startswith(places)}
    assert (ran.files[f"{package}.handler"] or "").startswith(f"{held[0]}/")
    assert (ran.files["runtime_client"] or "").startswith(f"{held[-1]}/")


RESULTS = {
    "check_and_delete_partitions": {"objects_deleted": 1, "partitions_deleted": 1},
    "get_tickers": {"round": 0, "acoes": 4, "fiis": 3},
    "get_financial_data": {"rows": 1, "no_such_paper": ["GONE3"], "batchItemFailures": []},
    "prep_financial_data": {"objects": 2, "rows": 3, "gone": 0, "there": 0, "unreadable_cells": 0},
    "specialize_financial_data": {"objects": 2, "rows": 3, "gone": 0, "there": 0},
    "dedup_financial_data": {"objects_read": 2, "rows": 3, "written": True},
    # The day has three stocks, and its only remark is about missing funds.
    "assess_day": {"anomesdia_exec": DAY, "situacao": "falha", "missing": 3},
}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_handles_its_event_of_an_evening(evening: Evening, package: str) -> None:
    assert evening.invocations[package].result.items() >= RESULTS[package].items()
