"""With only the operators' policy, an operator can do the steps in docs/operations.md and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from faulty_lake import FaultyLake, until
from role import Role

from sandbox.day import Day

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def operator(applied_faulty_lake: FaultyLake) -> Role:
    return Role(applied_faulty_lake.emulator, "operator", applied_faulty_lake.outputs["operator_policy_json"])


def test_an_operator_does_all_that_the_page_says_and_needs_no_action_less(
    faulty: FaultyLake, recent: int, operator: Role
) -> None:
    number = recent
    # The operator starts the run of the day; the account's owner checks the results.
    day = Day(
        faulty.lake,
        lambda service: (operator if service == "lambda" else faulty).client(service),
        lambda line: None,
    )
    functions, states, s3, sqs, logs = (
        operator.client(name) for name in ("lambda", "stepfunctions", "s3", "sqs", "logs")
    )

    workflow = {"stateMachineArn": faulty.outputs["workflow_arn"]}

    def executions() -> set[str]:
        return {one["executionArn"] for one in states.list_executions(**workflow)["executions"]}

    def run_workflow(**fields: str) -> None:
        given = json.dumps({"anomesdia_exec": number, **fields})
        see_success(states.start_execution(**workflow, input=given)["executionArn"])

    def see_success(execution: str) -> None:
        until(
            lambda: states.describe_execution(executionArn=execution)["status"] == "SUCCEEDED",
            "the workflow to succeed",
            90,
        )
        assert states.get_execution_history(executionArn=execution)["events"]

    # Check that the site answers. Run a day, and run it again from its pages.
    probed = functions.invoke(
        FunctionName=faulty.function("get-tickers"),
        Payload=json.dumps({"probe": faulty.assets[0].ticker}).encode(),
    )
    assert json.loads(probed["Payload"].read())["answer"] == "read"
    day.ask(number)
    day.wait()
    run_workflow()
    before = executions()
    day.start(anomesdia_exec=number, source="pages")
    (started,) = until(lambda: executions() - before, "the workflow that stage 1 starts")
    see_success(started)

    # Run the day again from SoR.
    run_workflow(source="sor")
    faulty.check(day)
    assert len(faulty.told()) == 1  # for a past day that runs again, only a failure sends a notice

    # Read the ledger, the logs and the waiting messages.
    ledger = s3.list_objects_v2(Bucket=faulty.lake.work_bucket, Prefix=f"ledger/anomesdia_exec={number}/")
    for item in ledger["Contents"]:
        s3.get_object(Bucket=faulty.lake.work_bucket, Key=item["Key"])
    group = f"/aws/lambda/{faulty.function('get-tickers')}"
    event = logs.filter_log_events(logGroupName=group, limit=1)["events"][0]
    assert logs.get_log_events(logGroupName=group, logStreamName=event["logStreamName"])["events"]
    query = logs.start_query(logGroupName=group, startTime=0, endTime=2**31, queryString="fields @message")
    assert logs.get_query_results(queryId=query["queryId"])["status"]
    for url in faulty.lake.dead_letter_queues.values():
        faulty.sqs.send_message(QueueUrl=url, MessageBody="{}")
        sqs.get_queue_url(QueueName=url.rsplit("/", 1)[1])
        received = sqs.receive_message(QueueUrl=url)["Messages"][0]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
        sqs.purge_queue(QueueUrl=url)
        waiting = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        assert waiting["Attributes"]["ApproximateNumberOfMessages"] == "0"

    # The day is complete, but this execution still waits for a round: stop the execution.
    given = json.dumps({"anomesdia_exec": number, "rounds": [5]})
    patient = states.start_execution(**workflow, input=given)["executionArn"]
    states.stop_execution(executionArn=patient)

    assert operator.used() == operator.actions()


def refused_calls(faulty: FaultyLake, operator: Role) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield a name and a function for each call that is forbidden to operators."""
    functions, s3, sqs = (operator.client(name) for name in ("lambda", "s3", "sqs"))
    sot, sor = faulty.table("sot", "acoes"), faulty.table("sor", "acoes")
    prep, start = (
        faulty.function(name) for name in ("prep-financial-data-for-acoes", "check-and-delete-partitions")
    )
    work, packages = faulty.lake.work_bucket, faulty.lake.work_bucket.replace("-work-", "-packages-")
    yield "write SoT", lambda: s3.put_object(Bucket=sot.bucket, Key=f"{sot.name}/a", Body=b"")
    yield "write SoR", lambda: s3.put_object(Bucket=sor.bucket, Key=f"{sor.name}/a", Body=b"")
    yield "delete SoR", lambda: s3.delete_object(Bucket=sor.bucket, Key=f"{sor.name}/a")
    yield "write pages", lambda: s3.put_object(Bucket=work, Key="pages/a", Body=b"")
    yield "write the ledger", lambda: s3.put_object(Bucket=work, Key="ledger/a", Body=b"")
    yield "read packages", lambda: s3.get_object(Bucket=packages, Key="get_tickers/a.zip")
    yield (
        "queue tickers",
        lambda: sqs.send_message(QueueUrl=faulty.lake.ticker_queues["acoes"], MessageBody="{}"),
    )
    yield "purge tickers", lambda: sqs.purge_queue(QueueUrl=faulty.lake.ticker_queues["acoes"])
    yield "invoke another stage", lambda: functions.invoke(FunctionName=prep, Payload=b"{}")
    yield "change code", lambda: functions.update_function_code(FunctionName=start, ZipFile=b"")
    yield "change settings", lambda: functions.update_function_configuration(FunctionName=start, Timeout=1)
    yield (
        "drop a table",
        lambda: operator.client("glue").delete_table(DatabaseName=sot.database, Name=sot.name),
    )


def test_an_operator_may_do_nothing_else(faulty: FaultyLake, operator: Role) -> None:
    done = {}
    for name, call in refused_calls(faulty, operator):
        try:
            call()
        except ClientError as error:
            done[name] = error.response["Error"]["Code"].removesuffix("Exception")
        else:
            done[name] = "done"

    assert done == dict.fromkeys(done, "AccessDenied")
