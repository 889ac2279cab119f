"""Each package works under AWS's runtime interface client, with only Lambda's own modules on the module
path."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
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
from managed_layer import MANAGED_LAYER, ROOT, pins
from moto_lake import WORK_BUCKET, Lake, make_lake
from pynvest_lake.catalog import register_partition
from pynvest_lake.contract import QUALITY, SOR_ACOES, SOR_FIIS, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS
from sandbox.emulator import Emulator
from sandbox.site import SiteServer, make_assets

RUNTIME = Path(__file__).with_name("requirements.txt")
PACKAGES = sorted(json.loads((ROOT / "lambda" / "packages.json").read_text()))
TABLES = (QUALITY, SPEC_ATIVOS, SOT_FIIS, SOT_ACOES, SOR_FIIS, SOR_ACOES)
# The tests do not use today's date, because a test may run past midnight.
DAY = day_at(datetime.now(timezone.utc) - timedelta(days=1))
REMOVED = day_at(datetime.now(timezone.utc) + timedelta(days=7))


def installed(requirements: Path, target: Path) -> Path:
    """Install the packages in a requirements file, from wheels only."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", f"--target={target}", f"--requirement={requirements}"]
    subprocess.run(command, check=True)
    return target


def unpacked(packages: Path, target: Path) -> Path:
    """Build the packages and the layer. Unpack each archive into a directory of its own, as Lambda does."""
    command = [sys.executable, ROOT / "lambda" / "build.py", "--output", packages, "--runtime", "python3.13"]
    built = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    for line in built.stdout.splitlines():
        with zipfile.ZipFile(line) as archive:
            archive.extractall(target / Path(line).stem.rpartition("-")[0])
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
            "DAILY_DIGEST": "true",
            "DEAD_LETTER_QUEUE_URLS": "[]",
            "FETCH_FROM": "site",
            "FETCH_HEADERS": "{}",
            "FETCH_THREADS": "2",
            "FETCH_TIMEOUT_SECONDS": "10",
            "FUNDAMENTUS_BASE_URL": self.site.base_url,
            "GET_TICKERS_FUNCTION_NAME": "get-tickers",
            "KEEP_PAGES": "true",
            "LAKE_TABLES": self.lake.setting(*TABLES),
            "LOOK_INTERVAL_SECONDS": "30",
            "NAME_PREFIX": "pynvest",
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "POWERTOOLS_SERVICE_NAME": "any",
            "QUALITY_GATE": "fail",
            "QUALITY_REFERENCE_FROM": "10000101",
            "QUEUE_PATIENCE_SECONDS": "180",
            "SQS_MAX_RECEIVE_COUNT": "3",
            "SQS_VISIBILITY_TIMEOUT_SECONDS": "60",
            "TICKERS_QUEUE_URLS": json.dumps(self.lake.queue_urls),
            "TICKER_KIND": "acoes",
            "WORKFLOW_ARN": "arn:aws:states:sa-east-1:123456789012:stateMachine:dedup",
            "WORK_BUCKET": WORK_BUCKET,
            **variables,
            **self.account,
        }
        paths = [self.opt / name for name in (package, "layer/python", "managed", "runtime")]
        return invoke(f"{package}.handler.handler", paths, environment, event, self.found / f"{package}.json")

    def table(self, name: str) -> str:
        return json.dumps(vars(self.lake.tables[name]))

    def objects(self, table: str) -> list[tuple[str, str]]:
        """Return bucket and key of each object in a table for the day."""
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
                "get_financial_data", sqs_event(*batch), TARGET_TABLE=self.table(SOR_ACOES)
            )
        done["prep_financial_data"] = self.invoke(
            "prep_financial_data",
            raw_s3_event(*self.objects(SOR_ACOES)),
            SOURCE_TABLES=lake.setting(SOR_ACOES),
            TARGET_TABLE=self.table(SOT_ACOES),
        )
        done["specialize_financial_data"] = self.invoke(
            "specialize_financial_data",
            raw_s3_event(*self.objects(SOT_ACOES)),
            SOURCE_TABLES=lake.setting(SOT_ACOES, SOT_FIIS),
            TARGET_TABLE=self.table(SPEC_ATIVOS),
        )
        workflow = {"started_at": datetime.now(timezone.utc).isoformat(), "input": {"anomesdia_exec": DAY}}
        done["dedup_financial_data"] = self.invoke(
            "dedup_financial_data",
            workflow,
            TABLE=self.table(SOT_ACOES),
            SOURCE_TABLES=lake.setting(SOR_ACOES),
            DOWNSTREAM_TABLES=lake.setting(SPEC_ATIVOS),
        )
        done["assess_day"] = self.invoke("assess_day", {**workflow, "step": "assess", "execution": "any"})
        return done


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    """Return an evening's events for an emulated lake. The sample site has three stocks and three funds."""
    opt = unpacked(tmp_path_factory.mktemp("packages"), tmp_path_factory.mktemp("opt"))
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


def test_it_runs_on_the_functions_python() -> None:
    assert sys.version_info[:2] == (3, 13)


def test_the_runtimes_sdk_is_the_one_that_the_other_tests_run_on() -> None:
    held, others = pins(RUNTIME), pins(ROOT / "requirements-dev.txt") | pins(MANAGED_LAYER)

    shared = held.keys() & others.keys()
    assert shared == {"boto3", "jmespath", "python-dateutil", "six"}
    assert {name: held[name] for name in shared} == {name: others[name] for name in shared}


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_is_imported_but_from_package_layers_runtime_and_standard_library(
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
def test_a_package_does_its_part_of_an_evening(evening: Evening, package: str) -> None:
    assert evening.invocations[package].result.items() >= RESULTS[package].items()
