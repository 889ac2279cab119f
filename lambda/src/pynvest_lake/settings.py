"""What a function is told by its environment."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from pynvest_lake.kinds import Kind
from pynvest_lake.storage import LakeTable


class SettingError(ValueError):
    """An environment variable is missing, or not of the form that it should have."""


class Settings:
    """Reads the variables of a function's environment.

    Parameters
    ----------
    environment
        The environment, such as ``os.environ``.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str) -> str:
        """Return a variable that has to be there and not empty."""
        value = self._environment.get(name, "")
        if not value:
            raise SettingError(f"environment variable {name} is missing or empty")
        return value

    def number(self, name: str) -> float:
        """Return a variable that is a positive number."""
        value = self.text(name)
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if not number > 0:
            raise SettingError(f"environment variable {name} is {value!r}, expected a positive number")
        return number

    def kind(self, name: str) -> Kind:
        """Return a variable that names a kind of paper."""
        value = self.text(name)
        try:
            return Kind(value)
        except ValueError:
            expected = ", ".join(kind.value for kind in Kind)
            raise SettingError(
                f"environment variable {name} is {value!r}, expected one of {expected}"
            ) from None

    def table(self, name: str) -> LakeTable:
        """Return a variable that is a table, as a JSON object."""
        return self._table(name, self._json(name, dict))

    def tables(self, name: str) -> list[LakeTable]:
        """Return a variable that is a JSON list of tables."""
        return [self._table(name, value) for value in self._json(name, list)]

    def _table(self, name: str, value: Any) -> LakeTable:
        try:
            return LakeTable.from_setting(value)
        except ValueError as error:
            raise SettingError(f"environment variable {name}: {error}") from error

    def _json(self, name: str, expected: type) -> Any:
        text = self.text(name)
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            raise SettingError(f"environment variable {name} is no JSON ({error}): {text!r}") from error
        if not isinstance(value, expected):
            raise SettingError(
                f"environment variable {name} is {text!r}, expected a JSON {expected.__name__}"
            )
        return value

    def queue_urls(self, name: str, required: Collection[Kind] = ()) -> dict[Kind, str]:
        """Return a variable that is a JSON object from kind to queue URL."""
        urls = self._json(name, dict)
        if not {*required} <= {*urls} <= {*Kind}:
            expected = ("" if required else "only ") + " and ".join(kind.value for kind in Kind)
            raise SettingError(f"environment variable {name} has keys {sorted(urls)}, expected {expected}")
        return {Kind(kind): url for kind, url in urls.items()}
