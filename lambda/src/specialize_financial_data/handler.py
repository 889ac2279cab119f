"""Lambda handler of stage 5."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from pynvest_lake.arrow import leave_pandas_alone
from pynvest_lake.contract import KINDS
from pynvest_lake.derivation import derive
from pynvest_lake.settings import read_settings
from pynvest_lake.specialize import specialize
from pynvest_lake.storage import LakeTable

leave_pandas_alone()
logger = Logger()


@dataclass(frozen=True)
class Settings:
    """The source tables, and the table to write."""

    source_tables: tuple[LakeTable, ...]
    target_table: LakeTable


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the Spec object of each SoT object in the event.

    Raises
    ------
    UnexpectedObject
        A record does not belong to this function's tables, or the record's object cannot be read. All other
        records were specialized.
    """
    settings = read_settings(Settings, os.environ)
    return derive(
        event,
        settings.source_tables,
        settings.target_table,
        lambda content: specialize(content.rows, KINDS[content.object.table.table]),
        logger,
    )
