"""pyarrow without pandas, for functions that use no data frames."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    """An import finder that reports pandas as not installed."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        del path, target
        if fullname == "pandas":
            raise ModuleNotFoundError("this function does not use pandas", name=fullname)


def leave_pandas_alone() -> None:
    """Stop pyarrow from importing pandas, unless pandas is already imported.

    pyarrow tries to import pandas once, when it first makes an array of Python objects. Without byte code,
    importing pandas takes one second of CPU, more than all other imports of stages 4 to 6. Handlers call this
    function at import time.
    """
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([None])
    finally:
        sys.meta_path.remove(finder)
