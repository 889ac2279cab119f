"""Stage 6, as Lambda calls it."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from dedup_financial_data.fold import Folded, fold
from dedup_financial_data.settings import Settings
from pynvest_lake.arrow import leave_pandas_alone
from pynvest_lake.aws import client
from pynvest_lake.catalog import register_partition
from pynvest_lake.completeness import holding
from pynvest_lake.contract import SOT_ACOES, SOT_FIIS, SPEC_ATIVOS
from pynvest_lake.day import day_of_execution, days_before
from pynvest_lake.kinds import Kind
from pynvest_lake.settings import read_settings
from pynvest_lake.storage import list_day

leave_pandas_alone()
logger = Logger()

STRAY_DAYS = 6
_TICKER_COLUMNS = {
    SOT_ACOES: Kind.ACOES.ticker_column,
    SOT_FIIS: Kind.FIIS.ticker_column,
    SPEC_ATIVOS: "codigo_ticker_ativo",
}


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Fold the day's partition of one table, and strays in those of the six days before.

    Parts that have not come through to every table after this one stay as they are: a later run folds them.

    Parameters
    ----------
    event
        ``started_at``, when the workflow was started; ``input``, what it was started with, where
        ``anomesdia_exec`` may name another day.

    Raises
    ------
    PartitionBusy
        The partition changed on each of several looks.
    ValueError
        The workflow's input has anything else, or its day is none.
    """
    settings = read_settings(Settings, os.environ)
    day = day_of_execution(event, settings.schedule_timezone, ("rounds",))
    result: dict[str, Any] = {"table": settings.table.table, "anomesdia_exec": day}
    result |= vars(_fold(settings, day))
    result["strays"] = {
        str(earlier): vars(_fold(settings, earlier))
        for earlier in days_before(day, STRAY_DAYS)
        if len(list_day(client("s3"), settings.table, earlier)) > 1
    }
    logger.info("partition folded", extra=result)
    return result


def _fold(settings: Settings, day: int) -> Folded:
    """Fold what has arrived downstream: a part that stage 5 has not read yet must not go."""
    s3, table = client("s3"), settings.table
    arrived = [holding(s3, target, day) for target in settings.downstream_tables]
    folded = fold(
        s3,
        table,
        day,
        _TICKER_COLUMNS[table.table],
        lambda part: all(held.has(part.object.id, part.stamp) for held in arrived),
    )
    if folded.objects_read:
        register_partition(client("glue"), table, day)
    return folded
