"""Read a function's environment into a frozen dataclass of its stage.

The name of a variable is the field's name in capitals. The field's type decides how the text is read.
Terraform validates the inputs before the module ``lambda/`` sets the variables.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_type_hints

from b3.kind import Kind
from pynvest_lake.storage import LakeTable

T = TypeVar("T")


def read_settings(settings: type[T], environment: Mapping[str, str]) -> T:
    """Fill a stage's dataclass from an environment.

    `_READERS` must have a function for the type of each field.

    Raises
    ------
    KeyError
        A variable is missing; the error names it.
    """
    types = get_type_hints(settings)
    return settings(**{name: _READERS[of_type](environment[name.upper()]) for name, of_type in types.items()})


_READERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    bool: json.loads,
    float: float,
    int: int,
    Kind: Kind,
    LakeTable: lambda text: LakeTable(**json.loads(text)),
    tuple[LakeTable, ...]: lambda text: tuple(LakeTable(**table) for table in json.loads(text)),
    Mapping[Kind, str]: lambda text: {Kind(kind): value for kind, value in json.loads(text).items()},
    tuple[tuple[str, str], ...]: lambda text: tuple(sorted(json.loads(text).items())),
    tuple[str, ...]: lambda text: tuple(json.loads(text)),
}
