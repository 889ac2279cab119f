"""Look and Assess, as Lambda calls them."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from assess_day.errors import DayNotWhole
from assess_day.facts import gather
from assess_day.look import View, look_seconds, view
from assess_day.settings import Settings
from pynvest_lake.aws import client
from pynvest_lake.day import check_fields, day_of_execution
from pynvest_lake.settings import read_settings

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Look at the day of the workflow, or assess it at the end.

    Parameters
    ----------
    event
        ``step``: ``look`` or ``assess``. ``started_at`` and ``input`` of the workflow, whose input may have
        ``rounds``: the minutes to wait before each round that is asked for while something is missing. For a
        look, ``progress`` as the look before returned it; assessed, what came of the ``folds`` of SoT and of
        the ``spec_folds``: of one that failed ``error`` and ``cause``.

    Returns
    -------
    dict
        Of a look: whether the day is ``settled`` and ``whole``, what it waits for and lacks, and either
        ``look_again_seconds``, or ``round_seconds`` where a round is to follow; and the ``progress``.

    Raises
    ------
    DayNotWhole
        Assessed, the day lacks something.
    ValueError
        The event or the workflow's input is not what it should be.
    """
    check_fields(event, ("step", "started_at", "input", "progress", "folds", "spec_folds"))
    settings = read_settings(Settings, os.environ)
    day = day_of_execution(event, settings.schedule_timezone, ("rounds",))
    rounds = parse_rounds((event.get("input") or {}).get("rounds", []))
    facts = gather(client("s3"), client("sqs"), settings, day)
    now = datetime.now(timezone.utc)
    seen = view(facts, now, settings.queue_patience_seconds, _started_at(event) or now)
    result = {"anomesdia_exec": day, **vars(seen)}
    if event.get("step") == "assess":
        return _assess(day, seen, [*event.get("folds", ()), *event.get("spec_folds", ())])
    result |= _next(seen, event.get("progress") or {}, rounds, settings.look_interval_seconds)
    logger.info("day looked at", extra=result)
    return result


def _started_at(event: dict[str, Any]) -> datetime | None:
    """Return when the workflow was started; None where a person invoked the function and did not say."""
    text = event.get("started_at")
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")) if text else None


def parse_rounds(value: object) -> list[float]:
    """Check that a value is a list of minutes and return it.

    Raises
    ------
    ValueError
        It is not.
    """
    if isinstance(value, list) and all(
        isinstance(minutes, (int, float)) and not isinstance(minutes, bool) and 0 <= minutes <= 1440
        for minutes in value
    ):
        return value
    raise ValueError(f"rounds is {value!r}, expected a list of minutes from 0 to 1440, such as [60, 60]")


def _next(
    seen: View, progress: dict[str, int], rounds: list[float], interval_seconds: float
) -> dict[str, Any]:
    """Return what the workflow is to do after a look."""
    looks, done = progress.get("looks", 0) + 1, progress.get("rounds_done", 0)
    if not seen.settled:
        return {
            "look_again_seconds": int(look_seconds(looks, interval_seconds)),
            "progress": {"looks": looks, "rounds_done": done},
        }
    if seen.reasons and done < len(rounds):
        return {
            "round_seconds": round(60 * rounds[done]),
            "progress": {"looks": 0, "rounds_done": done + 1},
        }
    return {"progress": {"looks": 0, "rounds_done": done}}


def _assess(day: int, seen: View, folds: list[dict[str, Any]]) -> dict[str, Any]:
    failed = [fold for fold in folds if "error" in fold]
    lacks = [*seen.lacks, *(f"a fold failed: {fold['error']}: {fold.get('cause')}" for fold in failed)]
    if lacks:
        raise DayNotWhole(f"{day} is not whole. {'. '.join(lacks)}. docs/operations.md says what to do")
    return {"anomesdia_exec": day, "whole": True}
