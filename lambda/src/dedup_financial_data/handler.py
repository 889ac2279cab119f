"""Lambda handler of stage 6."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from b3.days import days_before
from dedup_financial_data.compaction import Compacted, compact, rebuild
from pynvest_lake.arrow import leave_pandas_alone
from pynvest_lake.aws import client
from pynvest_lake.catalog import register_partition
from pynvest_lake.contract import KINDS, SOT, SPEC_ATIVOS
from pynvest_lake.execution import FROM_SOR, Execution
from pynvest_lake.prepare import prepare
from pynvest_lake.settings import read_settings
from pynvest_lake.specialize import specialize
from pynvest_lake.storage import Content, LakeTable, arrived_ids, list_day

leave_pandas_alone()
logger = Logger()

STRAY_DAYS = 6
_TICKER_COLUMNS = {
    SPEC_ATIVOS: "codigo_ticker_ativo",
    **{table: kind.ticker_column for kind, table in SOT.items()},
}


@dataclass(frozen=True)
class Settings:
    """The table to compact, its source tables, and its derived tables."""

    table: LakeTable
    source_tables: tuple[LakeTable, ...]
    downstream_tables: tuple[LakeTable, ...]


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Compact a table's partition of the day.

    Partitions of the previous six days are compacted too, if they have several objects.

    If the workflow's input has ``"source": "sor"``, the day's partition is rebuilt from the source tables.
    Stage 5 makes Spec rows from SoT parts, so a SoT part is compacted only after its rows are in Spec.

    Parameters
    ----------
    event
        ``started_at`` and ``input`` are the start time and the input of the workflow.

    Raises
    ------
    PartitionBusy
        The partition changed during every attempt.
    ValueError
        The workflow's input is invalid.
    """
    settings = read_settings(Settings, os.environ)
    execution = Execution.from_event(event)
    day, table = execution.day, settings.table
    done = _rebuild(settings, day) if execution.source == FROM_SOR else _compact(settings, day)
    if done.objects_read:
        register_partition(client("glue"), table, day)
    result: dict[str, Any] = {"table": table.table, "anomesdia_exec": day, **vars(done)}
    result["strays"] = {
        str(earlier): vars(_compact(settings, earlier))
        for earlier in days_before(day, STRAY_DAYS)
        if len(list_day(client("s3"), table, earlier)) > 1
    }
    logger.info("partition compacted", extra=result)
    return result


def _compact(settings: Settings, day: int) -> Compacted:
    s3, table = client("s3"), settings.table

    def arrived() -> frozenset[str]:
        held = [arrived_ids(s3, list_day(s3, target, day)) for target in settings.downstream_tables]
        return frozenset.intersection(*held)

    return compact(
        s3, table, day, _TICKER_COLUMNS[table.table], arrived if settings.downstream_tables else None
    )


def _rebuild(settings: Settings, day: int) -> Compacted:
    table = settings.table

    def rows_of(content: Content) -> pa.Table:
        kind = KINDS[content.object.table.table]
        if table.table == SPEC_ATIVOS:
            return specialize(content.rows, kind)
        return prepare(content.rows, kind, day).table

    return rebuild(client("s3"), table, day, _TICKER_COLUMNS[table.table], settings.source_tables, rows_of)
