"""Read a function's environment into a frozen dataclass of its stage.

The name of a variable is the field's name in capitals. The field's type decides how the text is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

from b3.kind import Kind
from pynvest_lake.storage import LakeTable

T = TypeVar("T")


class SettingError(ValueError):
    """An environment variable is missing or has the wrong form."""


def variable_names(settings: type) -> set[str]:
    """Return the names of the environment variables for a stage's dataclass."""
    return {field.name.upper() for field in fields(settings)}


def read_settings(settings: type[T], environment: Mapping[str, str]) -> T:
    """Fill a stage's dataclass from an environment.

    Parameters
    ----------
    settings
        A dataclass whose fields have the types ``str``, ``bool``, ``int``, ``float``, ``Kind``,
        ``LakeTable``, ``tuple[LakeTable, ...]``, ``Mapping[Kind, str]``, ``Mapping[str, str]`` or
        ``tuple[str, ...]``.
    environment
        The environment variables, such as ``os.environ``.

    Raises
    ------
    SettingError
        A variable is missing or empty, or does not have its field's type; the text names the variable.
    """
    types = get_type_hints(settings)
    values = {}
    for field in fields(settings):  # type: ignore[arg-type]
        name = field.name.upper()
        text = environment.get(name, "")
        if not text:
            raise SettingError(f"environment variable {name} is missing or empty")
        try:
            values[field.name] = _READERS[types[field.name]](text)
        except ValueError as error:
            raise SettingError(f"environment variable {name} is {text!r}, {error}") from error
    return settings(**values)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not number > 0:
        raise ValueError("expected a positive number")
    return number


def _whole_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError("expected a positive whole number")
    return int(text)


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise ValueError(f"expected one of {', '.join(kind.value for kind in Kind)}") from None


def _json(text: str, expected: type) -> Any:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"which is no JSON ({error})") from error
    if not isinstance(value, expected):
        raise ValueError(f"expected a JSON {expected.__name__}")  # noqa: TRY004 - as other readers do
    return value


def _table(text: str) -> LakeTable:
    return LakeTable.from_setting(_json(text, dict))


def _tables(text: str) -> tuple[LakeTable, ...]:
    return tuple(LakeTable.from_setting(value) for value in _json(text, list))


def _by_kind(text: str) -> dict[Kind, str]:
    return {_kind(kind): value for kind, value in _json(text, dict).items()}


def _texts(text: str) -> dict[str, str]:
    texts: dict[str, str] = _json(text, dict)
    if not all(isinstance(value, str) for value in texts.values()):
        raise ValueError("expected a JSON dict of texts")
    return texts


def _list_of_texts(text: str) -> tuple[str, ...]:
    texts: list[str] = _json(text, list)
    if not all(isinstance(value, str) for value in texts):
        raise ValueError("expected a JSON list of texts")
    return tuple(texts)


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("expected true or false")
    return text == "true"


_READERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    bool: _flag,
    float: _number,
    int: _whole_number,
    Kind: _kind,
    LakeTable: _table,
    tuple[LakeTable, ...]: _tables,
    Mapping[Kind, str]: _by_kind,
    Mapping[str, str]: _texts,
    tuple[str, ...]: _list_of_texts,
}
