"""The lake on moto, with buckets, databases, tables and queues as Terraform makes them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import datetime, timezone
from types import SimpleNamespace

import pytest
import time_machine
from moto import backend_index, mock_aws
from moto.core.base_backend import BaseBackend

from moto_lake import Lake, make_lake
from pynvest_lake import aws

# moto builds a service's URLs again for each request, and searches 183 services for the request's URL.
# To save time, cache the URLs, and put the lake's services first in the search order.
BaseBackend.urls = functools.cached_property(BaseBackend.urls.fget)
BaseBackend.urls.__set_name__(BaseBackend, "urls")
backend_index.backend_url_patterns.sort(key=lambda pattern: pattern[0] not in ("s3", "glue", "sqs"))

EVENING = datetime(2026, 11, 23, 22, 0, tzinfo=timezone.utc)  # 19:00 in São Paulo


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """Return an empty lake. The clock starts at `EVENING`."""
    monkeypatch.setattr(aws, "FIRST_WAIT_SECONDS", 0)
    with time_machine.travel(EVENING, tick=True), mock_aws():
        yield make_lake()


@pytest.fixture
def context() -> SimpleNamespace:
    return SimpleNamespace(
        function_name="function",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:sa-east-1:123456789012:function:function",
        aws_request_id="request",
        get_remaining_time_in_millis=lambda: 60_000,
    )
