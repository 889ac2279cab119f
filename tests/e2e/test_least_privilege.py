"""The functions use all grants of their roles. No role has a grant for another stage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pytest
from faulty_lake import FaultyLake, FromPages, queue_arn

from b3.days import days_before
from sandbox.emulator import ACCOUNT_ID, REGION

pytestmark = pytest.mark.e2e

STAGE_1 = "check-and-delete-partitions"
KINDS = ("acoes", "fiis")
PART, COMPACT = ("part",), ("compact",)
FORMS = (*PART, *COMPACT)
TABLES = ("sor_acoes", "sor_fiis", "sot_acoes", "sot_fiis", "spec_ativos", "spec_quality")

WRITES = {
    **{f"get-financial-data-for-{kind}": {f"sor_{kind}": PART} for kind in KINDS},
    **{f"prep-financial-data-for-{kind}": {f"sot_{kind}": PART} for kind in KINDS},
    "specialize-financial-data": {"spec_ativos": PART},
    **{f"dedup-financial-data-for-{kind}": {f"sot_{kind}": COMPACT} for kind in KINDS},
    "dedup-financial-data-for-spec-ativos": {"spec_ativos": COMPACT},
    "assess-day": {"spec_quality": PART},
}
DELETES = {
    STAGE_1: dict.fromkeys(TABLES, FORMS),
    **{f"dedup-financial-data-for-{kind}": {f"sot_{kind}": FORMS} for kind in KINDS},
    "dedup-financial-data-for-spec-ativos": {"spec_ativos": FORMS},
}
READS = {
    **{f"prep-financial-data-for-{kind}": {f"sor_{kind}": PART, f"sot_{kind}": COMPACT} for kind in KINDS},
    "specialize-financial-data": {"sot_acoes": PART, "sot_fiis": PART, "spec_ativos": COMPACT},
    **{
        f"dedup-financial-data-for-{kind}": {f"sor_{kind}": PART, f"sot_{kind}": FORMS, "spec_ativos": FORMS}
        for kind in KINDS
    },
    "dedup-financial-data-for-spec-ativos": dict.fromkeys(("sot_acoes", "sot_fiis", "spec_ativos"), FORMS),
    "assess-day": dict.fromkeys(TABLES, FORMS),
}
"""For each function and table, the forms of the objects that the function may write, delete or read."""

WORK = {
    STAGE_1: {("s3:DeleteObject", "ledger"), ("s3:GetObject", "ledger")},
    "get-tickers": {
        (f"s3:{action}Object", part) for action in ("Get", "Put") for part in ("ledger", "pages")
    },
    **{
        f"get-financial-data-for-{kind}": {
            ("s3:PutObject", "ledger"),
            ("s3:PutObject", "pages"),
            ("s3:GetObject", "pages"),
        }
        for kind in KINDS
    },
    "assess-day": {("s3:GetObject", "ledger")},
}
"""Allowed actions of each function for each part of the work bucket."""

RECEIVE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
QUEUE_ACTIONS = (*RECEIVE, "sqs:SendMessage", "sqs:ChangeMessageVisibility", "sqs:PurgeQueue")
QUEUES = {
    "get-tickers": {("sqs:SendMessage", kind) for kind in KINDS},
    **{f"get-financial-data-for-{kind}": {(action, kind) for action in RECEIVE} for kind in KINDS},
    "assess-day": {("sqs:GetQueueAttributes", of) for kind in KINDS for of in (kind, f"{kind}-dlq")},
}


@dataclass(frozen=True)
class Grant:
    """A grant in a role's policy. For ListBucket, `prefix` is a pattern of the permitted prefixes."""

    role: str
    action: str
    resource: str
    prefix: str | None = None
    prefix_optional: bool = False

    def allows(self, asked: dict[str, Any]) -> bool:
        if (asked["principal"].split("/")[1], asked["action"]) != (self.role, self.action):
            return False
        if not fnmatchcase(asked["resource"], self.resource):
            return False
        if self.prefix is None:
            return True
        return self.prefix_optional if asked["prefix"] is None else fnmatchcase(asked["prefix"], self.prefix)


KEPT = [
    # Lambda, the scheduler and Step Functions make these calls with a role. The emulator's services use no
    # role. The tests do not use the schedules.
    ("*-lambda-*", "logs:*", "*:log-group:/aws/lambda/*"),
    ("*-sfn-*", "logs:*", "*"),
    *(("*-lambda-get-financial-data-for-*", action, "*-queue") for action in RECEIVE),
    ("*", "sqs:SendMessage", "*-dlq"),
    ("*-sfn-*", "lambda:InvokeFunction", "*-lambda-*"),
    ("*-sfn-*", "sns:Publish", "*-notices"),
    ("trigger-*", "lambda:InvokeFunction", "*-lambda-check-and-delete-partitions"),
    ("trigger-*", "states:StartExecution", "*-sfn-*"),
    # Glue checks catalog, database and table in each call; the emulator checks the database only.
    ("*-lambda-*", "glue:*", "*:catalog"),
    ("*-lambda-*", "glue:*", "*:table/*"),
    # Without ListBucket, GetObject returns 403 instead of 404 for an object that stage 1 has deleted.
    ("*-lambda-prep-*", "s3:ListBucket", "*"),
    ("*-lambda-specialize-*", "s3:ListBucket", "*"),
]
"""Grants that AWS checks and the emulator does not: role, action and resource."""


def grants(faulty: FaultyLake) -> Iterator[Grant]:
    iam = faulty.client("iam")
    for role in faulty.roles():
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for statement in document["Statement"]:
                assert statement["Effect"] == "Allow"
                named = [
                    (keys["s3:prefix"], test.endswith("IfExists"))
                    for test, keys in statement.get("Condition", {}).items()
                    if "s3:prefix" in keys
                ]
                prefix, optional = named[0] if named else (None, False)
                for action in listed(statement["Action"]):
                    for resource in listed(statement["Resource"]):
                        yield Grant(role, action, resource, prefix, optional)


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_every_granted_action_is_used(faulty: FaultyLake, today_from_pages: FromPages, number: int) -> None:
    """The emulator enforces IAM, so it would refuse an action without a grant."""
    day = today_from_pages.day
    # Write quality rows for the previous day, because the assessment of `day` reads earlier quality rows.
    (earlier,) = days_before(day.number, 1)
    faulty.invoke("assess-day", {"step": "assess", "input": {"anomesdia_exec": earlier}})
    # Delete the SoR objects, so that the round reads all assets again.
    for kind in KINDS:
        lost = faulty.tables[f"sor_{kind}"]
        faulty.delete(lost.bucket, lost.prefix(day.number))
    faulty.compact(day, rounds=[0])
    faulty.check(day)
    # Run `day` from SoR while an execution for another day runs.
    other = faulty.start_workflow(rounds=[5], anomesdia_exec=number)
    faulty.compact(day, source="sor")
    faulty.states.stop_execution(executionArn=other)
    faulty.check(day)
    faulty.remove(earlier)

    unused = set(grants(faulty))
    allowed = [
        [grant for grant in unused if grant.allows(request)]
        for request in map(json.loads, set(faulty.emulator.authorization_log.read_text().splitlines()))
        if request["decision"] == "Allow"
    ]
    unused -= {grant for allowing in allowed if len(allowing) == 1 for grant in allowing}

    assert [grant for grant in unused if not kept(grant)] == []
    assert set(KEPT) == {one for grant in unused for one in kept(grant)}


def kept(grant: Grant) -> list[tuple[str, str, str]]:
    return [one for one in KEPT if all(map(fnmatchcase, (grant.role, grant.action, grant.resource), one))]


@pytest.mark.parametrize(
    ("function", "action"),
    [
        (STAGE_1, "s3:ListBucket"),
        (STAGE_1, "glue:GetPartition"),
        (STAGE_1, "lambda:InvokeFunction"),
        ("get-tickers", "sqs:SendMessage"),
        ("get-tickers", "s3:GetObject"),
        ("assess-day", "sqs:GetQueueAttributes"),
        ("assess-day", "s3:ListBucket"),
        ("dedup-financial-data-for-spec-ativos", "s3:ListBucket"),
    ],
)
def test_a_function_that_lacks_a_grant_fails(
    faulty: FaultyLake, number: int, function: str, action: str
) -> None:
    day = {"anomesdia_exec": number}
    event: dict[str, Any] = {**day, "only_missing": True}
    if function == STAGE_1:
        event = {"tickers": ["PETR4"]} if action == "lambda:InvokeFunction" else {}
    elif function.startswith(("dedup", "assess")):
        event = {"input": day}
    if action == "s3:GetObject":
        faulty.invoke(function, event)  # creates a readable ledger
    # The function reads the day's ledger. No run has written this ledger, so write the ledger here.
    listing = f"ledger/anomesdia_exec={number}/listing.json"
    body = b'{"trial": false, "papers": {"acoes": {"PETR4": null}}}'
    faulty.s3.put_object(Bucket=faulty.lake.work_bucket, Key=listing, Body=body)
    with faulty.without(function, action):
        answer = faulty.invoke(function, event)
    faulty.s3.delete_object(Bucket=faulty.lake.work_bucket, Key=listing)

    assert "AccessDenied" in answer["errorMessage"] or "not authorized" in answer["errorMessage"]


def test_no_role_reaches_another_stages_objects(faulty: FaultyLake) -> None:
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for function in faulty.lake.functions:
        name = function.split("-lambda-")[1]
        for key, table in faulty.tables.items():
            for form in FORMS:
                arn = f"arn:aws:s3:::{table.bucket}/{table.prefix(20261123)}{'0' * 32}.{form}.parquet"
                for action in faulty.may(function, arn, "s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
                    found.setdefault((name, action), set()).add((key, form))

    allowed = {"s3:GetObject": READS, "s3:PutObject": WRITES, "s3:DeleteObject": DELETES}
    assert found == {
        (name, action): {(key, form) for key, forms in tables.items() for form in forms}
        for action, of_functions in allowed.items()
        for name, tables in of_functions.items()
    }


def test_no_role_reaches_another_part_of_the_work_bucket(faulty: FaultyLake) -> None:
    found: dict[str, set[tuple[str, str]]] = {}
    for function in faulty.lake.functions:
        for part in ("ledger", "pages", "athena-results"):
            arn = f"arn:aws:s3:::{faulty.lake.work_bucket}/{part}/anomesdia_exec=20261123/0"
            for action in faulty.may(function, arn, "s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
                found.setdefault(function.split("-lambda-")[1], set()).add((action, part))

    assert found == WORK


def test_no_role_reaches_another_stages_queues_and_functions(faulty: FaultyLake) -> None:
    found: dict[str, set[tuple[str, str]]] = {}
    invoked = set()
    for function in faulty.lake.functions:
        name = function.split("-lambda-")[1]
        for kind, url in faulty.lake.ticker_queues.items():
            for queue, of in ((url, kind), (faulty.lake.dead_letter_queues[kind], f"{kind}-dlq")):
                for action in faulty.may(function, queue_arn(queue), *QUEUE_ACTIONS):
                    found.setdefault(name, set()).add((action, of))
        for owner, url in faulty.lake.failure_queues.items():
            may = faulty.may(function, queue_arn(url), *QUEUE_ACTIONS)
            counts = ["sqs:GetQueueAttributes"] if name == "assess-day" else []
            assert may == (["sqs:SendMessage"] if owner == f"{function}-dlq" else counts), (function, owner)
        for other in faulty.lake.functions:
            arn = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{other}"
            if faulty.may(function, arn, "lambda:InvokeFunction"):
                invoked.add((name, other.split("-lambda-")[1]))

    assert found == QUEUES
    assert invoked == {(STAGE_1, "get-tickers")}


def test_no_grant_covers_another_stages_tables_or_everything(faulty: FaultyLake) -> None:
    for grant in grants(faulty):
        assert "*" not in grant.action
        assert grant.resource != "*" or grant.action.startswith("logs:")
        name = grant.role.split("-lambda-")[-1]
        if ":table/" in grant.resource:
            own = {*WRITES.get(name, {}), *DELETES.get(name, {})}
            tables = {key: table.name for key, table in faulty.tables.items()}
            if (name, grant.action) == ("assess-day", "glue:GetPartitions"):
                own = set(tables)  # the function compares the catalog with S3
            assert grant.resource.rsplit("/", 1)[1] in {tables[key] for key in own}, grant
        if grant.action == "s3:ListBucket":
            assert grant.prefix, grant
