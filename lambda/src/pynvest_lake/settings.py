"""What a function is told by its environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pynvest_lake.kinds import Kind


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

    def json_list(self, name: str) -> list[Any]:
        """Return a variable that is a JSON list."""
        value: list[Any] = self._json(name, list)
        return value

    def json_object(self, name: str) -> dict[str, Any]:
        """Return a variable that is a JSON object."""
        value: dict[str, Any] = self._json(name, dict)
        return value

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

    def queue_urls(self, name: str) -> dict[Kind, str]:
        """Return a variable that is a JSON object from kind to queue URL."""
        urls = self.json_object(name)
        try:
            return {Kind(kind): url for kind, url in urls.items()}
        except ValueError:
            expected = ", ".join(kind.value for kind in Kind)
            raise SettingError(
                f"environment variable {name} has keys {sorted(urls)}, expected only {expected}"
            ) from None
