"""Stage 1, as Lambda calls it."""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from check_and_delete_partitions.kept_pages import check_pages
from check_and_delete_partitions.order import Order, parse_order, refusal
from check_and_delete_partitions.partitions import remove_day, remove_objects
from check_and_delete_partitions.settings import Settings
from pynvest_lake.archive import Archive
from pynvest_lake.aws import client
from pynvest_lake.day import day_of
from pynvest_lake.ledger import listing_key, prefix
from pynvest_lake.settings import read_settings

logger = Logger()


class OrderRefused(ValueError):  # noqa: N818 - what happened
    """The day may not be run like this; the text says why, and what to do instead. Nothing was removed."""


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Clear the day from the lake and start stage 2.

    Parameters
    ----------
    event
        Empty from the schedule: the day is today's. A person may give ``anomesdia_exec``, ``tickers`` for a
        trial with a few papers, and ``source``: ``pages``, to run a day from its kept pages (with ``partial``
        even where some are lacking). Or S3's event of a collector's manifest.

    Raises
    ------
    OrderRefused, PagesLacking, ValueError
        The day is to come, or past and not to be run from its pages; the archive lacks some; or the event is
        not what it should be. Nothing was removed.
    ObjectsNotDeleted, PartitionNotDeleted
        Something would not go. Nothing was started.
    """
    settings = read_settings(Settings, os.environ)
    today = day_of(datetime.now(timezone.utc), settings.schedule_timezone)
    order = parse_order(event, today)
    s3, day = client("s3"), order.day
    archive = Archive(s3, settings.work_bucket)
    if why_not := refusal(order, today, settings.fetch_from):
        raise OrderRefused(why_not)
    if order.from_pages:
        check_pages(s3, archive, settings.lake_tables, day, partial=order.partial)

    # The listing goes first: without it nothing that is still there passes for a whole day. What the batches
    # say goes last: it names objects that count only while they lie in SoR.
    remove_objects(s3, settings.work_bucket, listing_key(day))
    removed = remove_day(s3, client("glue"), settings.lake_tables, day)
    remove_objects(s3, settings.work_bucket, prefix(day))
    _start(settings, order)
    result = {
        "anomesdia_exec": day,
        "objects_deleted": sum(item.objects for item in removed),
        "partitions_deleted": sum(item.partition for item in removed),
    }
    logger.info("day cleared", extra={**result, "tables": [vars(item) for item in removed]})
    return result


def _start(settings: Settings, order: Order) -> None:
    """Start stage 2, and for a day that was brought the workflow: not before everything is gone."""
    fields: dict[str, Any] = {"anomesdia_exec": order.day}
    if order.tickers is not None:
        fields["tickers"] = list(order.tickers)
    if order.from_pages:
        fields["source"] = "pages"
    client("lambda").invoke(
        FunctionName=settings.get_tickers_function_name,
        InvocationType="Event",
        Payload=json.dumps(fields).encode(),
    )
    if order.brought:
        client("stepfunctions").start_execution(
            stateMachineArn=settings.workflow_arn, input=json.dumps({"anomesdia_exec": order.day})
        )
