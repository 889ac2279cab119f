"""AWS clients: one of each service in a process, with the SDK's standard retries."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

# Standard mode retries throttling (including 503 SlowDown), 5xx and connection errors with backoff.
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 6},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=16,
)


CONFLICTS = 5
"""Number of attempts to put an object before a conflict over its name is raised."""


@cache
def session() -> botocore.session.Session:
    """Return the process's session, so that the SDK's service descriptions are read only once."""
    return botocore.session.get_session()


@cache
def client(service: str) -> Any:
    """Return the process's client of a service.

    Parameters
    ----------
    service
        Name of the service in boto3, such as ``s3``.
    """
    # boto3.client does the same, but also loads s3transfer: a tenth of a cold start, and not used here.
    return session().create_client(service, config=CLIENT_CONFIG)


def put_new(s3: Any, bucket: str, key: str, body: bytes, content_type: str) -> bool:
    """Put an object whose name is a hash of its content, unless the name exists.

    Parameters
    ----------
    s3
        S3 client.
    bucket
        Bucket.
    key
        The object's key: the same content has the same key.
    body
        The content.
    content_type
        Its media type.

    Returns
    -------
    bool
        Whether the object was put now; False if it already exists, with the same content.
    """
    attempts = 0
    while True:
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*")
        except ClientError as error:
            attempts += 1
            code = error.response["Error"]["Code"]
            if code == "PreconditionFailed":
                return False
            # Another put or delete of this key ran at the same moment. The SDK does not retry this error.
            if code != "ConditionalRequestConflict" or attempts == CONFLICTS:
                raise
        else:
            return True
