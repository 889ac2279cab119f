"""``glue:BatchDeletePartition`` deletes partitions and reports the partitions that do not exist.

awswrangler deletes partitions with ``glue:BatchDeletePartition``. Remove this module when MiniStack supports
this operation.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.services import glue


def apply() -> None:
    """Implement ``glue:BatchDeletePartition`` with ``DeletePartition`` calls, because MiniStack lacks it."""
    handle = glue._handle_request_sync

    def handle_batch(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        if headers.get("x-amz-target") != "AWSGlue.BatchDeletePartition":
            return handle(method, path, headers, body, query_params)
        request = json.loads(body)
        database, name = request["DatabaseName"], request["TableName"]
        known = [one["Values"] for one in glue._partitions.get(f"{database}/{name}", [])]
        requested = [one["Values"] for one in request["PartitionsToDelete"]]
        for values in requested:
            glue._delete_partition({"DatabaseName": database, "TableName": name, "PartitionValues": values})
        detail = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Partition not found"}
        errors = [{"PartitionValues": one, "ErrorDetail": detail} for one in requested if one not in known]
        return glue.json_response({"Errors": errors})

    glue._handle_request_sync = handle_batch
