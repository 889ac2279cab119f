"""`make up` runs a whole day with real Terraform, real packages and enforced IAM."""

from __future__ import annotations

import importlib
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from report.athena import Athena
from sandbox import checks, emulator
from sandbox.__main__ import main
from sandbox.console import Console
from sandbox.day import SCHEDULED_TIME, Day
from sandbox.lake import Lake
from sandbox.local import ROOT, down
from sandbox.process import group_is_alive
from sandbox.site import GHOSTS, SampleAsset
from sandbox.site.trial import EARLIER_DAYS, GONE, NEW, SPLIT, history_days, trial_assets
from sandbox.terraform import Terraform, provider_env

pytestmark = pytest.mark.e2e


ENV = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def sandbox(state_dir: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "sandbox", f"--state-dir={state_dir}", *arguments]


def said_by(capsys: pytest.CaptureFixture[str], state_dir: Path, *arguments: str) -> tuple[int, str]:
    """Run a command of the sandbox in this process, and return its status and what it prints."""
    status = main([f"--state-dir={state_dir}", *arguments])
    return status, "".join(capsys.readouterr())


class Up:
    """The resources that `up` left running, and the output of `up`."""

    def __init__(self, state_dir: Path, printed: str) -> None:
        self.state_dir = state_dir
        self.printed = printed
        left = json.loads((state_dir / "up" / "up.json").read_text())
        self.processes = left["processes"]
        self.endpoint_url, self.ca_bundle = left["endpoint_url"], Path(left["ca_bundle"])
        env = {**emulator.client_env(self.endpoint_url, self.ca_bundle), **provider_env(state_dir)}
        self.terraform = Terraform(ROOT, state_dir / "up" / "terraform", env)
        self.lake = Lake.from_outputs(self.terraform.outputs())
        self.day = Day(self.lake, self.client, lambda line: None)
        self.day.number = int(re.search(r"The lake on (\d{8})", printed)[1])
        self.assets = trial_assets(self.day.number)

    def client(self, service: str):
        return emulator.client(self.endpoint_url, self.ca_bundle, service)

    def ask(self, sql: str) -> list[list[str | None]]:
        return Athena(self.client("athena"), self.lake.workgroup).ask(sql).rows


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    state_dir = tmp_path_factory.mktemp("up")
    try:
        ended = subprocess.run(sandbox(state_dir, "up"), env=ENV, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        yield Up(state_dir, ended.stdout)
    finally:
        down(state_dir, Console())


def test_every_cell_of_the_five_tables_matches_the_site(up: Up) -> None:
    checks.check_assets(up.day, up.assets, up.client("glue"))


def test_each_function_has_exactly_the_variables_that_its_stage_reads(up: Up) -> None:
    for name in up.lake.functions:
        function = up.client("lambda").get_function_configuration(FunctionName=name)
        package = function["Handler"].partition(".")[0]
        asked = {one.name.upper() for one in fields(importlib.import_module(f"{package}.handler").Settings)}
        told = set(function["Environment"]["Variables"]) - {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}

        assert (name, told) == (name, asked)


def test_every_cell_of_an_earlier_day_matches_its_pages(up: Up) -> None:
    earlier = Day(up.lake, up.client, lambda line: None)
    for earlier.number in history_days(up.day.number)[::14]:
        assets = trial_assets(up.day.number, earlier.number)
        checks.check_assets(earlier, assets, up.client("glue"))


def test_athena_sees_thirty_earlier_days_and_each_is_good(up: Up) -> None:
    days = [*history_days(up.day.number), up.day.number]
    for table in (*up.lake.tables, up.lake.quality):
        found = up.ask(f"SELECT DISTINCT anomesdia_exec FROM {table.database}.{table.name} ORDER BY 1")  # noqa: S608
        assert found == [[str(day)] for day in days]
    quality = f"{up.lake.quality.database}.{up.lake.quality.name}"
    verdicts = up.ask(f"SELECT situacao, count(*) FROM {quality} WHERE medida = 'dia' GROUP BY 1")  # noqa: S608
    assert verdicts == [["ok", str(len(days))]]
    assert "Situação do dia: ok" in up.printed
    assert f"The lake has {EARLIER_DAYS} earlier trading days" in up.printed


def test_the_live_day_is_judged_against_the_earlier_days(up: Up) -> None:
    quality = f"{up.lake.quality.database}.{up.lake.quality.name}"
    judged = up.ask(
        f"SELECT medida, count(referencia) FROM {quality} "  # noqa: S608
        f"WHERE anomesdia_exec = {up.day.number} AND referencia IS NOT NULL GROUP BY 1"
    )
    assert {"linhas", "mediana", "preenchimento", "sessao", "papeis_listados"} <= {row[0] for row in judged}


def test_the_history_shows_changes_new_assets_and_a_split(up: Up) -> None:
    athena = Athena(up.client("athena"), up.lake.workgroup)
    ((split, (_, factor)),) = SPLIT.items()

    series = [float(row[1]) for row in athena.ask_by_name("serie-de-um-papel").rows]
    come_and_gone = [row[:2] for row in athena.ask_by_name("papeis-novos-e-sumidos").rows]
    splits = athena.ask_by_name("possiveis-desdobramentos")

    assert len(set(series)) > EARLIER_DAYS // 2
    assert len(athena.ask_by_name("o-que-mudou").rows) == 30
    assert come_and_gone == [
        *(["novo", ticker] for ticker, days_ago in NEW.items() if days_ago == 0),
        *(["sumiu", ticker] for ticker, days_ago in GONE.items() if days_ago == 1),
    ]
    (found,) = (dict(zip(splits.columns, row, strict=True)) for row in splits.rows)
    assert (found["codigo_ticker_ativo"], float(found["fator"])) == (split, factor)


def test_an_earlier_day_is_settled_and_complete_for_the_workflow(up: Up) -> None:
    assess = next(name for name in up.lake.functions if name.endswith("assess-day"))
    asked = {"anomesdia_exec": history_days(up.day.number)[-1]}
    event = {"step": "look", "execution": "a", "started_at": "2000-01-01T00:00:00Z", "input": asked}

    answer = up.client("lambda").invoke(FunctionName=assess, Payload=json.dumps(event).encode())

    status = json.loads(answer["Payload"].read())
    assert (status["settled"], status["reasons"]) == (True, [])


def test_a_plan_after_the_day_is_empty(up: Up) -> None:
    site_url = re.search(r"pages from (\S+)", up.printed)[1]

    assert up.terraform.changes({"fundamentus_base_url": site_url}) == ""


def test_it_prints_progress_row_counts_durations_and_rows(up: Up) -> None:
    assert re.search(
        r"tickers waiting \d+, in flight \d+  SoR \d+ rows  SoT \d+ rows  Spec \d+ rows", up.printed
    )
    for table in up.lake.tables:
        assets = [asset for asset in up.assets if table.kind in (asset.kind, None)]
        assert re.search(rf"{table.name} +{len(assets)} +\d+\n", up.printed)
    assert "No ticker failed." in up.printed
    listed_only = ", ".join(sorted(ticker for tickers in GHOSTS.values() for ticker in tickers))
    assert f"without a page on the site: {listed_only}\n" in up.printed
    for function in up.lake.functions:
        assert re.search(rf"{function} +\d+ +[\d.]+", up.printed)
    for heading in ("papel", "nome_papel", "codigo_ticker_ativo", "situacao"):
        assert re.search(rf"^{heading} ", up.printed, re.MULTILINE)
    assert "make query QUERY=formula-magica" in up.printed
    assert 'make query SQL="SELECT' in up.printed
    assert up.endpoint_url in up.printed
    assert f"Open the report:    {up.state_dir / 'up' / 'report.html'}\n" in up.printed


def test_it_writes_the_report_of_the_day_and_prints_its_path(up: Up) -> None:
    file = Path(re.search(r"The report of the day, for a browser: (.+)\n", up.printed)[1])
    html = file.read_text(encoding="utf-8")

    day = str(up.day.number)
    assert f"lido no dia {day[6:]}/{day[4:6]}/{day[:4]} do lake" in html
    situation = re.search(r"Situação do dia: (\w+)", up.printed)[1]
    assert f'<section class="verdict {situation}"' in html
    rows = [asset.expected_spec(up.day.number) for asset in up.assets]
    newest = max(row["dt_ult_cot"] for row in rows if row["dt_ult_cot"])
    shown = set(re.findall(r'<tr data-kind="\w+"(?: data-liquid)?><th scope="row"><a href="#(\w+)">', html))
    assert {row["codigo_ticker_ativo"] for row in rows if row["dt_ult_cot"] == newest} <= shown
    assert len(shown) < len(rows)


def test_the_run_started_the_targets_of_the_schedules(up: Up) -> None:
    scheduler = up.client("scheduler")
    start, dedup = (
        scheduler.get_schedule(Name=name)["Target"]
        for name in (up.lake.start_schedule, up.lake.dedup_schedule)
    )

    assert start["Arn"].rsplit(":", 1)[-1] == up.lake.functions[0]
    assert json.loads(start["Input"]) == {"scheduled_at": SCHEDULED_TIME}
    executions = up.client("stepfunctions").list_executions(stateMachineArn=dedup["Arn"])["executions"]
    assert [execution["status"] for execution in executions] == ["SUCCEEDED"]


def test_a_query_runs_by_name_and_without_a_name_the_names_are_listed(
    up: Up, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = partial(said_by, capsys, up.state_dir, "query")

    assert asked("--name", "fiis-por-segmento")[1].startswith("segmento ")
    assert " 61.35 " in asked("--name", "serie-de-um-papel", "--ticker", "VALE3")[1].splitlines()[-1]
    status, said = asked()
    assert status == 0
    names = {line.split()[0] for line in said.splitlines()[2:]}
    assert names == {path.stem for path in (ROOT.parents[1] / "athena" / "queries").glob("*.sql")}


def test_tables_views_and_columns_are_listed(up: Up, capsys: pytest.CaptureFixture[str]) -> None:
    status, listed = said_by(capsys, up.state_dir, "tables")

    assert status == 0
    for table in (*up.lake.tables, up.lake.quality):
        assert f"table {table.database}.{table.name}\n" in listed
    assert f"view {up.lake.quality.database}.vw_ativos_negociados\nAtivos que ainda negociam" in listed
    assert re.search(r"^vlr_cot +double +\w+", listed, re.MULTILINE)


def test_a_second_up_is_refused(up: Up, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = said_by(capsys, up.state_dir, "up")

    assert (status, "make down" in said) == (1, True)


def test_a_wrong_cell_is_named(up: Up) -> None:
    table = up.lake.table("sot", "acoes")
    (left,) = up.day.partitions.objects(table, up.day.number)
    s3 = up.client("s3")
    body = s3.get_object(Bucket=table.bucket, Key=left.object.key)["Body"].read()
    rows = pq.read_table(io.BytesIO(body))
    place = rows.schema.get_field_index("vlr_cot")
    wrong = rows.set_column(place, rows.schema.field(place), pc.add(rows["vlr_cot"], pa.scalar(0.01)))
    tampered = io.BytesIO()
    pq.write_table(wrong, tampered)
    s3.put_object(Bucket=table.bucket, Key=left.object.key, Body=tampered.getvalue())
    try:
        with pytest.raises(checks.NotExact, match=rf"{table.name}: \w+: vlr_cot is [\d.]+, expected [\d.]+"):
            checks.check_assets(up.day, up.assets, up.client("glue"))
    finally:
        s3.put_object(Bucket=table.bucket, Key=left.object.key, Body=body)


def test_a_missing_asset_is_named(up: Up) -> None:
    absent = SampleAsset("ABSE3", "acoes", "ordinary", up.day.number, up.assets[0].tables)

    with pytest.raises(checks.NotExact, match="ABSE3 is missing"):
        checks.check_assets(up.day, [*up.assets, absent], up.client("glue"))


def test_down_stops_all_processes_and_removes_the_data(up: Up, capsys: pytest.CaptureFixture[str]) -> None:
    groups = [process["pid"] for process in up.processes]
    assert all(map(group_is_alive, groups))

    said_by(capsys, up.state_dir, "down")

    assert not any(map(group_is_alive, groups))
    assert not (up.state_dir / "up").exists()


def test_an_interrupted_run_leaves_nothing_running(tmp_path: Path) -> None:
    started = tmp_path / "run" / "up.json"
    with subprocess.Popen(
        sandbox(tmp_path, "run"), env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert any(" resources" in line for line in run.stdout)  # Terraform runs
        groups = [process["pid"] for process in json.loads(started.read_text())["processes"]]
        assert all(map(group_is_alive, groups))
        run.send_signal(signal.SIGTERM)
        _, said = run.communicate(timeout=30)

    assert (run.returncode, "all processes that this command started have ended" in said) == (130, True)
    assert not any(map(group_is_alive, groups))
    listing = subprocess.run(
        ["ps", "-axww", "-o", "args="], capture_output=True, text=True, check=True
    ).stdout
    assert str(tmp_path) not in listing
