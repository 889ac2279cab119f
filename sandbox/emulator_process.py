"""What runs in the emulator's own process: MiniStack, with what AWS does otherwise set right.

Run as ``python -m sandbox.emulator_process``; :class:`sandbox.emulator.Emulator` does. Its settings are
environment variables. Where its standard input is a pipe, the end of that pipe means that the process that
started it has gone, and it ends with all function processes.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import sys
import threading
from collections import OrderedDict
from contextvars import ContextVar
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.services import glue, lambda_svc, sqs

UNTYPED_ERROR = '"error": str(e), "trace"'
TYPED_ERROR = '"error": str(e), "error_type": type(e).__name__, "trace"'

LOG_WAIT_SECONDS = 1.0
"""How long the first line of an invocation's log is waited for; every function of ours logs."""

ANSWERS_KEPT = 1000
"""Answers that are kept, in case that their requests are repeated."""

ASYNCHRONOUS_AT_ONCE = 2
"""Asynchronous invocations of one function that run at once; further ones wait for their turn."""


def report_error_types() -> None:
    """Make a function's error carry the name of its exception class, as Lambda's does.

    MiniStack calls every exception of a Python handler ``Runtime.HandlerError``, so a workflow that retries
    one error by its name could never be tried on it.

    Raises
    ------
    RuntimeError
        When MiniStack's worker is not the one that this was written for.
    """
    if lambda_runtime._PYTHON_WORKER_SCRIPT.count(UNTYPED_ERROR) != 1:
        raise RuntimeError(
            f"the worker of this MiniStack reports errors in another way than expected ({UNTYPED_ERROR!r}): "
            "see whether it names the exception's class by now, and adapt or remove report_error_types"
        )
    lambda_runtime._PYTHON_WORKER_SCRIPT = lambda_runtime._PYTHON_WORKER_SCRIPT.replace(
        UNTYPED_ERROR, TYPED_ERROR
    )
    worker_invoke = lambda_runtime.Worker.invoke
    execute = lambda_svc._execute_function_warm
    reported = threading.local()

    def invoke_and_note_type(worker: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        response: dict[str, Any] = worker_invoke(worker, *args, **kwargs)
        reported.error_type = response.get("error_type")
        return response

    def execute_and_name_type(func: Any, event: Any, request_id: str) -> dict[str, Any]:
        reported.error_type = None
        result: dict[str, Any] = execute(func, event, request_id)
        if result.get("error") and reported.error_type:
            result["body"]["errorType"] = reported.error_type
        return result

    lambda_runtime.Worker.invoke = invoke_and_note_type
    lambda_svc._execute_function_warm = execute_and_name_type


def wait_for_logs() -> None:
    """Let no line of a function's log get lost while the machine is busy: MiniStack waits 50 ms for it."""
    drain = lambda_runtime.Worker._drain_stderr_bounded

    def drain_patiently(worker: Any) -> str:
        lines: str = drain(
            worker, first_line_wait=LOG_WAIT_SECONDS, idle_confirm=0.02, hard_cap=2 * LOG_WAIT_SECONDS
        )
        return lines

    lambda_runtime.Worker._drain_stderr_bounded = drain_patiently


def name_actions_as_iam_does() -> None:
    """Ask a batch call to a queue for the permission that AWS asks for, the one of the single call.

    MiniStack asks for ``sqs:SendMessageBatch``, an action that IAM does not have.
    """
    extract = iam_actions.extract_iam_action

    def extract_single(*args: Any, **kwargs: Any) -> str | None:
        action: str | None = extract(*args, **kwargs)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    iam_actions.extract_iam_action = extract_single


def delete_partitions_in_batches() -> None:
    """Answer ``glue:BatchDeletePartition``, which MiniStack does not know, with its ``DeletePartition``s."""
    handle = glue._handle_request_sync

    def handle_batch(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        if headers.get("x-amz-target") != "AWSGlue.BatchDeletePartition":
            return handle(method, path, headers, body, query_params)
        request = json.loads(body)
        table = {"DatabaseName": request["DatabaseName"], "TableName": request["TableName"]}
        known = glue._partitions.get("{DatabaseName}/{TableName}".format(**table), [])
        errors = []
        for given in request["PartitionsToDelete"]:
            if any(partition["Values"] == given["Values"] for partition in known):
                glue._delete_partition({**table, "PartitionValues": given["Values"]})
            else:
                detail = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Partition not found"}
                errors.append({"PartitionValues": given["Values"], "ErrorDetail": detail})
        return glue.json_response({"Errors": errors})

    glue._handle_request_sync = handle_batch


def move_dead_letters_back() -> None:
    """Answer ``sqs:StartMessageMoveTask``, which MiniStack lacks: back to the queue that they came from."""

    def move(request: dict[str, Any], _: str) -> dict[str, str]:
        source = request["SourceArn"]
        urls = [
            url
            for url, queue in sqs._queues.items()
            if json.loads(queue["attributes"].get("RedrivePolicy", "{}")).get("deadLetterTargetArn") == source
        ]
        if len(urls) != 1:
            raise sqs._Err("ResourceNotFoundException", f"{source} is the dead-letter queue of {urls}")
        dead = sqs._get_q(source.rsplit(":", 1)[1])
        while dead["messages"]:
            sqs._act_send_message({"QueueUrl": urls[0], "MessageBody": dead["messages"][0]["body"]}, urls[0])
            dead["messages"].pop(0)
        return {"TaskHandle": source}

    sqs._HANDLERS["StartMessageMoveTask"] = move


def queue_asynchronous_invocations() -> None:
    """Let asynchronous invocations wait for each other, as they do on Lambda where concurrency is used up.

    MiniStack starts a process for each one that finds the others at work. On a machine of a few cores a burst
    of S3 events would then start processes and do little else.
    """
    execute, invoke = lambda_svc._execute_function, lambda_svc.invoke_async_with_retry
    asynchronous: ContextVar[bool] = ContextVar("asynchronous", default=False)
    turns: dict[str, threading.Semaphore] = {}

    def invoke_in_turn(func: Any, event: Any) -> None:
        token = asynchronous.set(True)  # the thread that MiniStack starts inherits it
        try:
            invoke(func, event)
        finally:
            asynchronous.reset(token)

    def execute_in_turn(func: Any, event: Any) -> Any:
        if not asynchronous.get():
            return execute(func, event)
        name = (func.get("config") or func)["FunctionArn"]
        with turns.setdefault(name, threading.Semaphore(ASYNCHRONOUS_AT_ONCE)):
            token = asynchronous.set(False)  # MiniStack may call this function once more on the way
            try:
                return execute(func, event)
            finally:
                asynchronous.reset(token)

    lambda_svc.invoke_async_with_retry = invoke_in_turn
    lambda_svc._execute_function = execute_in_turn


def answer_repeated_requests_alike() -> None:
    """Do what a client asks for once, however often it asks, and give every time the same answer.

    Now and then the server drops a connection before the answer is through. An SDK then repeats the request,
    under the same invocation id, and would be told that what it creates is there already.
    """
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
        # The answer is made even if this connection ends meanwhile.
        for part in await asyncio.shield(task):
            await send(part)

    app.app = serve_once


def _succeeded(task: asyncio.Task[list[dict[str, Any]]]) -> bool:
    if task.cancelled() or task.exception() or not task.result():
        return False
    status: int = task.result()[0].get("status", 500)
    return status < 300


def log_authorizations() -> None:
    """Note what each role asked for and whether its policies grant it, in ``AUTHORIZATION_LOG``.

    A line of JSON each request. What the policy of a bucket or a queue says of it besides is not noted.
    """
    path = os.environ.pop("AUTHORIZATION_LOG")
    evaluate, enforce = iam_evaluator.evaluate, iam_evaluator.enforce
    asked = threading.local()  # set while a request is judged, and not while one is only simulated

    def enforce_and_note(*args: Any, **kwargs: Any) -> Any:
        asked.really = True
        try:
            return enforce(*args, **kwargs)
        finally:
            asked.really = False

    def evaluate_and_note(request: Any, *policies: Any) -> Any:
        result = evaluate(request, *policies)
        if not getattr(asked, "really", False):
            return result
        asked.really = False  # the role's policies come first, those of the resource next
        note = {
            "principal": request.principal_arn,
            "action": request.action,
            "resource": request.resource_arn,
            "prefix": request.service_context.get("s3:prefix"),
            "decision": result.decision,
        }
        with open(path, "a", encoding="utf-8") as log:  # noqa: PTH123 - one write, whole lines
            log.write(json.dumps(note) + "\n")
        return result

    iam_evaluator.evaluate = evaluate_and_note
    iam_evaluator.enforce = enforce_and_note


def count_loopback_as_tls() -> None:
    """Let policies that deny requests without TLS pass: the emulator speaks plain HTTP, on loopback."""
    pin_request_origin = app.pin_request_origin

    def pin_as_tls(source_ip: str, secure_transport: bool) -> None:  # noqa: ARG001
        pin_request_origin(source_ip, True)

    app.pin_request_origin = pin_as_tls


def end_with_parent() -> None:
    """End this process and its whole group when the pipe that is its standard input is closed."""
    leads_its_group = os.getpgrp() == os.getpid()
    if not leads_its_group or not stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        return

    def wait_for_end() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait_for_end, name="end-with-parent", daemon=True).start()


if __name__ == "__main__":
    end_with_parent()
    report_error_types()
    wait_for_logs()
    name_actions_as_iam_does()
    count_loopback_as_tls()
    delete_partitions_in_batches()
    move_dead_letters_back()
    queue_asynchronous_invocations()
    answer_repeated_requests_alike()
    log_authorizations()
    # Function processes inherit this environment, and must find their own package only.
    os.environ.pop("PYTHONPATH", None)
    app.main()
