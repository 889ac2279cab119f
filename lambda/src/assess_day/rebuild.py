"""Checks whether a day may be rebuilt from its SoR objects now."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from b3.days import PARTITION_KEY, DayRefused, day_at
from pynvest_lake.execution import Execution


def check_rebuild(
    workflow: Any, workflow_arn: str, execution: Execution, name: str, sor_ids: Collection[str]
) -> None:
    """Check that a day has SoR objects and that no other execution for the day is running.

    Raises
    ------
    DayRefused
        It is not allowed to rebuild the day now. Nothing was changed.
    """
    day = execution.day
    if not sor_ids:
        raise DayRefused(f"{day} has no SoR objects to rebuild it from. Nothing was changed")
    pages = workflow.get_paginator("list_executions").paginate(
        stateMachineArn=workflow_arn, statusFilter="RUNNING"
    )
    for other in (item for page in pages for item in page["executions"]):
        if other["name"] == name:
            continue
        given = json.loads(workflow.describe_execution(executionArn=other["executionArn"])["input"])
        if given.get(PARTITION_KEY, day_at(other["startDate"])) == day:
            raise DayRefused(
                f"{day} cannot be rebuilt while another execution for this day runs: {other['name']}. "
                "Start the rebuild again when that execution has ended. Nothing was changed"
            )
