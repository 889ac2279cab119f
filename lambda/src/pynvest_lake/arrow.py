"""pyarrow without pandas: a function that has no data frames need not start with them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    """Finds no pandas."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """Refuse to look for pandas any further."""
        del path, target
        if fullname == "pandas":
            raise ModuleNotFoundError("this function does without pandas", name=fullname)


def leave_pandas_alone() -> None:
    """Let pyarrow find that there is no pandas, unless somebody has imported it already.

    It looks once, when it first makes an array of Python's own objects, and imports pandas, which without
    byte code takes a second of the CPU: more than all else that stages 4 to 6 start with. A handler calls
    this as it is imported.
    """
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([None])
    finally:
        sys.meta_path.remove(finder)
