"""With only the operators' policy, an operator can do the steps in docs/operations.md and nothing else."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from functools import partial

import pytest
from faulty_lake import FaultyLake, until
from role import Role, not_refused

from b3.days import day_at, days_before
from sandbox.day import Day

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def operator(applied_faulty_lake: FaultyLake) -> Role:
    return Role(applied_faulty_lake.emulator, "operator", applied_faulty_lake.outputs["operator_policy_json"])


def test_an_operator_can_do_all_that_the_page_says_and_needs_every_granted_action(
    faulty: FaultyLake, operator: Role
) -> None:
    # Other tests use today and yesterday. Pages must be archived within eight days of their day.
    number = days_before(day_at(datetime.now(timezone.utc)), 2)[-1]
    # The operator runs the day. The account's owner checks the results.
    day = Day(
        faulty.lake,
        lambda service: (operator if service == "lambda" else faulty).client(service),
        lambda line: None,
    )
    services = ("lambda", "stepfunctions", "s3", "sqs", "logs")
    functions, states, s3, sqs, logs = map(operator.client, services)
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
    assert len(faulty.take_notices()) == 1  # the next run of a past day sends a notice only if it fails

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

    # Stop an execution that waits. With `rounds`, an execution waits although the day is complete.
    given = json.dumps({"anomesdia_exec": number, "rounds": [5]})
    patient = states.start_execution(**workflow, input=given)["executionArn"]
    states.stop_execution(executionArn=patient)

    assert operator.used() == operator.actions()


def test_an_operator_may_do_nothing_else(faulty: FaultyLake, operator: Role) -> None:
    functions, s3, sqs, glue = map(operator.client, ("lambda", "s3", "sqs", "glue"))
    sot, sor = faulty.tables["sot_acoes"], faulty.tables["sor_acoes"]
    work, queue = {"Bucket": faulty.lake.work_bucket}, {"QueueUrl": faulty.lake.ticker_queues["acoes"]}
    packages = faulty.lake.work_bucket.replace("-work-", "-packages-")
    start = {"FunctionName": faulty.function("check-and-delete-partitions")}
    prep = {"FunctionName": faulty.function("prep-financial-data-for-acoes")}
    forbidden = [
        partial(s3.put_object, Bucket=sot.bucket, Key=f"{sot.name}/a", Body=b""),
        partial(s3.put_object, Bucket=sor.bucket, Key=f"{sor.name}/a", Body=b""),
        partial(s3.delete_object, Bucket=sor.bucket, Key=f"{sor.name}/a"),
        partial(s3.put_object, **work, Key="pages/a", Body=b""),
        partial(s3.put_object, **work, Key="ledger/a", Body=b""),
        partial(s3.get_object, Bucket=packages, Key="get_tickers/a.zip"),
        partial(sqs.send_message, **queue, MessageBody="{}"),
        partial(sqs.purge_queue, **queue),
        partial(functions.invoke, **prep, Payload=b"{}"),
        partial(functions.update_function_code, **start, ZipFile=b""),
        partial(functions.update_function_configuration, **start, Timeout=1),
        partial(glue.delete_table, DatabaseName=sot.database, Name=sot.name),
    ]

    assert not_refused(forbidden) == []
