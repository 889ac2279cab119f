"""Stage 1, as Lambda calls it."""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from check_and_delete_partitions.partitions import remove_day
from check_and_delete_partitions.settings import Settings
from pynvest_lake.aws import client
from pynvest_lake.day import day_of, parse_day
from pynvest_lake.messages import check_fields, parse_tickers
from pynvest_lake.settings import read_settings

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Clear the day from the lake and start stage 2.

    Parameters
    ----------
    event
        Empty from the schedule: the day is today's. An operator may give ``anomesdia_exec``, and ``tickers``
        for a trial with a few papers.

    Raises
    ------
    ValueError
        The event has anything else, or one of these is not what it should be. Nothing was removed.
    """
    check_fields(event, ("anomesdia_exec", "tickers"))
    settings = read_settings(Settings, os.environ)
    day = (
        parse_day(event["anomesdia_exec"])
        if "anomesdia_exec" in event
        else day_of(datetime.now(timezone.utc), settings.schedule_timezone)
    )
    order: dict[str, Any] = {"anomesdia_exec": day}
    if "tickers" in event:
        order["tickers"] = parse_tickers(event["tickers"])

    removed = remove_day(client("s3"), client("glue"), settings.lake_tables, day)
    # Not before everything is gone: stage 2 starts the writers of the day.
    client("lambda").invoke(
        FunctionName=settings.get_tickers_function_name,
        InvocationType="Event",
        Payload=json.dumps(order).encode(),
    )
    result = {
        "anomesdia_exec": day,
        "objects_deleted": sum(item.objects for item in removed),
        "partitions_deleted": sum(item.partition for item in removed),
    }
    logger.info("day cleared", extra={**result, "tables": [vars(item) for item in removed]})
    return result
