from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pytest
import time_machine

from assess_day import handler as stage
from assess_day.assessment import QualityRow, Verdict
from assess_day.load import rows_of
from assess_day.quality_table import read_record, write_record
from b3.days import DayRefused, date_of
from b3.kind import Kind
from lake_rows import put_part
from moto_lake import DAY, WORKFLOW, Lake, set_environment
from pynvest_lake.aws import client
from pynvest_lake.contract import QUALITY, SOR, SOR_ACOES, SOT, SOT_ACOES, SOT_FIIS, SPEC_ATIVOS
from pynvest_lake.ledger import AssetEntry, BatchEntry, Listing, Outcome
from pynvest_lake.storage import read, write

NOW = datetime(2026, 11, 23, 22, 0, tzinfo=timezone.utc)


@pytest.fixture
def assess(lake: Lake, context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(step: str = "look", gate: str = "fail", fetch_from: str = "site", **event: Any) -> dict[str, Any]:
        set_environment(monkeypatch, lake, QUALITY_GATE=gate, FETCH_FROM=fetch_from)
        started = {"execution": "run", "started_at": "2026-11-23T22:00:00.123Z"}
        event = {"input": {"anomesdia_exec": DAY}, **started, **event}
        return stage.handler({"step": step, **event}, context)

    return run


def queue(lake: Lake, *tickers: str, day: int = DAY, at: datetime = NOW) -> None:
    lake.ledger.write_listing(day, Listing({Kind.ACOES: dict.fromkeys(tickers)}))
    lake.ledger.start_round(day, {Kind.ACOES: tickers}, at, number=0)


def land(lake: Lake, *tickers: str, through: tuple[str, ...] = (SOT_ACOES, SPEC_ATIVOS)) -> None:
    item = put_part(lake, SOR_ACOES, tickers)
    for table in through:
        put_part(lake, table, tickers)
    read = {ticker: AssetEntry(Outcome.READ, object=item.id) for ticker in tickers}
    lake.ledger.write_batch(DAY, BatchEntry(Kind.ACOES, read))


def test_the_status_is_checked_again_while_an_asset_has_no_answer(lake: Lake, assess: Any) -> None:
    queue(lake, "PETR4", "VALE3")
    land(lake, "PETR4")

    first = assess()
    later = assess(progress={"looks": 40, "rounds_done": 0})

    assert (first["settled"], first["look_again_seconds"]) == (False, 30)
    assert first["progress"] == {"looks": 1, "rounds_done": 0}
    assert later["look_again_seconds"] == 300


def test_the_digest_names_a_possible_split_since_the_newest_earlier_day(lake: Lake, assess: Any) -> None:
    for day, price, quantity in ((20261118, 30.0, 100), (20261119, 20.0, 100), (DAY, 10.0, 200)):
        row = {"nome_papel": "PETR4", "vlr_cot": price, "num_acoes": quantity, "dt_ult_cot": date_of(day)}
        put_part(lake, SOT_ACOES, "PETR4", row, day=day)
    queue(lake, "PETR4")
    land(lake, "PETR4", through=(SPEC_ATIVOS,))

    assert "grupamentos: PETR4 (1 para 2)\n" in assess("assess")["notice"]["text"]


def test_earlier_days_are_not_read_before_the_day_is_settled(lake: Lake, assess: Any) -> None:
    asked: list[str] = []
    client("s3").meta.events.register(
        "before-call.s3",
        lambda params, **_: asked.append(unquote(params["url"] + str(params["query_string"]))),
    )

    def has_read_earlier_days() -> bool:
        return any(QUALITY in url or "anomesdia_exec=20261122/listing" in url for url in asked)

    queue(lake, "PETR4", "VALE3")
    land(lake, "PETR4")
    assess()
    unsettled = has_read_earlier_days()
    land(lake, "VALE3")
    assess()

    assert not unsettled
    assert has_read_earlier_days()


def test_rounds_follow_each_other_while_there_is_a_reason(lake: Lake, assess: Any) -> None:
    queue(lake, "PETR4", at=NOW - timedelta(days=1))
    given = {"anomesdia_exec": DAY, "rounds": [60, 0.5]}

    first = assess(input=given)
    second = assess(input=given, progress=first["progress"])
    third = assess(input=given, progress=second["progress"])

    assert [status.get("round_seconds") for status in (first, second, third)] == [3600, 30, None]
    assert third["progress"] == {"looks": 0, "rounds_done": 2}


@pytest.mark.parametrize(("gate", "passed"), [("fail", False), ("record", True)])
def test_missing_assets_are_named_and_fail_the_workflow_unless_the_gate_only_records(
    lake: Lake, assess: Any, gate: str, passed: bool
) -> None:
    queue(lake, "PETR4", "VALE3", at=NOW - timedelta(days=1))
    land(lake, "PETR4")

    result = assess("assess", gate=gate)

    said = "De 2 ações da listagem, 1 sem leitura: VALE3 (sem resposta)."
    assert (result["situacao"], result["passed"], result["missing"]) == ("falha", passed, 1)
    assert said in result["reasons"]
    assert said in result["cause"]
    assert result["cause"].startswith(f"{DAY}: falha. ")


def test_a_result_stays_small_with_long_labels_and_errors(lake: Lake, assess: Any) -> None:
    tickers = [f"AAA{number}" for number in range(10, 160)]
    queue(lake, *tickers)
    item = put_part(lake, SOR_ACOES, tickers)
    entries = {
        ticker: AssetEntry(
            Outcome.READ,
            object=item.id,
            unknown_labels=tuple(f"{chr(0x4E00 + number)}{ticker}" * 10 for number in range(20)),
            unknown_count=3000,
        )
        for ticker in tickers
    }
    lake.ledger.write_batch(DAY, BatchEntry(Kind.ACOES, entries))
    folds = [{"error": "Error", "cause": "\u4e00" * 30_000} for _ in range(3)]

    result = assess("assess", folds=folds)

    assert len(result["reasons"]) == 11
    assert result["reasons"][-1].startswith("e mais ")
    assert len(json.dumps(result)) < 32_000


def test_two_assessments_leave_one_object_with_the_verdict_and_one_partition(lake: Lake, assess: Any) -> None:
    queue(lake, "PETR4", "VALE3", at=NOW - timedelta(days=1))
    land(lake, "PETR4")

    first = assess("assess")
    land(lake, "VALE3")
    second = assess("assess")

    assert (first["situacao"], second["situacao"]) == ("falha", "falha")
    assert (first["missing"], second["missing"]) == (1, 0)
    assert len(lake.keys(QUALITY)) == 1
    assert lake.partitions(QUALITY) == [str(DAY)]
    assert read_record(lake.s3, lake.tables[QUALITY], DAY)[-1].medida == "dia"


def test_a_partial_run_is_assessed_with_one_row(lake: Lake, assess: Any) -> None:
    queue(lake, "PETR4", at=NOW - timedelta(days=1))
    lake.ledger.write_listing(DAY, Listing({Kind.ACOES: {"PETR4": 1.0}}, is_partial=True))

    assert (assess("assess")["situacao"], assess("assess")["reasons"]) == ("ok", [])
    assert [(row.medida, row.motivo) for row in read_record(lake.s3, lake.tables[QUALITY], DAY)] == [
        ("dia", "execução parcial")
    ]


def test_a_scheduled_execution_fails_if_only_a_partial_run_took_place(lake: Lake, assess: Any) -> None:
    lake.ledger.write_listing(DAY, Listing({Kind.ACOES: {"PETR4": 1.0, "VALE3": 1.0}}, is_partial=True))
    land(lake, "PETR4")

    result = assess("assess", input={"rounds": []})

    assert (result["situacao"], result["notice"]["tell"]) == ("falha", "failure")
    assert result["reasons"][0].startswith("Só uma execução parcial foi pedida")
    assert "get-tickers" not in result["notice"]["text"]
    stored = read_record(lake.s3, lake.tables[QUALITY], DAY)
    assert [(row.medida, row.situacao.value) for row in stored] == [("listagem", "falha"), ("dia", "falha")]


def test_the_notice_says_how_to_request_a_missing_listing(lake: Lake, assess: Any) -> None:
    queue(lake, "PETR4", "VALE3")
    land(lake, "PETR4")

    text = assess("assess")["notice"]["text"]

    assert "Ativos que faltam: 1, e não se sabe quantos mais, sem uma listagem" in text
    assert "invoque a função get-tickers" in text


def test_rows_that_a_compaction_replaces_during_the_read_are_read_from_its_object(lake: Lake) -> None:
    table = lake.tables[SPEC_ATIVOS]
    parts = [put_part(lake, SPEC_ATIVOS, ticker, {"codigo_ticker_ativo": ticker}) for ticker in ("A", "B")]

    def compact(**_: Any) -> None:
        client("s3").meta.events.unregister("before-call.s3.GetObject", compact)
        rows = pa.concat_tables([read(lake.s3, part).rows for part in parts])
        write(lake.s3, table.compact(DAY, "0" * 32), rows, [part.id for part in parts])
        for part in parts:
            lake.s3.delete_object(Bucket=table.bucket, Key=part.key)

    client("s3").meta.events.register("before-call.s3.GetObject", compact)

    assert rows_of(client("s3"), table, DAY)["codigo_ticker_ativo"].to_pylist() == ["A", "B"]


def test_a_day_that_could_not_be_written_gets_no_partition(lake: Lake) -> None:
    table = replace(lake.tables[QUALITY], bucket="no-such-bucket")
    row = QualityRow(None, "dia", None, None, None, Verdict.OK, None)

    with pytest.raises(lake.s3.exceptions.NoSuchBucket):
        write_record(lake.s3, lake.glue, table, DAY, [row], NOW)

    assert lake.partitions(QUALITY) == []


def test_a_repeated_session_on_a_trading_day_is_a_reason_for_a_round(lake: Lake, assess: Any) -> None:
    before = QualityRow(SPEC_ATIVOS, "sessao_repetida", None, 20261119.0, None, Verdict.OK, None)
    write_record(lake.s3, lake.glue, lake.tables[QUALITY], 20261119, [before], NOW)
    queue(lake, "PETR4")
    item = put_part(lake, SOR_ACOES, "PETR4", {"nome_papel": "PETR4"})
    for table, column in ((SOT_ACOES, "nome_papel"), (SPEC_ATIVOS, "codigo_ticker_ativo")):
        put_part(lake, table, "PETR4", {column: "PETR4"})
    said = AssetEntry(Outcome.READ, object=item.id, session=20261119)
    lake.ledger.write_batch(DAY, BatchEntry(Kind.ACOES, {"PETR4": said}))

    status = assess(input={"anomesdia_exec": DAY, "rounds": [1]})

    assert status["reasons"] == (
        "fundos na listagem: 0",
        "o site ainda mostra o pregão de 19/11/2026 nas páginas de ações",
    )
    assert status["old_session"] == [{"session": 20261119, "ticker": "PETR4"}]
    assert status["round_seconds"] == 60


@pytest.mark.parametrize(
    ("session", "probed"), [(DAY, ["HGLG11"]), (20261120, ["PETR4", "HGLG11"])], ids=["funds", "both kinds"]
)
def test_each_kind_with_an_old_session_is_a_reason_for_a_round_that_probes_an_asset_of_it(
    lake: Lake, assess: Any, session: int, probed: list[str]
) -> None:
    before = [
        QualityRow(table, "sessao_repetida", None, 20261120.0, None, Verdict.OK, None)
        for table in (SOT_ACOES, SOT_FIIS)
    ]
    write_record(lake.s3, lake.glue, lake.tables[QUALITY], 20261120, before, NOW)
    for kind, ticker, shown in ((Kind.ACOES, "PETR4", session), (Kind.FIIS, "HGLG11", 20261120)):
        item = put_part(lake, SOR[kind], ticker)
        put_part(lake, SOT[kind], ticker, {kind.ticker_column: ticker})
        put_part(lake, SPEC_ATIVOS, ticker, {"codigo_ticker_ativo": ticker})
        said = AssetEntry(Outcome.READ, object=item.id, session=shown)
        lake.ledger.write_batch(DAY, BatchEntry(kind, {ticker: said}))
    assets = {Kind.ACOES: {"PETR4": None}, Kind.FIIS: {"HGLG11": None}}
    lake.ledger.write_listing(DAY, Listing(assets))
    lake.ledger.start_round(DAY, assets, NOW, number=0)

    status = assess(input={"anomesdia_exec": DAY, "rounds": [1]})

    assert len(status["reasons"]) == len(probed)
    assert "o site ainda mostra o pregão de 20/11/2026 nas páginas de fundos" in status["reasons"]
    assert status["old_session"] == [{"session": 20261120, "ticker": ticker} for ticker in probed]


def test_an_asset_without_a_page_is_missing_if_the_previous_day_has_it(lake: Lake, assess: Any) -> None:
    for day in (20261119, 20261120):
        put_part(lake, SOT_ACOES, "PETR4", *({"nome_papel": one} for one in ("PETR4", "VALE3")), day=day)
    queue(lake, "PETR4", "VALE3", "SUMI3")
    land(lake, "PETR4")
    ghosts = {ticker: AssetEntry(Outcome.NO_SUCH_PAPER) for ticker in ("VALE3", "SUMI3")}
    lake.ledger.write_batch(DAY, BatchEntry(Kind.ACOES, ghosts))

    result = assess("assess")

    assert result["missing"] == 1
    assert (
        "De 3 ações da listagem, 1 sem leitura: VALE3 (o site diz que não tem mais o ativo)."
        in result["reasons"]
    )
    assert "  - o site diz que não tem mais o ativo (1): VALE3\n" in result["notice"]["text"]


def test_a_failed_compaction_fails_the_workflow(lake: Lake, assess: Any) -> None:
    queue(lake, "PETR4")
    land(lake, "PETR4")

    result = assess(
        "assess",
        folds=[{"error": "PartitionBusy", "cause": "something else writes"}, {"result": {}}],
        spec_folds=[{"result": {}}],
    )

    assert not result["passed"]
    assert "A compactação falhou: PartitionBusy: something else writes." in result["reasons"]


def test_a_day_without_a_run_is_refused_if_it_is_named_and_a_failure_otherwise(
    lake: Lake, assess: Any
) -> None:
    before = lake.s3.list_objects_v2(Bucket=lake.tables[QUALITY].bucket)["KeyCount"]
    with time_machine.travel(NOW + timedelta(minutes=4)):
        assert assess(input={"anomesdia_exec": DAY})["settled"] is False
    with time_machine.travel(NOW + timedelta(minutes=6)):
        with pytest.raises(DayRefused, match=f"there was no run of {DAY}"):
            assess(input={"anomesdia_exec": DAY})
        assert lake.s3.list_objects_v2(Bucket=lake.tables[QUALITY].bucket)["KeyCount"] == before
        assert assess(input={})["settled"] is True
        assert assess("assess", input={})["situacao"] == "falha"


@pytest.fixture
def workflow(lake: Lake) -> Any:
    machine = client("stepfunctions").create_state_machine(
        name="dedup", definition="{}", roleArn="arn:aws:iam::123456789012:role/any"
    )
    assert machine["stateMachineArn"] == WORKFLOW

    def start(name: str, **given: Any) -> None:
        client("stepfunctions").start_execution(stateMachineArn=WORKFLOW, name=name, input=json.dumps(given))

    return start


FROM_SOR = {"anomesdia_exec": DAY, "source": "sor"}


def test_a_rebuild_from_sor_starts_at_once_and_without_rounds(lake: Lake, assess: Any, workflow: Any) -> None:
    queue(lake, "PETR4", "VALE3")
    land(lake, "PETR4", through=())
    workflow("own", **FROM_SOR)
    workflow("another", anomesdia_exec=20261120)

    status = assess(input=FROM_SOR, execution="own")

    assert (status["settled"], "round_seconds" in status) == (True, False)


@pytest.mark.parametrize("given", [{"anomesdia_exec": DAY}, {}, FROM_SOR], ids=["named", "of today", "sor"])
def test_a_day_is_not_rebuilt_while_another_execution_of_it_runs(
    lake: Lake, assess: Any, workflow: Any, given: dict[str, Any]
) -> None:
    land(lake, "PETR4")
    workflow("other", **given)
    workflow("own", **FROM_SOR)

    with pytest.raises(DayRefused, match=f"{DAY} cannot be rebuilt while another execution .*: other"):
        assess(input=FROM_SOR, execution="own")


def test_a_day_without_sor_objects_is_not_rebuilt(lake: Lake, assess: Any, workflow: Any) -> None:
    with pytest.raises(DayRefused, match=f"{DAY} has no SoR objects"):
        assess(input=FROM_SOR, execution="own")


def test_half_a_listing_is_compared_with_the_newest_earlier_one(lake: Lake, assess: Any) -> None:
    before = {Kind.ACOES: dict.fromkeys(f"AAA{number}" for number in range(10, 20)), Kind.FIIS: {"A11": None}}
    lake.ledger.write_listing(20261119, Listing(before))
    queue(lake, "PETR4", day=20261120)  # no reference: this listing has no funds
    queue(lake, "PETR4")
    land(lake, "PETR4")

    status = assess()

    assert status["reasons"] == (
        "ações na listagem: 1; 10 na anterior",
        "fundos na listagem: 0; 1 na anterior",
    )


def test_each_execution_reports_the_verdict_even_without_changes(lake: Lake, assess: Any) -> None:
    queue(lake, "PETR4", "VALE3")
    land(lake, "PETR4")

    first, second = (assess("assess")["notice"] for _ in range(2))

    assert first == second
    assert first["tell"] == "failure"
    assert first["subject"] == "pynvest 23/11/2026: FALHA"
    assert "  - sem resposta (1): VALE3" in first["text"].split("\n")


SCHEDULED = {"rounds": [60, 60]}


def test_the_scheduled_execution_does_not_assess_a_day_that_a_collector_brought(
    lake: Lake, assess: Any
) -> None:
    with time_machine.travel(NOW + timedelta(minutes=6)):
        waiting = assess(input=SCHEDULED, fetch_from="pages")
        queue(lake, "PETR4")
        brought = assess(input=SCHEDULED, fetch_from="pages", progress=waiting["progress"])
        by_a_person = assess(input={}, fetch_from="pages")
        from_site = assess(input=SCHEDULED)

    assert (waiting["settled"], waiting["look_again_seconds"]) == (False, 3600)
    assert "round_seconds" not in waiting
    assert "assessed_by_another" not in waiting
    assert brought["assessed_by_another"] is True
    assert "assessed_by_another" not in by_a_person
    assert "assessed_by_another" not in from_site


def test_a_day_without_a_collectors_pages_is_settled_after_the_last_round(lake: Lake, assess: Any) -> None:
    progress: dict[str, int] = {}
    with time_machine.travel(NOW + timedelta(minutes=6)):
        for _ in SCHEDULED["rounds"]:
            status = assess(input=SCHEDULED, fetch_from="pages", progress=progress)
            assert status["settled"] is False
            progress = status["progress"]
        assert assess(input=SCHEDULED, fetch_from="pages", progress=progress)["settled"] is True


def test_an_unknown_step_is_refused(assess: Any) -> None:
    with pytest.raises(ValueError, match="step is 'untold', expected look or assess"):
        assess("untold")
