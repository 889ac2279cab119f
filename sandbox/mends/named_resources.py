"""A request is held against the resource that IAM asks for, where it names that in a roundabout way.

Of a query that is given by its id that is the workgroup in which it was asked or saved, of a catalog
or a database itself. No longer needed once the tests of the readers' policy pass without this module.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions
from ministack.services import athena


def apply() -> None:
    """Hold requests to Athena and Glue against the resources that MiniStack does not see them name."""
    extract = iam_actions.extract_resource_arn

    def extract_named(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> str:
        named = None
        if service in ("athena", "glue"):
            action = headers.get("x-amz-target", "").rpartition(".")[2]
            named = resource(service, action, json.loads(body or b"{}"))
        if named is None:
            arn: str = extract(service, method, path, headers, body, query, region, account)
            return arn
        return f"arn:aws:{service}:{region}:{account}:{named}"

    iam_actions.extract_resource_arn = extract_named


def resource(service: str, action: str, request: Mapping[str, Any]) -> str | None:
    """Return the resource that a request is about; None where MiniStack sees it by itself."""
    if service == "glue":
        return f"database/{request['Name']}" if action == "GetDatabase" else None
    for known, field in (
        (athena._executions, "QueryExecutionId"),
        (athena._named_queries, "NamedQueryId"),
    ):
        ids = request.get(f"{field}s") or [request.get(field)]
        if found := known.get(ids[0]):
            return f"workgroup/{found['WorkGroup']}"
    catalog = request.get("Name") if action == "GetDataCatalog" else request.get("CatalogName")
    return f"datacatalog/{catalog}" if catalog else None
