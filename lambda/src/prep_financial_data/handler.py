"""Lambda handler of stage 4."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from b3.kind import Kind
from pynvest_lake.arrow import leave_pandas_alone
from pynvest_lake.derivation import derive
from pynvest_lake.prepare import UnreadableCell, prepare
from pynvest_lake.settings import read_settings
from pynvest_lake.storage import Content, LakeTable

leave_pandas_alone()
logger = Logger()


@dataclass(frozen=True)
class Settings:
    """The kind of asset, the source tables, and the table to write."""

    ticker_kind: Kind
    source_tables: tuple[LakeTable, ...]
    target_table: LakeTable


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the SoT object of each SoR object in the event.

    Raises
    ------
    UnexpectedObject
        A record does not belong to this function's tables, or the record's object cannot be read. All other
        records were prepared.
    """
    settings = read_settings(Settings, os.environ)
    target = settings.target_table
    unreadable: list[UnreadableCell] = []

    def rows_of(content: Content) -> pa.Table:
        prepared = prepare(content.rows, settings.ticker_kind, content.object.day)
        for cell in prepared.unreadable:
            logger.warning("cell unreadable", extra={"table": target.table, **vars(cell)})
        unreadable.extend(prepared.unreadable)
        return prepared.table

    counts = derive(event, settings.source_tables, target, rows_of, logger)
    return counts | {"unreadable_cells": len(unreadable)}
