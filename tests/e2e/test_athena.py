"""Saved queries and views return the known lake's rows, and the reader's role permits only queries."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from faulty_lake import SHARED_DIR
from known_lake import HOLIDAY, LAST, KnownLake, Row, make_known_lake, tables_of
from pandas.testing import assert_frame_equal
from role import Role, not_refused

from b3.days import date_of
from pynvest_lake.contract import SPEC_ATIVOS
from report.__main__ import main as report
from report.athena import Answer, Athena
from report.history import DAYS, SERIES, SHARES, AssetHistory
from report.snapshot import Snapshot, take_snapshot
from sandbox.console import Console
from sandbox.emulator import REGION
from sandbox.lake import Lake
from sandbox.local import LocalLake

pytestmark = pytest.mark.e2e

DOCS = Path(__file__).resolve().parents[2] / "docs"
NOTEBOOK, DUCKDB = re.findall(
    r"^```python\n(.*?)^```$", (DOCS / "recipes.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
)
"""The two programs in docs/recipes.md."""
NOWHERE = {"fundamentus_base_url": "http://127.0.0.1:9"}
"""These tests read no page: the address does not answer."""


class Asked:
    """The applied module, with the rows of the known lake in its tables."""

    def __init__(self, local: LocalLake) -> None:
        self.local = local
        self.lake: Lake = local.lake
        self.outputs = local.terraform.outputs()
        s3 = local.emulator.client("s3")
        self.athena = Athena(local.emulator.client("athena"), self.lake.workgroup)
        self.empty = take_snapshot(self.athena, s3)
        self.known: KnownLake = make_known_lake()
        self.known.write(self.lake, s3, local.emulator.client("glue"))


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    local = LocalLake(tmp_path_factory.mktemp("athena"), NOWHERE, shared_dir=SHARED_DIR)
    with local.emulator, local.applying(Console()):
        yield Asked(local)


@pytest.fixture(scope="module")
def reader(asked: Asked) -> Role:
    return Role(asked.local.emulator, "reader", asked.outputs["reader_policy_json"])


@pytest.fixture(scope="module")
def athena(asked: Asked, reader: Role) -> Athena:
    """Return Athena with the rights of a reader."""
    return Athena(reader.client("athena"), asked.lake.workgroup)


def check(answer: Answer, expected: pd.DataFrame, rounded: float = 0) -> None:
    """Check an answer's columns and rows, and their order; numbers may differ by `rounded`."""
    assert answer.columns == list(expected)
    found = pd.DataFrame(answer.rows, columns=answer.columns, dtype=pd.ArrowDtype(pa.string()))
    assert_frame_equal(
        found.astype(expected.dtypes), expected.reset_index(drop=True), rtol=1e-9, atol=rounded
    )


def rows_of(frame: pd.DataFrame) -> list[Row]:
    """Return the rows of a frame with Python's types."""
    return list(pa.Table.from_pandas(frame, preserve_index=False).to_pylist())


def with_previous(rows: pd.DataFrame) -> pd.DataFrame:
    """Add to each row the asset's previous session, price and quantity. `rows` must be sorted by session."""
    before = rows.groupby("codigo_ticker_ativo").shift()
    return rows.assign(
        sessao_anterior=before.dt_ult_cot,
        vlr_cot_anterior=before.vlr_cot,
        quantidade_anterior=before.get("quantidade"),
    )


def splits(known: KnownLake) -> pd.DataFrame:
    """Return the known lake's rows for the split and for the reverse split."""
    stocks, funds = known.by_session("sot_acoes"), known.by_session("sot_fiis")
    of_stocks = {"nome_papel": "codigo_ticker_ativo", "nome_empresa": "nome_ativo", "num_acoes": "quantidade"}
    of_funds = {"fii": "codigo_ticker_ativo", "nome_fii": "nome_ativo", "num_cotas": "quantidade"}
    rows = pd.concat(
        [
            stocks.rename(columns=of_stocks).assign(tipo_ativo="Ação"),
            funds.rename(columns=of_funds).assign(tipo_ativo="Fundo Imobiliário"),
        ]
    )
    rows = with_previous(rows[rows.codigo_ticker_ativo.isin([known.split, known.grouped])])
    rows["fator"] = rows.quantidade / rows.quantidade_anterior
    return rows[rows.anomesdia_exec == LAST].sort_values("codigo_ticker_ativo")[
        [
            *("codigo_ticker_ativo", "tipo_ativo", "nome_ativo", "sessao_anterior", "dt_ult_cot", "fator"),
            *("quantidade_anterior", "quantidade", "vlr_cot_anterior", "vlr_cot", "anomesdia_exec"),
        ]
    ]


VIEWS: dict[str, Callable[[KnownLake], pd.DataFrame]] = {
    "vw_acoes_ultimo_dia": lambda known: known.latest("sot_acoes"),
    "vw_fiis_ultimo_dia": lambda known: known.latest("sot_fiis"),
    "vw_ativos_ultimo_dia": lambda known: known.latest("spec_ativos"),
    "vw_ativos_por_sessao": KnownLake.by_session,
    "vw_ativos_negociados": KnownLake.traded,
    "vw_possiveis_desdobramentos": splits,
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_returns_the_expected_rows_and_columns_to_a_reader(
    asked: Asked, athena: Athena, name: str
) -> None:
    expected = VIEWS[name](asked.known)
    view, order = f"{asked.lake.table('spec').database}.{name}", [expected.columns[0], "dt_ult_cot"]

    answer = athena.ask(f"SELECT * FROM {view} ORDER BY {', '.join(order)}")  # noqa: S608

    check(answer, expected.sort_values(order))


def maiores_dividendos(known: KnownLake) -> pd.DataFrame:
    of_stocks = {"nome_papel": "papel", "nome_empresa": "nome", "nome_setor": "setor"}
    of_funds = {"fii": "papel", "nome_fii": "nome", "segmento": "setor"}
    stocks = known.liquid("sot_acoes").rename(columns={**of_stocks, "vlr_ind_div_yield": "dividend_yield"})
    funds = known.liquid("sot_fiis").rename(columns={**of_funds, "vlr_div_yield": "dividend_yield"})
    rows = pd.concat([stocks.assign(tipo="Ação"), funds.assign(tipo="Fundo Imobiliário")])
    rows = rows.dropna(subset="dividend_yield")
    return rows.sort_values(["dividend_yield", "papel"], ascending=[False, True]).head(20)


def fiis_por_segmento(known: KnownLake) -> pd.DataFrame:
    funds = known.latest("sot_fiis")
    funds = funds[funds.fii.isin(known.traded().codigo_ticker_ativo)]
    valued = funds[funds.vlr_mercado.notna() & (funds.vlr_patrim_liq > 0)]
    segments, of_valued = (rows.groupby("segmento", dropna=False) for rows in (funds, valued))
    answer = pd.DataFrame(
        {
            "fundos": segments.size(),
            "dividend_yield_medio": segments.vlr_div_yield.mean(),
            "p_vp_medio": segments.vlr_p_sobre_vp.mean(),
            "p_vp_do_segmento": of_valued.vlr_mercado.sum() / of_valued.vlr_patrim_liq.sum(),
            "patrimonio_liquido": segments.vlr_patrim_liq.sum(min_count=1),
        }
    )
    return answer.reset_index().sort_values(["fundos", "segmento"], ascending=[False, True])


def menores_p_vp(known: KnownLake) -> pd.DataFrame:
    stocks = known.liquid("sot_acoes")
    stocks = stocks[stocks.vlr_ind_p_sobre_vp > 0]
    stocks = stocks.sort_values(["nome_setor", "vlr_ind_p_sobre_vp", "nome_papel"])
    stocks["posicao"] = stocks.groupby("nome_setor", dropna=False).cumcount() + 1
    return stocks[stocks.posicao <= 3]


def formula_magica(known: KnownLake) -> pd.DataFrame:
    stocks = known.liquid("sot_acoes")
    stocks = stocks[(stocks.vlr_ind_roic > 0) & (stocks.vlr_ind_ev_sobre_ebit > 0)]
    roic = stocks.vlr_ind_roic.rank(method="min", ascending=False).astype(int)
    ev_ebit = stocks.vlr_ind_ev_sobre_ebit.rank(method="min").astype(int)
    stocks = stocks.assign(posicao_roic=roic, posicao_ev_ebit=ev_ebit, soma=roic + ev_ebit)
    return stocks.sort_values(["soma", "nome_papel"]).head(30)


def numero_de_graham(known: KnownLake) -> pd.DataFrame:
    stocks = known.liquid("sot_acoes")
    stocks = stocks[(stocks.vlr_ind_lpa > 0) & (stocks.vlr_ind_vpa > 0)]
    graham = (22.5 * stocks.vlr_ind_lpa * stocks.vlr_ind_vpa) ** 0.5
    stocks = stocks.assign(numero_de_graham=graham, margem=graham / stocks.vlr_cot - 1)
    return stocks.sort_values(["margem", "nome_papel"], ascending=[False, True]).head(30)


def divida_liquida(known: KnownLake) -> pd.DataFrame:
    stocks = known.liquid("sot_acoes")
    stocks = stocks[stocks.vlr_divida_liq.notna() & (stocks.vlr_patrim_liq > 0)]
    stocks["divida_liquida_sobre_patrimonio"] = stocks.vlr_divida_liq / stocks.vlr_patrim_liq
    by = ["divida_liquida_sobre_patrimonio", "nome_papel"]
    return stocks.sort_values(by, ascending=[False, True]).head(50)


def serie(known: KnownLake) -> pd.DataFrame:
    rows = known.by_session()
    rows = rows[rows.codigo_ticker_ativo == "PETR4"]
    return rows.assign(variacao=rows.vlr_cot / rows.vlr_cot.shift() - 1)


def o_que_mudou(known: KnownLake) -> pd.DataFrame:
    liquid = [*known.liquid("sot_acoes").nome_papel, *known.liquid("sot_fiis").fii]
    rows = with_previous(known.by_session())
    rows["variacao"] = rows.vlr_cot / rows.vlr_cot_anterior - 1
    rows["distance"] = rows.variacao.abs()
    moved = rows[(rows.dt_ult_cot == rows.dt_ult_cot.max()) & rows.codigo_ticker_ativo.isin(liquid)]
    moved = moved.dropna(subset="variacao")
    return moved.sort_values(["distance", "codigo_ticker_ativo"], ascending=[False, True]).head(30)


def novos_e_sumidos(known: KnownLake) -> pd.DataFrame:
    rows = known.frame("spec_ativos").set_index(["codigo_ticker_ativo", "anomesdia_exec"], drop=False)
    return rows.loc[[(known.new, LAST), (known.gone, HOLIDAY)]].assign(situacao=["novo", "sumiu"])


def qualidade(known: KnownLake) -> pd.DataFrame:
    days = sorted(known.days("spec_quality"))[-30:]
    rows = known.frame("spec_quality")
    rows["detail"] = rows.medida != "dia"
    rows = rows[rows.anomesdia_exec.isin(days) & (~rows.detail | (rows.situacao != "ok"))]
    return rows.sort_values(["anomesdia_exec", "detail"], ascending=[False, True])


QUERIES: dict[str, tuple[Callable[[KnownLake], pd.DataFrame], str]] = {
    "maiores-dividendos": (
        maiores_dividendos,
        "papel tipo nome setor vlr_cot dividend_yield vol_med_neg_2m",
    ),
    "fiis-por-segmento": (
        fiis_por_segmento,
        "segmento fundos dividend_yield_medio p_vp_medio p_vp_do_segmento patrimonio_liquido",
    ),
    "menores-p-vp-por-setor": (
        menores_p_vp,
        "nome_setor posicao nome_papel nome_empresa vlr_cot vlr_ind_p_sobre_vp vlr_ind_roe",
    ),
    "formula-magica": (
        formula_magica,
        (
            "nome_papel nome_empresa nome_setor vlr_cot vlr_ind_roic vlr_ind_ev_sobre_ebit "
            "posicao_roic posicao_ev_ebit soma"
        ),
    ),
    "numero-de-graham": (
        numero_de_graham,
        "nome_papel nome_empresa vlr_cot vlr_ind_lpa vlr_ind_vpa numero_de_graham margem",
    ),
    "divida-liquida-sobre-patrimonio": (
        divida_liquida,
        "nome_papel nome_empresa nome_setor vlr_divida_liq vlr_patrim_liq divida_liquida_sobre_patrimonio",
    ),
    "serie-de-um-papel": (serie, "dt_ult_cot vlr_cot variacao vlr_min_52_sem vlr_max_52_sem"),
    "o-que-mudou": (
        o_que_mudou,
        (
            "codigo_ticker_ativo tipo_ativo nome_ativo sessao_anterior vlr_cot_anterior "
            "dt_ult_cot vlr_cot variacao"
        ),
    ),
    "papeis-novos-e-sumidos": (
        novos_e_sumidos,
        "situacao codigo_ticker_ativo tipo_ativo nome_ativo dt_ult_cot anomesdia_exec",
    ),
    "possiveis-desdobramentos": (
        splits,
        (
            "codigo_ticker_ativo tipo_ativo nome_ativo sessao_anterior dt_ult_cot fator "
            "quantidade_anterior quantidade vlr_cot_anterior vlr_cot"
        ),
    ),
    "qualidade-dos-ultimos-30-dias": (
        qualidade,
        "anomesdia_exec situacao tabela medida coluna valor referencia motivo",
    ),
}
"""For each named query, its expected rows before rounding, and its columns."""

ROUNDED = {
    "fiis-por-segmento": 0.0050001,
    "numero-de-graham": 0.0050001,
    "divida-liquida-sobre-patrimonio": 0.0000501,
}
"""Maximum difference between a query's rounded numbers and the expected numbers."""


def answer_to(name: str, known: KnownLake) -> pd.DataFrame:
    """Return the expected answer to a named query."""
    rows, columns = QUERIES[name]
    return rows(known)[columns.split()]


@pytest.mark.parametrize("name", QUERIES)
def test_a_named_query_returns_the_values_of_the_assets_to_a_reader(
    asked: Asked, athena: Athena, name: str
) -> None:
    expected = answer_to(name, asked.known)

    assert len(expected)
    check(athena.ask_by_name(name), expected, ROUNDED.get(name, 0))


def test_every_named_query_is_tested(asked: Asked) -> None:
    assert set(asked.athena.named_queries()) == set(QUERIES)


def test_the_queries_of_the_quality_page_return_the_expected_rows(asked: Asked) -> None:
    known = asked.known
    stocks, spec = known.latest("sot_acoes"), known.latest("spec_ativos")
    bounded = stocks.dropna(subset=["vlr_min_52_sem", "vlr_max_52_sem"])
    before = known.frame("sot_acoes")
    before = before[before.anomesdia_exec == HOLIDAY]
    expected = {
        "tbspec_pynvest_qualidade\nWHERE anomesdia_exec": 0,  # a good day has no rows
        "tbspec_pynvest_qualidade\nWHERE tabela": min(30, len(known.days("spec_quality"))),
        "AS antes": before.nome_papel.isin(stocks.nome_papel).sum(),
        "AS texto": 0,  # the lake has no SoR rows
        "dt_ult_cot, count": min(10, len(spec[["tipo_ativo", "dt_ult_cot"]].drop_duplicates())),
        "vlr_cot < vlr_min_52_sem": (
            ~bounded.vlr_cot.between(bounded.vlr_min_52_sem, bounded.vlr_max_52_sem)
        ).sum(),
        "AS por_vp": len(stocks),
    }
    queries = re.findall(r"```sql\n(.*?)```", (DOCS / "quality.md").read_text("utf-8"), re.DOTALL)

    found = {part: len(asked.athena.ask(sql).rows) for sql in queries for part in expected if part in sql}

    assert len(queries) == len(expected)
    assert found == expected


def test_the_known_lake_has_the_special_cases_of_the_queries(asked: Asked) -> None:
    known = asked.known
    rows = known.by_session()
    assert rows.anomesdia_exec[rows.codigo_ticker_ativo == known.mended].tolist() == [20261118, HOLIDAY, LAST]
    assert known.delisted not in set(known.traded().codigo_ticker_ativo)

    stocks = known.latest("sot_acoes").set_index("nome_papel")
    banks = known.liquid("sot_acoes").dropna(subset="vlr_depositos")

    assert stocks.vlr_ind_div_yield.idxmax() == known.delisted
    assert stocks.dt_ult_cot[known.delisted] < date_of(LAST).replace(year=2025)
    assert len(banks)
    assert banks[["vlr_divida_liq", "vlr_ind_ev_sobre_ebit"]].isna().all(axis=None)


def test_the_snapshot_of_an_empty_lake_is_empty(asked: Asked) -> None:
    assert asked.empty == Snapshot([], [], [], [], {})


def test_a_readers_snapshot_has_the_rows_of_the_lake(asked: Asked, athena: Athena, reader: Role) -> None:
    known = asked.known
    quality = answer_to("qualidade-dos-ultimos-30-dias", known)
    days = known.frame("spec_quality")
    bad = days[(days.medida == "dia") & (days.situacao != "ok")]

    snapshot = take_snapshot(athena, reader.client("s3"))

    assert list(snapshot.stocks) == rows_of(known.latest("sot_acoes").sort_values("nome_papel"))
    assert list(snapshot.funds) == rows_of(known.latest("sot_fiis").sort_values("fii"))
    assert [{column: row[column] for column in quality} for row in snapshot.quality] == rows_of(quality)
    assert snapshot.bad_days == dict(zip(bad.anomesdia_exec, bad.situacao, strict=True))
    assert {asset.ticker for asset in snapshot.assets()} == set(known.traded().codigo_ticker_ativo)


@pytest.mark.parametrize("days", [DAYS, 2])
def test_a_readers_snapshot_has_the_history_of_every_asset(
    asked: Asked, athena: Athena, reader: Role, days: int
) -> None:
    found = take_snapshot(athena, reader.client("s3"), days).histories

    assert {history.ticker: history for history in found} == expected_histories(asked.known, days)
    assert len({session for history in found for session in history.sessions}) > 1


def expected_histories(known: KnownLake, days: int) -> dict[str, AssetHistory]:
    """Return each asset's history, with each session once. `days` is the number of newest days to read."""
    expected = {}
    for key, ticker in (("sot_acoes", "nome_papel"), ("sot_fiis", "fii")):
        rows = known.by_session(key)
        rows = rows[rows.anomesdia_exec.isin(sorted(known.days(key))[-days:])]
        for name, of_asset in rows.groupby(ticker):
            columns = pa.Table.from_pandas(of_asset).to_pydict()
            values = {column: columns[column] for column in SERIES[ticker]}
            shares = [None if count is None else float(count) for count in columns[SHARES[ticker]]]
            expected[name] = AssetHistory(name, columns["dt_ult_cot"], values, shares)
    return expected


def test_a_reader_can_write_page_and_sheets_with_the_report_command(
    asked: Asked, reader: Role, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", asked.local.emulator.endpoint_url)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(asked.local.emulator.ca_bundle))
    workgroup = "--workgroup", asked.lake.workgroup

    assert report([*workgroup, "--out", str(tmp_path / "day.html")], session=reader.session) == 0
    assert (
        report([*workgroup, "--csv", "en", "--out", str(tmp_path / "day.csv")], session=reader.session) == 0
    )

    html = (tmp_path / "day.html").read_text(encoding="utf-8")
    assert "Pregão de 23/11/2026" in html
    assert "chart-series" in html
    for kind in ("acoes", "fiis"):
        lines = (tmp_path / f"day-{kind}.csv").read_text(encoding="utf-8-sig").splitlines()
        expected = asked.known.latest(f"sot_{kind}")
        assert lines[0].split(",") == list(expected)
        assert len(lines) == 1 + len(expected)


@pytest.mark.parametrize("workgroup", ["primary", "none"])
def test_the_report_command_ends_with_a_message_if_there_is_no_lake(
    asked: Asked,
    workgroup: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", asked.local.emulator.endpoint_url)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(asked.local.emulator.ca_bundle))

    assert report(["--workgroup", workgroup, "--out", str(tmp_path / "day.html")]) == 1
    assert capsys.readouterr().err.startswith("report: ")
    assert not (tmp_path / "day.html").exists()


def frame_of(recipe: str, expression: str, asked: Asked, reader: Role, directory: Path) -> pd.DataFrame:
    """Run a recipe in a separate process with the reader's credentials. Return the value of `expression`."""
    env = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": asked.local.emulator.endpoint_url,
        "AWS_CA_BUNDLE": str(asked.local.emulator.ca_bundle),
        "AWS_DEFAULT_REGION": REGION,
        **reader.env(),
    }
    program = f"{recipe}\n{expression}.to_parquet('frame.parquet')\n"
    subprocess.run([sys.executable, "-c", program], cwd=directory, env=env, check=True, timeout=120)
    return pd.read_parquet(directory / "frame.parquet")


def test_the_notebook_recipe_returns_the_assets_of_the_last_day(
    asked: Asked, reader: Role, tmp_path: Path
) -> None:
    frame = frame_of(NOTEBOOK, "stocks", asked, reader, tmp_path)

    columns = ["vlr_cot", "vlr_ind_p_sobre_vp", "pct_var_dia"]
    found, expected = (
        stocks.set_index("nome_papel")[columns].sort_index().astype(float)
        for stocks in (frame, asked.known.latest("sot_acoes"))
    )
    assert_frame_equal(found, expected, check_index_type=False)


def test_the_duckdb_recipe_returns_one_row_per_session_also_in_a_second_run(
    asked: Asked, reader: Role, tmp_path: Path
) -> None:
    gone = tmp_path / SPEC_ATIVOS / "anomesdia_exec=20261117" / "0.part.parquet"
    gone.parent.mkdir(parents=True)
    gone.write_bytes(b"of a part that was compacted since")
    columns = ["codigo_ticker_ativo", "dt_ult_cot", "vlr_cot"]
    expected = asked.known.by_session()[columns].sort_values(columns, ignore_index=True)

    for _ in range(2):
        frame = frame_of(DUCKDB, "series.df()", asked, reader, tmp_path)

        found = frame[columns].astype(expected.dtypes).sort_values(columns, ignore_index=True)
        assert_frame_equal(found, expected)
        assert not gone.exists()


def make_athena_calls(asked: Asked, reader: Role) -> None:
    """Call Glue and S3 with the reader's role, as AWS Athena does. The emulator's Athena skips IAM checks."""
    glue, s3 = reader.client("glue"), reader.client("s3")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_database(Name="default")
    glue.get_databases()
    for name, table in tables_of(asked.lake).items():
        glue.get_database(Name=table.database)
        glue.get_tables(DatabaseName=table.database)
        named = {"DatabaseName": table.database, "TableName": table.name}
        glue.get_table(DatabaseName=table.database, Name=table.name)
        days = asked.known.days(name)
        partitions = glue.get_partitions(**named)["Partitions"]
        assert {int(partition["Values"][0]) for partition in partitions} == days
        glue.batch_get_partition(**named, PartitionsToGet=[{"Values": [str(day)]} for day in days])
        s3.get_bucket_location(Bucket=table.bucket)
        s3.list_objects_v2(Bucket=table.bucket, Prefix=f"{table.name}/")
        for day in days:
            glue.get_partition(**named, PartitionValues=[str(day)])
            (item,) = s3.list_objects_v2(Bucket=table.bucket, Prefix=table.prefix(day))["Contents"]
            s3.get_object(Bucket=table.bucket, Key=item["Key"])
        assert reader.may_in_glue(table.database, table.name)
    for view in VIEWS:
        glue.get_table(DatabaseName=asked.lake.table("spec").database, Name=view)
        assert reader.may_in_glue(asked.lake.table("spec").database, view)

    result = {"Bucket": asked.lake.work_bucket, "Key": "athena-results/a-query.csv"}
    s3.get_bucket_location(Bucket=result["Bucket"])
    s3.put_object(**result, Body=b"a,b")
    assert s3.get_object(**result)["Body"].read() == b"a,b"
    s3.list_objects_v2(Bucket=result["Bucket"], Prefix="athena-results/")
    upload = s3.create_multipart_upload(**result)["UploadId"]
    s3.upload_part(**result, UploadId=upload, PartNumber=1, Body=b"a,b")
    s3.list_multipart_uploads(Bucket=result["Bucket"])
    s3.list_parts(**result, UploadId=upload)
    s3.abort_multipart_upload(**result, UploadId=upload)


def make_console_calls(asked: Asked, reader: Role) -> None:
    """Call Athena as the AWS console does, with the reader's role."""
    athena, workgroup = reader.client("athena"), asked.lake.workgroup
    catalog = {"CatalogName": "AwsDataCatalog"}
    database = asked.lake.table("spec").database

    assert workgroup in [one["Name"] for one in athena.list_work_groups()["WorkGroups"]]
    athena.get_work_group(WorkGroup=workgroup)
    athena.list_data_catalogs()
    athena.get_data_catalog(Name="AwsDataCatalog")
    athena.list_databases(**catalog)
    athena.get_database(**catalog, DatabaseName=database)
    athena.list_table_metadata(**catalog, DatabaseName=database)
    athena.get_table_metadata(**catalog, DatabaseName=database, TableName="vw_ativos_ultimo_dia")
    (query, *_) = athena.list_named_queries(WorkGroup=workgroup)["NamedQueryIds"]
    athena.get_named_query(NamedQueryId=query)
    asked.athena.ask("SELECT 1")
    (execution, *_) = athena.list_query_executions(WorkGroup=workgroup)["QueryExecutionIds"]
    athena.batch_get_query_execution(QueryExecutionIds=[execution])
    athena.stop_query_execution(QueryExecutionId=execution)


def test_a_reader_is_granted_exactly_what_athena_and_its_console_need(asked: Asked, reader: Role) -> None:
    Athena(reader.client("athena"), asked.lake.workgroup).ask_by_name("formula-magica")
    make_athena_calls(asked, reader)
    make_console_calls(asked, reader)

    # ODBC and JDBC drivers use this action. The SDKs do not use this action.
    assert reader.actions() - reader.used() == {"athena:GetQueryResultsStream"}


def forbidden_calls(asked: Asked, reader: Role) -> Iterator[partial[Any]]:
    lake, client = asked.lake, reader.client
    s3, glue, athena = client("s3"), client("glue"), client("athena")
    work = {"Bucket": lake.work_bucket}
    packages = {"Bucket": lake.work_bucket.replace("-work-", "-packages-")}
    for table in tables_of(lake).values():
        item = {"Bucket": table.bucket, "Key": f"{table.prefix(LAST)}0.part.parquet"}
        named = {"DatabaseName": table.database, "TableName": table.name}
        yield partial(s3.put_object, **item, Body=b"")
        yield partial(s3.delete_object, **item)
        yield partial(s3.list_objects_v2, Bucket=table.bucket)
        yield partial(glue.delete_partition, **named, PartitionValues=[str(LAST)])
        yield partial(glue.delete_table, DatabaseName=table.database, Name=table.name)
        yield partial(glue.update_table, DatabaseName=table.database, TableInput={"Name": table.name})
    for part in ("pages", "ledger"):
        key = f"{part}/anomesdia_exec={LAST}/0"
        yield partial(s3.get_object, **work, Key=key)
        yield partial(s3.put_object, **work, Key=key, Body=b"")
        yield partial(s3.list_objects_v2, **work, Prefix=f"{part}/")
    yield partial(s3.list_objects_v2, **work)
    yield partial(s3.delete_object, **work, Key="athena-results/a-query.csv")
    yield partial(s3.list_objects_v2, **packages)
    yield partial(s3.get_object, **packages, Key="get_tickers/0.zip")
    yield partial(s3.put_object, **packages, Key="get_tickers/0.zip", Body=b"")
    for function in lake.functions:
        yield partial(client("lambda").invoke, FunctionName=function)
    for url in lake.ticker_queues.values():
        yield partial(client("sqs").send_message, QueueUrl=url, MessageBody="{}")
    yield partial(client("stepfunctions").start_execution, stateMachineArn=asked.outputs["workflow_arn"])
    sql, workgroup = {"QueryString": "SELECT 1"}, {"WorkGroup": lake.workgroup}
    yield partial(athena.start_query_execution, **sql, WorkGroup="primary")
    yield partial(athena.create_named_query, **sql, **workgroup, Name="own", Database="d")
    yield partial(athena.update_work_group, **workgroup)
    yield partial(athena.delete_work_group, **workgroup)
    in_another_workgroup = asked.local.emulator.client("athena").start_query_execution(
        **sql, ResultConfiguration={"OutputLocation": f"s3://{lake.work_bucket}/athena-results/"}
    )
    yield partial(athena.get_query_results, QueryExecutionId=in_another_workgroup["QueryExecutionId"])


def test_a_reader_may_do_nothing_else(asked: Asked, reader: Role) -> None:
    assert not_refused(forbidden_calls(asked, reader)) == []
