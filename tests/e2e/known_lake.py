"""A lake of four days: known rows of the sample site's assets, written directly into the tables.

A holiday repeats the previous session, with one corrected price. A delisted asset has the highest yield.
On the last day, there are a new asset, a missing asset, a stock with a split and a fund with a reverse split.
Another stock loses 31% of its shares. This loss is too small for a reverse split.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from b3.days import date_of, number_of
from pynvest_lake.catalog import register_partition
from pynvest_lake.contract import SOT_ACOES, SOT_FIIS, table_schema
from sandbox.bench.queries import TABLES, weekdays
from sandbox.lake import Lake, Table
from sandbox.site import SampleAsset, make_assets

Row = dict[str, Any]

SESSIONS = {20261118: 20261118, 20261119: 20261119, 20261120: 20261119, 20261123: 20261123}
"""Session on the site for each day: the 20th is a holiday."""
HOLIDAY, LAST = 20261120, 20261123
LIQUID = 1_000_000

DAYS_JUDGED = 31
"""Days in the quality table: one more than the thirty days that the query shows."""


def tables_of(lake: Lake) -> dict[str, Table]:
    """Return a lake's tables; the keys are the module's names for the tables."""
    assets = {f"{table.layer}_{table.kind or 'ativos'}": table for table in lake.tables}
    return {**assets, "spec_quality": lake.quality}


@dataclass(frozen=True)
class KnownLake:
    """All rows of the lake, by table, and the tickers of the special assets."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    delisted: str = ""
    mended: str = ""
    new: str = ""
    gone: str = ""
    split: str = ""
    grouped: str = ""

    def days(self, key: str) -> set[int]:
        """Return the days for which a table has rows. `key` is the table's name in the module's outputs."""
        return {row["anomesdia_exec"] for row in self.rows.get(key, ())}

    def frame(self, key: str) -> pd.DataFrame:
        """Return a table's rows of all days, with the types of the contract."""
        schema = table_schema(TABLES[key]).arrow.append(pa.field("anomesdia_exec", pa.int32()))
        return pa.Table.from_pylist(self.rows[key], schema=schema).to_pandas(types_mapper=pd.ArrowDtype)

    def latest(self, key: str) -> pd.DataFrame:
        """Return the rows of the last day of a table."""
        rows = self.frame(key)
        return rows[rows.anomesdia_exec == rows.anomesdia_exec.max()]

    def by_session(self, key: str = "spec_ativos") -> pd.DataFrame:
        """Return the last row of a table for each asset and session, in the order of the sessions."""
        rows = self.frame(key).dropna(subset="dt_ult_cot").sort_values("anomesdia_exec")
        return rows.drop_duplicates([rows.columns[0], "dt_ult_cot"], keep="last").sort_values("dt_ult_cot")

    def traded(self) -> pd.DataFrame:
        """Return the last day's Spec rows of assets with a trade in the last 30 days."""
        rows = self.latest("spec_ativos")
        return rows[rows.dt_ult_cot >= rows.dt_ult_cot.max() - timedelta(days=30)]

    def liquid(self, key: str) -> pd.DataFrame:
        """Return the last day's rows of the `traded` assets with a daily volume above a million reais."""
        rows = self.latest(key)
        return rows[rows.iloc[:, 0].isin(self.traded().codigo_ticker_ativo) & (rows.vol_med_neg_2m > LIQUID)]

    def write(self, lake: Lake, s3: Any, glue: Any) -> None:
        """Write the rows as the dedup workflow does: one object per table and day. No function starts."""
        for name, table in tables_of(lake).items():
            schema = table_schema(table.name).arrow
            for day in sorted(self.days(name)):
                rows = [row for row in self.rows[name] if row["anomesdia_exec"] == day]
                put(s3, table, day, pa.Table.from_pylist(rows, schema=schema))
                register_partition(glue, table, day)


def put(s3: Any, table: Table, day: int, rows: pa.Table) -> None:
    """Write all rows of a day as one compacted object."""
    body = io.BytesIO()
    pq.write_table(rows, body)
    key = f"{table.prefix(day)}{day:032}.compact.parquet"
    s3.put_object(Bucket=table.bucket, Key=key, Body=body.getvalue())


def make_known_lake() -> KnownLake:
    """Create the assets of four days and their rows in the tables."""
    traded = [asset for asset in make_assets(LAST) if asset.variety in ("listed", "real_estate")]
    new, gone, mended = (asset.ticker for asset in traded[1:4])
    delisted = next(asset.ticker for asset in make_assets(LAST) if asset.variety == "delisted")
    split = traded[4].ticker
    grouped = next(asset.ticker for asset in reversed(traded) if asset.variety == "real_estate")
    known = KnownLake({}, delisted, mended, new, gone, split, grouped)
    factors = {split: 2, grouped: 0.1, traded[5].ticker: 0.69}
    for day, session in SESSIONS.items():
        absent = gone if day == LAST else new
        assets = [asset for asset in make_assets(session) if asset.ticker != absent]
        for number, asset in enumerate(assets):
            rows = {
                f"sot_{asset.kind}": asset.expected_sot(day),
                "spec_ativos": asset.expected_spec(day),
            }
            for key, row in rows.items():
                changed = row | change(asset, number, day, session, known)
                if day == LAST and asset.ticker in factors:
                    changed |= regrouped(changed, factors[asset.ticker])
                more = {
                    "anomesdia_exec": day,
                    "datetime_exec": read_at(day),
                    "datetime_leitura": read_at(day),
                }
                kept = {column: value for column, value in changed.items() if column in row} | more
                known.rows.setdefault(key, []).append(kept)
    judged = map(number_of, weekdays(date_of(LAST), DAYS_JUDGED))
    known.rows["spec_quality"] = [row for day in judged for row in judgement(day)]
    return known


def judgement(day: int) -> list[Row]:
    """Return a day's quality rows. Only the holiday has a remark, with the verdict ``aviso``."""
    remark = "a sessão de 2026-11-19 se repete" if day == HOLIDAY else None
    columns = ("tabela", "medida", "coluna", "valor", "referencia", "motivo")
    rows = [
        (SOT_ACOES, "linhas", None, 60.0, 60.0, None),
        (SOT_ACOES, "preenchimento", "vlr_cot", 100.0, None, None),
        (SOT_FIIS, "sessao_repetida", None, 1.0, None, remark),
        (None, "dia", None, None, None, remark),
    ]
    of_day = {"anomesdia_exec": day, "datetime_exec": read_at(day)}
    return [
        {**dict(zip(columns, row, strict=True)), "situacao": "aviso" if row[-1] else "ok", **of_day}
        for row in rows
    ]


def change(asset: SampleAsset, number: int, day: int, session: int, known: KnownLake) -> Row:
    """Return the asset's values on `day` that differ from the site's values."""
    if asset.ticker == known.delisted:
        return {"vol_med_neg_2m": 5 * LIQUID, "vlr_ind_div_yield": 99.0, "vlr_ind_p_sobre_vp": 0.01}
    if asset.expected_spec(day)["dt_ult_cot"] != date_of(session):
        return {}
    price = float(asset.expected_spec(day)["vlr_cot"])
    percent = (7 * number + session) % 11 - 5 + (day == HOLIDAY and asset.ticker == known.mended)
    return {"vlr_cot": round(price * (1 + percent / 100), 2)}


def regrouped(row: Row, factor: float) -> Row:
    """Return the row's quantity and price after a split. A factor below one is a reverse split."""
    quantities = {name: round(row[name] * factor) for name in ("num_acoes", "num_cotas") if name in row}
    return {**quantities, "vlr_cot": round(row["vlr_cot"] / factor, 2)}


def read_at(day: int) -> datetime:
    """Return the time when the pages of a day were read."""
    return datetime.combine(date_of(day), datetime.min.time()) + timedelta(hours=18, minutes=50)
