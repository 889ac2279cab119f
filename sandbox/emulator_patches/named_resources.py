"""A request is checked against its resource, even if the request gives only an id or a name.

A request with a query id is checked against the query's workgroup. A request about a rule's targets is
checked against the rule; a request about tags is checked against the tagged resource. A request that names a
catalog, a database, a function, a workgroup or an alarm is checked against the named resource. Remove this
module when the tests of the policies for readers and deployers pass without it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions
from ministack.services import athena

TAGGED_SERVICES = ("athena", "events", "glue", "monitoring", "sns", "states")
"""Services for which MiniStack does not find the resource in a request about tags."""


def apply() -> None:
    """Return the resource that a request names in a field that MiniStack ignores."""
    extract = iam_actions.extract_resource_arn

    def extract_named(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> str:
        if service in TAGGED_SERVICES:
            tagged = iam_actions._param(body, query, "ResourceARN", "ResourceArn", "resourceArn")
            if tagged:
                return str(tagged)
        named = None
        if service in ("athena", "events", "glue"):
            action = headers.get("x-amz-target", "").rpartition(".")[2]
            named = resource(service, action, json.loads(body or b"{}"))
        elif service == "lambda":
            named = of_lambda(method, path, body)
        elif service == "monitoring" and (alarm := iam_actions._query_param(query, "AlarmNames.member.1")):
            return f"arn:aws:cloudwatch:{region}:{account}:alarm:{alarm}"
        if named is None:
            arn: str = extract(service, method, path, headers, body, query, region, account)
            return arn
        return f"arn:aws:{service}:{region}:{account}:{named}"

    iam_actions.extract_resource_arn = extract_named


def of_lambda(method: str, path: str, body: bytes) -> str | None:
    """Return a request's resource if the request creates a function or names a layer version; else None."""
    parts = path.strip("/").split("/")
    if method == "POST" and parts[-1] == "functions":
        return f"function:{json.loads(body)['FunctionName']}"
    if parts[1:2] == ["layers"] and len(parts) == 5:
        return f"layer:{parts[2]}:{parts[4]}"
    return None


def resource(service: str, action: str, request: Mapping[str, Any]) -> str | None:
    """Return the resource of a request; None if MiniStack finds the resource by itself."""
    if service == "glue":
        return f"database/{request['Name']}" if action in ("GetDatabase", "DeleteDatabase") else None
    if service == "events":
        rule = request.get("Rule") or request.get("Name")
        return f"rule/{rule}" if rule else None
    if action == "CreateWorkGroup":
        return f"workgroup/{request['Name']}"
    for known, field in (
        (athena._executions, "QueryExecutionId"),
        (athena._named_queries, "NamedQueryId"),
    ):
        ids = request.get(f"{field}s") or [request.get(field)]
        if found := known.get(ids[0]):
            return f"workgroup/{found['WorkGroup']}"
    catalog = request.get("Name") if action == "GetDataCatalog" else request.get("CatalogName")
    return f"datacatalog/{catalog}" if catalog else None
