"""The AWS clients of a process, one client per service, with the SDK's standard retries."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

# Standard mode retries throttling errors (including 503 SlowDown), 5xx and connection errors, with backoff.
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 6},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=16,
)


FIRST_WAIT_SECONDS = 0.5
"""Wait before the second of several attempts."""
CONFLICTS = 5
"""Number of attempts to put an object before a conflict over its name is raised."""


@cache
def session() -> botocore.session.Session:
    """Return the SDK session of this process, so that the service descriptions are read only once."""
    return botocore.session.get_session()


@cache
def client(service: str) -> Any:
    """Return this process's client for a service, such as ``s3``."""
    # boto3.client would also load s3transfer, which is not used and takes 10% of the time of a cold start.
    return session().create_client(service, config=CLIENT_CONFIG)


def attempts(count: int) -> Iterator[int]:
    """Yield the numbers of the attempts, 1 to `count`; double the wait before each further attempt."""
    for number in range(1, count + 1):
        yield number
        if number < count:
            time.sleep(FIRST_WAIT_SECONDS * 2 ** (number - 1))


def list_objects(s3: Any, bucket: str, prefix: str, **options: str) -> Iterator[dict[str, Any]]:
    """Yield each object below a prefix as S3 describes it; `options` are further fields of the request."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **options)
    return (item for page in pages for item in page.get("Contents", []))


def put_new(s3: Any, bucket: str, key: str, body: bytes, content_type: str) -> bool:
    """Put an object, unless the key exists; return whether this call wrote the object."""
    for attempt in attempts(CONFLICTS):
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*")
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "PreconditionFailed":
                return False
            # The SDK does not retry a put that conflicts with another put or delete of the same key.
            if code != "ConditionalRequestConflict" or attempt == CONFLICTS:
                raise
        else:
            break
    return True
