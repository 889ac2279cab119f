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
        table = {"DatabaseName": request["DatabaseName"], "TableName": request["TableName"]}
        known = glue._partitions.get("{DatabaseName}/{TableName}".format(**table), [])
        errors = []
        for given in request["PartitionsToDelete"]:
            if any(partition["Values"] == given["Values"] for partition in known):
                glue._delete_partition({**table, "PartitionValues": given["Values"]})
            else:
                detail = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Partition not found"}
                errors.append({"PartitionValues": given["Values"], "ErrorDetail": detail})
        return glue.json_response({"Errors": errors})

    glue._handle_request_sync = handle_batch
