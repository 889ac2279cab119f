"""Lambda handler of the steps Look and Assess."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from assess_day.assessment import Assessment, Verdict
from assess_day.day_status import DayState, look_seconds, reasons_for_a_round, waiting_for
from assess_day.load import (
    Settings,
    check_rebuild,
    earlier_listed,
    load_inputs,
    load_state,
    most_traded,
    old_sessions,
)
from assess_day.notice import notice
from assess_day.portuguese import some_reasons
from assess_day.quality import NOT_RUN, PARTIAL, run_checks
from assess_day.quality_table import write_record
from assess_day.splits import possible_splits
from b3.days import DayRefused
from pynvest_lake.arrow import leave_pandas_alone
from pynvest_lake.aws import client
from pynvest_lake.contract import QUALITY
from pynvest_lake.execution import FROM_SOR, Execution, check_fields
from pynvest_lake.settings import read_settings

leave_pandas_alone()
logger = Logger()

# The cause is shortened, because Step Functions passes at most 256 kB from state to state.
CAUSE_CHARACTERS = 3_000


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Determine the status of the workflow's day, or assess the day at the end of the workflow.

    Parameters
    ----------
    event
        ``step`` is ``look`` or ``assess``. ``started_at``, ``input`` and ``execution`` are the start
        time, the input and the name of the workflow's execution. The step ``look`` takes the ``progress``
        that its previous run returned. The step ``assess`` takes the compactions of SoT as ``folds`` and the
        compactions of Spec as ``spec_folds``. Each compaction has ``result`` if it succeeded, or else
        ``error`` and ``cause``.

    Returns
    -------
    dict
        The step ``look`` returns ``settled``, ``waiting_for`` (why the day is not settled), ``reasons`` for
        another round, and the ``progress`` for its next run. If the day is not settled, the result has
        ``look_again_seconds``. If a round follows, the result has ``round_seconds``. If a round follows and
        the site shows old sessions, ``old_session`` lists each with the ticker that stage 2 probes. If
        another execution assesses the day, ``assessed_by_another`` is true, and this execution ends without a
        verdict. The step ``assess`` writes the quality rows. The step ``assess`` returns ``situacao`` (the
        verdict), ``passed`` (whether the workflow passed), ``missing`` (the number of missing assets),
        ``reasons``, ``cause`` (the message for a failed workflow) and ``notice``. The notice has ``tell``,
        ``subject`` and ``text``.

    Raises
    ------
    DayRefused
        The input names a day that is after today, that had no run, or that cannot be rebuilt from SoR now.
    ValueError
        The event or the workflow's input is invalid.
    """
    check_fields(event, ("step", "execution", "started_at", "input", "progress", "folds", "spec_folds"))
    settings = read_settings(Settings, os.environ)
    execution = Execution.from_event(event)
    step, now = event.get("step", "look"), datetime.now(timezone.utc)
    if step not in ("look", "assess"):
        raise ValueError(f"step is {step!r}, expected look or assess")
    state = load_state(client("s3"), client("sqs"), settings, execution.day)
    if step == "assess":
        compactions = [*event.get("folds", ()), *event.get("spec_folds", ())]
        return _assess(settings, execution, state, compactions, now)
    return _look(settings, execution, state, event, now)


def _look(
    settings: Settings, execution: Execution, state: DayState, event: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """Return the result of the step ``look``."""
    s3, day = client("s3"), execution.day
    if execution.source == FROM_SOR:
        name = event.get("execution", "")
        check_rebuild(client("stepfunctions"), settings.workflow_arn, execution, name, state.sor_ids)
        waiting = []
    else:
        waiting = waiting_for(state, now, settings.queue_patience_seconds, execution.started_at)
    settled = not waiting
    if settled and execution.names_day and not state.ledger.rounds and not state.sor_ids:
        raise DayRefused(f"there was no run of {day}: expected a day with a run. Nothing was written")
    late = old_sessions(s3, settings, state) if settled else []
    before = earlier_listed(s3, settings, day) if settled else None
    reasons = reasons_for_a_round(state, before, late) if settled else ()
    result = {"anomesdia_exec": day, "settled": settled, "waiting_for": waiting, "reasons": reasons}
    result |= _next(
        event.get("progress") or {},
        execution.rounds or (),
        settings.look_interval_seconds,
        settled=settled,
        another_round=bool(reasons),
    )
    # Workflow definitions before 1.0.0 read both lists of compactions from this result.
    result |= {"folds": [], "spec_folds": [], "old_session": None}
    if execution.is_scheduled and state.fetch_from == "pages":
        if any(map(list, state.ledger.rounds)):
            result["assessed_by_another"] = True
        elif "round_seconds" in result:  # a round cannot help: only a collector brings missing pages
            result |= {"settled": False, "look_again_seconds": result.pop("round_seconds")}
    if late and "round_seconds" in result:
        result["old_session"] = [
            {"session": session, "ticker": ticker}
            for session, kind in late
            if (ticker := most_traded(s3, settings, day, kind))
        ]
    logger.info("day looked at", extra=result)
    return result


def _next(
    progress: dict[str, int],
    rounds: Sequence[float],
    interval_seconds: float,
    *,
    settled: bool,
    another_round: bool,
) -> dict[str, Any]:
    """Return the workflow's next waiting time and the new ``progress``."""
    looks, done = progress.get("looks", 0) + 1, progress.get("rounds_done", 0)
    if not settled:
        return {
            "look_again_seconds": int(look_seconds(looks, interval_seconds)),
            "progress": {"looks": looks, "rounds_done": done},
        }
    if another_round and done < len(rounds):
        return {
            "round_seconds": round(60 * rounds[done]),
            "progress": {"looks": 0, "rounds_done": done + 1},
        }
    return {"progress": {"looks": 0, "rounds_done": done}}


def _assess(
    settings: Settings,
    execution: Execution,
    state: DayState,
    compactions: list[dict[str, Any]],
    now: datetime,
) -> dict[str, Any]:
    """Run the quality checks, write their results, and return the verdict with its notice."""
    s3, table, day = client("s3"), settings.table(QUALITY), state.ledger.day
    found = load_inputs(s3, client("glue"), client("sqs"), settings, state, compactions)
    of_partial = NOT_RUN if execution.is_scheduled else PARTIAL
    rows = of_partial if state.ledger.is_partial else run_checks(found)
    verdict = rows[-1].situacao
    assessment = Assessment(
        state,
        rows,
        verdict,
        {} if rows is NOT_RUN else found.missing,
        found.spec,
        possible_splits(found.sot_before, found.sot),
        rows is PARTIAL,
    )
    told = notice(
        assessment,
        found.sot,
        daily_digest=settings.daily_digest,
        failures_only=execution.repeats_past_day(state.fetch_from),
        lake=settings.name_prefix,
        quality_table=f"{table.database}.{table.table}",
    )
    write_record(s3, client("glue"), table, day, rows, now)
    reasons = some_reasons(assessment.reasons)
    result = {
        "anomesdia_exec": day,
        "situacao": verdict.value,
        "passed": verdict is not Verdict.FAILURE or settings.quality_gate == "record",
        "missing": len(found.missing),
        "reasons": reasons,
        "cause": f"{day}: {verdict.value}. {' '.join(reasons)} (docs/quality.md)"[:CAUSE_CHARACTERS],
        "notice": vars(told),
    }
    logger.info("day assessed", extra=result)
    return result
