"""Stage 6, as Lambda calls it."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from dedup_financial_data.completeness import (
    Neighbours,
    holding,
    missing_objects,
    queued_messages,
)
from dedup_financial_data.errors import DayNotComplete, NothingArrived
from dedup_financial_data.fold import Folded, fold
from dedup_financial_data.settings import Settings
from pynvest_lake.aws import client
from pynvest_lake.catalog import register_partition
from pynvest_lake.contract import SOT_ACOES, SOT_FIIS, SPEC_ATIVOS
from pynvest_lake.day import day_of, days_before, parse_day
from pynvest_lake.kinds import Kind
from pynvest_lake.messages import check_fields
from pynvest_lake.settings import read_settings
from pynvest_lake.storage import LakeTable, list_day

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

    Parameters
    ----------
    event
        ``started_at``, when the workflow was started; ``input``, what it was started with, where
        ``anomesdia_exec`` may name another day.

    Raises
    ------
    DayNotComplete
        Messages or objects of the day are still on their way: to be tried again.
    NothingArrived
        Neither the last table nor those before it have anything of the day. Strays were folded.
    ValueError
        The workflow's input has anything else, or its day is none.
    """
    settings = read_settings(Settings, os.environ)
    day = _day(event, settings.schedule_timezone)
    table = settings.table
    neighbours = Neighbours(settings.upstream_tables, settings.downstream_tables)
    s3 = client("s3")

    problems = queued_messages(client("sqs"), settings.tickers_queue_urls)
    problems += missing_objects(s3, table, neighbours, day)
    if problems:
        raise DayNotComplete(f"{table.table} of {day} has to wait. {'. '.join(problems)}")

    result: dict[str, Any] = {"table": table.table, "anomesdia_exec": day}
    result |= vars(_fold(table, neighbours, day))
    result["strays"], result["incomplete"] = {}, {}
    for earlier in days_before(day, STRAY_DAYS):
        if len(list_day(s3, table, earlier)) < 2:
            continue
        problems = missing_objects(s3, table, neighbours, earlier)
        if problems:
            result["incomplete"][str(earlier)] = problems
        else:
            result["strays"][str(earlier)] = vars(_fold(table, neighbours, earlier))
    log = logger.warning if result["incomplete"] else logger.info
    log("partition folded", extra=result)
    # A kind may have no papers on a day that is a trial; the table that both kinds end in always has some.
    # Where it holds nothing and lacks nothing, those before it hold nothing either.
    if not neighbours.downstream and not result["objects_read"]:
        raise NothingArrived(
            f"nothing of {day} is in {table.table}, nor on its way there: see whether stages 1 and 2 ran "
            "(their logs and dead-letter queues say), run the day again, and then this workflow"
        )
    return result


def _day(event: dict[str, Any], timezone: str) -> int:
    given = event.get("input") or {}
    check_fields(given, ("anomesdia_exec",))
    if "anomesdia_exec" in given:
        return parse_day(given["anomesdia_exec"])
    started_at = event.get("started_at")
    try:
        return day_of(datetime.fromisoformat(str(started_at).replace("Z", "+00:00")), timezone)
    except ValueError as error:
        raise ValueError(f"started_at is {started_at!r}, expected an ISO 8601 moment") from error


def _fold(table: LakeTable, neighbours: Neighbours, day: int) -> Folded:
    """Fold what has arrived downstream: a part that stage 5 has not read yet must not go."""
    s3 = client("s3")
    arrived = [holding(s3, target, day) for target in neighbours.downstream]
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
