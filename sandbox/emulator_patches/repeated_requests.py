"""A request runs only once, even if the SDK sends it again with the same invocation id.

Sometimes MiniStack drops a connection before the answer is complete. After a dropped connection, the SDK's
second attempt to create a resource fails, because the resource already exists. Remove this module when
Terraform applies fifty resources at a time without it and without the error "already exists".
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

from ministack import app

ANSWERS_KEPT = 1000
"""Number of answers to keep for repeated requests."""


def apply() -> None:
    """Answer a repeated request with the first run's answer, unless the first run failed."""
    serve = app.app
    known: OrderedDict[bytes, asyncio.Task[list[dict[str, Any]]]] = OrderedDict()

    async def answer(scope: Any, receive: Any) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = []

        async def keep(part: dict[str, Any]) -> None:
            parts.append(part)

        await serve(scope, receive, keep)
        return parts

    async def serve_once(scope: Any, receive: Any, send: Any) -> None:
        invocation = dict(scope.get("headers", ())).get(b"amz-sdk-invocation-id")
        if invocation is None or scope.get("method") in ("GET", "HEAD"):
            await serve(scope, receive, send)
            return
        task = known.get(invocation)
        if task is None or (task.done() and not _succeeded(task)):
            task = known[invocation] = asyncio.create_task(answer(scope, receive))
        while len(known) > ANSWERS_KEPT:
            known.popitem(last=False)
        # If the connection closes, the task continues, because a repeated request needs the task's answer.
        for part in await asyncio.shield(task):
            await send(part)

    app.app = serve_once


def _succeeded(task: asyncio.Task[list[dict[str, Any]]]) -> bool:
    if task.cancelled() or task.exception() or not task.result():
        return False
    status: int = task.result()[0].get("status", 500)
    return status < 300
