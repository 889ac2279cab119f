"""A policy can check whether a request has the header ``If-None-Match``.

MiniStack does not know the condition key ``s3:if-none-match``, so a bucket policy that requires the key
denies every put. Remove this module when the test of the collector's access key passes without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions

HEADER = "if-none-match"


def apply() -> None:
    """Copy PutObject's header ``If-None-Match`` into the condition key ``s3:if-none-match``."""
    context = iam_actions.s3_service_context

    def context_with_header(
        action: str, query: Any, path: str = "", headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        found: dict[str, Any] = context(action, query, path, headers)
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        if action == "s3:PutObject" and HEADER in sent:
            return {**found, f"s3:{HEADER}": sent[HEADER]}
        return found

    iam_actions.s3_service_context = context_with_header
