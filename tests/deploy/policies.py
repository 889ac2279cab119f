"""Find the policies of a configuration, and check policies and workflows with AWS linters."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from parliament import analyze_policy_string

from sandbox.emulator import ACCOUNT_ID

ASL_VALIDATOR = "asl-validator@4.0.0"
"""Package of the npm registry."""


ONE_ACCOUNTS = (
    "aws:SourceAccount",
    "aws:SourceArn",
    "kms:EncryptionContext:aws:logs:arn",
    "kms:EncryptionContext:aws:sns:topicArn",
    "kms:EncryptionContext:aws:sqs:arn",
)
"""Condition keys for the account on whose behalf a service acts."""

WITHOUT_CONDITION = ("events.amazonaws.com", "sns:Publish")
"""EventBridge supports no condition in a topic policy (EventBridge User Guide, "Amazon SNS permissions")."""


OTHER_KINDS = ("capacity-reservation", "datacatalog", "express", "mapRun")
"""Resource types that our actions support but the module does not create. parliament requires each type."""


WITHOUT_RESOURCE = ["logs:GetQueryResults"]
"""The call takes a query id and no log group, although AWS's reference lists log groups as its resource."""


def policies(resources: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the policy documents of resources. The keys are the locations of the documents.

    Trust policies name no resource, so this function adds the role's ARN to their statements.
    """
    found = {}
    for address, values in resources.items():
        for attribute, value in values.items():
            if isinstance(value, str) and attribute.endswith("policy") and '"Statement"' in value:
                policy = json.loads(value)
                for statement in policy["Statement"]:
                    if "Resource" not in statement:
                        statement["Resource"] = f"arn:aws:iam::{ACCOUNT_ID}:role/{values['name']}"
                found[f"{address}: {attribute}"] = policy
    return found


def wrong_with_policy(policy: Mapping[str, Any]) -> list[str]:
    """Return the findings of ``parliament`` about a policy's actions, resources and conditions.

    ``*`` is correct in a policy with principals, because such a policy applies only to its own resource.
    The result leaves out findings whose resource types are all in `OTHER_KINDS`.
    """
    attached = all("Principal" in statement for statement in policy["Statement"])
    return [
        f"{finding.issue}: {finding.detail} {finding.location}"
        for finding in analyze_policy_string(json.dumps(policy)).findings
        if not (finding.issue == "RESOURCE_STAR" and (attached or finding.detail == WITHOUT_RESOURCE))
        and not _wants_other_kinds(finding)
    ]


def _wants_other_kinds(finding: Any) -> bool:
    """Return whether a finding concerns only resource types that the module does not create."""
    if finding.issue != "RESOURCE_MISMATCH":
        return False
    kinds = (missed["required_format"].split(":", 5)[5].partition(":")[0] for missed in finding.detail)
    return all(kind.partition("/")[0] in OTHER_KINDS for kind in kinds)


def lets_any_account_in(policy: Mapping[str, Any]) -> bool:
    """Return whether the policy allows an AWS service without a condition on the account."""
    return any(
        statement["Effect"] == "Allow"
        and "Service" in statement.get("Principal", {})
        and (statement["Principal"]["Service"], statement["Action"]) != WITHOUT_CONDITION
        and not any(
            key in ONE_ACCOUNTS
            and all(ACCOUNT_ID in one for one in ([value] if isinstance(value, str) else value))
            for keys in statement.get("Condition", {}).values()
            for key, value in keys.items()
        )
        for statement in policy["Statement"]
    )


def check_policies(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Check that AWS accepts each policy, and that no policy lets another account in."""
    assert {where: wrong for where, policy in found.items() if (wrong := wrong_with_policy(policy))} == {}
    assert [where for where, policy in found.items() if lets_any_account_in(policy)] == []


def wrong_with_workflow(definition: str, directory: Path) -> str:
    """Return asl-validator's findings about a workflow definition; empty if the definition is valid.

    Raises
    ------
    FileNotFoundError
        If ``npx`` is not installed.
    """
    npx = shutil.which("npx")
    if npx is None:
        raise FileNotFoundError("npx is not installed: install Node.js 18 or newer with npm")
    path = directory / "definition.json"
    path.write_text(definition)
    validator = subprocess.run(
        [npx, "--yes", ASL_VALIDATOR, "--json-path", str(path)], capture_output=True, text=True, check=False
    )
    return "" if validator.returncode == 0 else validator.stdout + validator.stderr
