"""Stage 4, as Lambda calls it."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from prep_financial_data.prepare import prepare
from pynvest_lake.aws import client
from pynvest_lake.catalog import register_partition
from pynvest_lake.events import UnexpectedEvent, objects_of
from pynvest_lake.settings import Settings
from pynvest_lake.storage import ObjectGone, UnexpectedObject, read, write

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the SoT object of every SoR object that the event tells of.

    Raises
    ------
    UnexpectedEvent
        A record is not of this function's tables, or its object cannot be read; the others were prepared.
    """
    settings = Settings(os.environ)
    kind = settings.kind("TICKER_KIND")
    target = settings.table("TARGET_TABLE")
    objects, problems = objects_of(event, settings.tables("SOURCE_TABLES"))
    result = {"objects": 0, "rows": 0, "gone": 0, "unreadable_cells": 0}
    for source in objects:
        try:
            content = read(client("s3"), source)
        except ObjectGone as error:  # stage 1 cleared the day meanwhile
            logger.warning("object gone", extra={"reason": str(error)})
            result["gone"] += 1
            continue
        except UnexpectedObject as error:
            problems.append(str(error))
            continue
        prepared = prepare(content.rows, kind)
        for cell in prepared.unreadable:
            logger.warning(
                "cell unreadable",
                extra={
                    "table": target.table,
                    "ticker": cell.ticker,
                    "column": cell.column,
                    "text": cell.text,
                },
            )
        write(client("s3"), target.part(source.day, source.id), prepared.table)
        register_partition(client("glue"), target, source.day)
        result["objects"] += 1
        result["rows"] += len(prepared.table)
        result["unreadable_cells"] += len(prepared.unreadable)
    logger.info("objects prepared", extra=result)
    if problems:
        raise UnexpectedEvent("; ".join(problems))
    return result
