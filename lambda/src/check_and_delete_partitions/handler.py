"""Lambda handler of stage 1."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from b3.days import DayRefused, check_run_day, day_at, may_be_collected
from b3.kind import Kind
from check_and_delete_partitions.partitions import remove_day, remove_objects
from pynvest_lake.archive import Archive
from pynvest_lake.aws import client
from pynvest_lake.day_request import DayRequest
from pynvest_lake.execution import FROM_PAGES
from pynvest_lake.ledger import Ledger, listing_key, moment_of, prefix
from pynvest_lake.settings import read_settings
from pynvest_lake.storage import LakeTable

logger = Logger()


@dataclass(frozen=True)
class Settings:
    """The settings of stage 1.

    ``lake_tables`` are the tables to clear, in the order Spec, SoT, SoR. ``fetch_from`` is ``site``, or
    ``pages`` if a collector uploads the pages.
    """

    lake_tables: tuple[LakeTable, ...]
    work_bucket: str
    get_tickers_function_name: str
    workflow_arn: str
    fetch_from: str


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Start the run of a day, from the site or from archived pages, or remove a day that is after today.

    Parameters
    ----------
    event
        The schedule sends ``scheduled_at``, whose date in Sao Paulo is the run day. A person sends an empty
        event for today's run, or ``tickers`` for a partial run. To read a day's archived pages again, a
        person sends ``anomesdia_exec`` and ``"source": "pages"``. To remove a day that is after today, a
        person sends ``anomesdia_exec`` and ``remove``. S3 sends an event when a collector stores a manifest.

    Returns
    -------
    dict
        ``anomesdia_exec`` is the run day. If data was deleted, the result has the numbers of deleted objects
        and partitions. ``refused`` says why the site cannot be used; in that case nothing was done.
        ``ignored`` says why a manifest, or a repeated event of the schedule, did not start a run.

    Raises
    ------
    DayRefused, ValueError
        This event is not allowed for the day, or the event is invalid. Nothing was removed.
    NotDeleted
        Objects or a partition could not be deleted. Nothing was started.
    """
    settings = read_settings(Settings, os.environ)
    now = datetime.now(timezone.utc)
    request = DayRequest.to_start(event, now)
    day = request.day
    if request.remove:
        if day <= day_at(now):
            raise DayRefused(
                f"{day} is not after today: only later days are removed this way. docs/operations.md says "
                "how an administrator removes other days"
            )
        cleared = _clear(settings, day)
        remove_objects(client("s3"), settings.work_bucket, prefix(day))
        return _logged("day removed", day, **cleared)
    check_run_day(day, now)
    if request.from_pages:
        return _start_from_pages(settings, request, now)
    if settings.fetch_from == "pages":
        raise DayRefused(
            'this lake does not ask the site (fetch_from is "pages"): a collector brings the pages and starts'
            f' the day; to read a day\'s archived pages, use {{"anomesdia_exec": {day}, "source": "pages"}}'
        )
    check_run_day(day, now, today_only=True)
    if request.tickers is not None:
        _get_tickers(settings, {"anomesdia_exec": day, "tickers": list(request.tickers)})
        return _logged("partial run started", day)
    if request.scheduled_at is None:
        if not _is_half_cleared(settings, day) and (why := _refusal_of_site(settings)):
            return _logged("nothing done: the site does not answer", day, refused=why)
    elif _has_begun(settings, day, request.scheduled_at):
        return _logged("nothing done", day, ignored="the day was already started after the scheduled time")
    cleared = _clear(settings, day)
    _get_tickers(settings, {"anomesdia_exec": day})
    return _logged("day cleared and started", day, **cleared)


def _start_from_pages(settings: Settings, request: DayRequest, now: datetime) -> dict[str, Any]:
    """Start the workflow, which reads the archived pages; clear nothing."""
    day, manifest = request.day, request.manifest
    s3 = client("s3")
    if manifest is not None:
        if settings.fetch_from == "site":
            return _logged("manifest ignored", day, ignored='fetch_from is "site"')
        has_ledger = bool(Ledger(s3, settings.work_bucket).rounds(day))
        if not may_be_collected(day, now, has_ledger=has_ledger):
            logger.warning("manifest of another day", extra={"anomesdia_exec": day})
            why = f'a collector cannot start a run of {day}: start it with "source": "pages"'
            return _logged("manifest ignored", day, ignored=why)
    if not Archive(s3, settings.work_bucket).keys(day):
        raise DayRefused(
            f"the archive has no pages of {day}: expected objects below pages/anomesdia_exec={day}/"
        )
    workflow = client("stepfunctions")
    name = {"name": f"{day}-{manifest}"} if manifest is not None else {}
    try:
        workflow.start_execution(
            stateMachineArn=settings.workflow_arn,
            input=json.dumps({"anomesdia_exec": day, "source": FROM_PAGES}),
            **name,
        )
    except workflow.exceptions.ExecutionAlreadyExists:
        return _logged("nothing done", day, ignored="this manifest has already started the day")
    return _logged("day started from its pages", day)


def _has_begun(settings: Settings, day: int, scheduled_at: datetime) -> bool:
    """Return whether the day's run has begun since `scheduled_at`.

    If the ledger has a listing, the rounds since `scheduled_at` must have queued the full listing. If the
    ledger has no listing, one round since `scheduled_at` is enough.
    """
    ledger = Ledger(client("s3"), settings.work_bucket)
    since = [one for one in ledger.rounds(day) if moment_of(one.started_at) >= scheduled_at]
    listing = ledger.listing(day)
    if listing is None:
        return bool(since)
    return not listing.is_partial and set(listing) <= {asset for one in since for asset in one}


def _is_half_cleared(settings: Settings, day: int) -> bool:
    """Return whether an earlier call deleted the newest round's listing and was then interrupted."""
    ledger = Ledger(client("s3"), settings.work_bucket)
    rounds = ledger.rounds(day)
    return bool(rounds) and rounds[-1].reason is None and ledger.listing(day) is None


def _refusal_of_site(settings: Settings) -> str | None:
    """Let stage 2 probe the site; return why the site cannot be used, or None if it answers."""
    try:
        answer = client("lambda").invoke(
            FunctionName=settings.get_tickers_function_name, Payload=json.dumps({"probe": True}).encode()
        )
        said = json.loads(answer["Payload"].read())
    except (ClientError, BotoCoreError, ValueError) as error:
        return f"the probe failed: {error}"
    if "FunctionError" not in answer and said.get("answer") == "read":
        return None
    return str(said.get("why") or said.get("errorMessage") or said)


def _clear(settings: Settings, day: int) -> dict[str, Any]:
    """Remove a day from the tables and the ledger, but keep the rounds as a record of the runs."""
    s3 = client("s3")
    # Delete the listing first: without it, the day does not count as complete. The outcomes can be
    # deleted last, because an outcome ``read`` without its SoR object does not count.
    remove_objects(s3, settings.work_bucket, listing_key(day))
    cleared = remove_day(s3, client("glue"), settings.lake_tables, day)
    for kind in Kind:
        remove_objects(s3, settings.work_bucket, f"{prefix(day)}{kind.value}/")
    return cleared


def _get_tickers(settings: Settings, fields: dict[str, Any]) -> None:
    client("lambda").invoke(
        FunctionName=settings.get_tickers_function_name,
        InvocationType="Event",
        Payload=json.dumps(fields).encode(),
    )


def _logged(said: str, day: int, **fields: Any) -> dict[str, Any]:
    result = {"anomesdia_exec": day, **fields}
    logger.info(said, extra=result)
    return result
