"""AWS clients: each made once a process, with the SDK's standard retries."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

# Standard mode retries throttling (503 SlowDown among it), 5xx and connection errors with backoff.
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 6},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=16,
)


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
