"""AWS clients: each made once a process, with the SDK's standard retries."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

# Standard mode retries throttling (503 SlowDown among it), 5xx and connection errors with backoff.
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 6},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=16,
)


CONFLICTS = 5
"""Times that an object is put before a conflict over its name is raised."""


@cache
def session() -> botocore.session.Session:
    """Return the process's session, which reads only once what the SDK knows of the services."""
    return botocore.session.get_session()


@cache
def client(service: str) -> Any:
    """Return the process's client of a service.

    Parameters
    ----------
    service
        Name as boto3 has it, such as ``s3``.
    """
    # As boto3.client, which is this and s3transfer: a tenth of a cold start for what nobody uses.
    return session().create_client(service, config=CLIENT_CONFIG)


def put_new(s3: Any, bucket: str, key: str, body: bytes, content_type: str) -> bool:
    """Put an object that is named after its content, unless the name is taken.

    Parameters
    ----------
    s3
        S3 client.
    bucket
        Bucket.
    key
        The name: the same content has the same name.
    body
        The content.
    content_type
        Its media type.

    Returns
    -------
    bool
        Whether it was put now; False where it is there already, which comes to the same.
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
            # Another put or a deletion of this name at the same moment, which the SDK does not retry.
            if code != "ConditionalRequestConflict" or attempts == CONFLICTS:
                raise
        else:
            return True
