"""What awswrangler deletes.

Loaded at its first use: on most evenings there is nothing of the day yet, and awswrangler would be two thirds
of stage 1's start.
"""

from __future__ import annotations

from collections.abc import Iterable

import awswrangler as wr
import boto3

from pynvest_lake.aws import session
from pynvest_lake.storage import LakeTable

# awswrangler makes a client for each call, and a session too where boto3 has none.
boto3.setup_default_session(botocore_session=session())


def delete_objects(bucket: str, keys: Iterable[str]) -> None:
    """Delete objects; one that S3 keeps is passed over."""
    wr.s3.delete_objects([f"s3://{bucket}/{key}" for key in keys])


def delete_partition(table: LakeTable, day: int) -> None:
    """Delete a day's partition from the catalog; one that cannot be deleted is passed over."""
    wr.catalog.delete_partitions(table=table.table, database=table.database, partitions_values=[[str(day)]])
