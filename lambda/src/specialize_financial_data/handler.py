"""Stage 5, as Lambda calls it."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from pynvest_lake.aws import client
from pynvest_lake.catalog import register_partition
from pynvest_lake.contract import SOT_ACOES, SOT_FIIS
from pynvest_lake.events import UnexpectedEvent, objects_of
from pynvest_lake.kinds import Kind
from pynvest_lake.settings import Settings
from pynvest_lake.storage import ObjectGone, UnexpectedObject, read, write
from specialize_financial_data.specialize import specialize

logger = Logger()

_KINDS = {SOT_ACOES: Kind.ACOES, SOT_FIIS: Kind.FIIS}


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the Spec object of every SoT object that the event tells of.

    Raises
    ------
    UnexpectedEvent
        A record is not of this function's tables, or its object cannot be read; the others were specialized.
    """
    settings = Settings(os.environ)
    target = settings.table("TARGET_TABLE")
    objects, problems = objects_of(event, settings.tables("SOURCE_TABLES"))
    result = {"objects": 0, "rows": 0, "gone": 0}
    for source in objects:
        try:
            content = read(client("s3"), source)
        except ObjectGone as error:  # cleared by stage 1, or folded: then Spec has its rows
            logger.warning("object gone", extra={"reason": str(error)})
            result["gone"] += 1
            continue
        except UnexpectedObject as error:
            problems.append(str(error))
            continue
        rows = specialize(content.rows, _KINDS[source.table.table])
        write(client("s3"), target.part(source.day, source.id), rows)
        register_partition(client("glue"), target, source.day)
        result["objects"] += 1
        result["rows"] += len(rows)
    logger.info("objects specialized", extra=result)
    if problems:
        raise UnexpectedEvent("; ".join(problems))
    return result
