"""Roles with one policy, and functions that return the permissions of a role."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import ClientError

from sandbox.emulator import ACCOUNT_ID, REGION, Emulator

ACTIONS_IN_GLUE = (
    *("glue:GetTable", "glue:GetTables"),
    *("glue:GetPartition", "glue:GetPartitions", "glue:BatchGetPartition"),
)


class Role:
    """A role on the emulator, and the permissions that its policy grants."""

    def __init__(self, emulator: Emulator, name: str, policy: str) -> None:
        self._emulator, self._name, self._policy = emulator, name, json.loads(policy)
        iam = emulator.client("iam")
        account = {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": account}
        role = iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=policy)
        assumed = emulator.client("sts").assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="a-person")
        key = assumed["Credentials"]
        self.session = boto3.session.Session(
            key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"], region_name=REGION
        )

    def client(self, service: str) -> Any:
        """Return a client of a service with the role's credentials."""
        session: Any = self.session  # the type stubs accept only literal service names
        return session.client(
            service, endpoint_url=self._emulator.endpoint_url, verify=str(self._emulator.ca_bundle)
        )

    def env(self) -> dict[str, str]:
        """Return environment variables with the role's credentials, for a program."""
        key = self.session.get_credentials()
        assert key is not None
        return {
            "AWS_ACCESS_KEY_ID": key.access_key,
            "AWS_SECRET_ACCESS_KEY": key.secret_key,
            "AWS_SESSION_TOKEN": str(key.token),
        }

    def actions(self) -> set[str]:
        """Return the actions that the policy grants."""
        granted = [statement["Action"] for statement in self._policy["Statement"]]
        return {action for one in granted for action in ([one] if isinstance(one, str) else one)}

    def used(self) -> set[str]:
        """Return the actions that the role used with success."""
        notes = map(json.loads, self._emulator.authorization_log.read_text().splitlines())
        return {
            note["action"]
            for note in notes
            if note["decision"] == "Allow" and f"/{self._name}/" in note["principal"]
        }

    def may_in_glue(self, database: str, table: str) -> bool:
        """Return whether the role may look up a table.

        AWS checks the permissions on catalog, database and table; the emulator checks only the database.
        """
        arn, iam = f"arn:aws:glue:{REGION}:{ACCOUNT_ID}", self._emulator.client("iam")
        return all(
            may(iam, self._name, f"{arn}:{resource}", *ACTIONS_IN_GLUE) == list(ACTIONS_IN_GLUE)
            for resource in ("catalog", f"database/{database}", f"table/{database}/{table}")
        )


def may(iam: Any, role: str, resource: str, *actions: str) -> list[str]:
    """Return the given actions that the role may call on the resource, according to IAM's simulator."""
    answer = iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT_ID}:role/{role}",
        ActionNames=list(actions),
        ResourceArns=[resource],
    )
    return [
        result["EvalActionName"]
        for result in answer["EvaluationResults"]
        if result["EvalDecision"] == "allowed"
    ]


def not_refused(calls: Iterable[partial[Any]]) -> list[str]:
    """Make each call, and return the calls that do not fail with "access denied"."""
    allowed = []
    for call in calls:
        try:
            call()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException"):
                continue
        allowed.append(f"{call.func.__name__} {call.keywords}")
    return allowed
