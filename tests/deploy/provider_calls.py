"""The AWS API calls in the AWS provider's debug log, and the IAM actions that the calls need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from parliament import iam_definition

IAM_ACTIONS = {row["prefix"]: {action["privilege"] for action in row["privileges"]} for row in iam_definition}
"""AWS's Service Authorization Reference, as packaged in parliament: the actions of each service."""

PREFIXES = {"CloudWatch Logs": "logs", "EventBridge": "events", "SFN": "states"}
"""SDK service names whose lower-case form is not the prefix of the actions."""

S3_ACTIONS = {
    "DeleteBucketEncryption": ["PutEncryptionConfiguration"],
    "DeleteBucketLifecycle": ["PutLifecycleConfiguration"],
    "DeleteObjects": ["DeleteObject", "DeleteObjectVersion"],
    "DeletePublicAccessBlock": ["PutBucketPublicAccessBlock"],
    "GetBucketAccelerateConfiguration": ["GetAccelerateConfiguration"],
    "GetBucketCors": ["GetBucketCORS"],
    "GetBucketEncryption": ["GetEncryptionConfiguration"],
    "GetBucketLifecycleConfiguration": ["GetLifecycleConfiguration"],
    "GetBucketNotificationConfiguration": ["GetBucketNotification"],
    "GetBucketReplication": ["GetReplicationConfiguration"],
    "GetObjectLockConfiguration": ["GetBucketObjectLockConfiguration"],
    "GetPublicAccessBlock": ["GetBucketPublicAccessBlock"],
    "HeadBucket": ["ListBucket"],
    "HeadObject": ["GetObject"],
    "ListObjectVersions": ["ListBucketVersions"],
    "ListObjectsV2": ["ListBucket"],
    "PutBucketEncryption": ["PutEncryptionConfiguration"],
    "PutBucketLifecycleConfiguration": ["PutLifecycleConfiguration"],
    "PutBucketNotificationConfiguration": ["PutBucketNotification"],
    "PutPublicAccessBlock": ["PutBucketPublicAccessBlock"],
}
"""Calls whose action has another name: S3 User Guide, "Required permissions for Amazon S3 API operations".

Among the services that the provider calls for this module, only S3 has such calls.
"""

RECORD = re.compile(r"^(?=\d{4}-\d\d-\d\dT)", re.MULTILINE)
CALLED = re.compile(r'\brpc\.(method|service)=("[^"]*"|\S+)')


def actions_called(log: Path) -> set[str]:
    """Return the IAM actions of all calls in a log written with ``TF_LOG_PROVIDER=DEBUG``.

    Raises
    ------
    ValueError
        A call has neither an IAM action of the same name nor an entry in `S3_ACTIONS`.
    """
    return {action for record in RECORD.split(log.read_text()) for action in _actions(record)}


def _actions(record: str) -> Iterator[str]:
    if "HTTP Request Sent" not in record:
        return
    call = {name: value.strip('"') for name, value in CALLED.findall(record)}
    service, method = PREFIXES.get(call["service"], call["service"].lower()), call["method"]
    names = S3_ACTIONS.get(method, [method]) if service == "s3" else [method]
    if method == "PutObject" and "http.request.header.x_amz_tagging=" in record:
        names = [*names, "PutObjectTagging"]
    if not IAM_ACTIONS[service].issuperset(names):
        raise ValueError(
            f"{call['service']} {method} has no IAM action of that name: add its action to S3_ACTIONS"
        )
    yield from (f"{service}:{name}" for name in names)
