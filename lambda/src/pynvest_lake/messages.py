"""The messages of the queues: one ticker of one day."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pynvest_lake.day import parse_day
from pynvest_lake.kinds import Kind

_REQUIRED = {"ticker", "kind", "anomesdia_exec"}
# Fields that were added later: a message of before an upgrade lacks them.
_OPTIONAL: frozenset[str] = frozenset()
_TICKER = re.compile(r"[A-Z0-9]{4,12}")


class MalformedMessage(ValueError):  # noqa: N818 - what it is
    """A message that no retry can mend; the text says what it holds and what was expected."""


def parse_ticker(value: object) -> str:
    """Check that a value is a ticker and return it.

    Raises
    ------
    ValueError
        The value is not 4 to 12 capital letters and digits.
    """
    if isinstance(value, str) and _TICKER.fullmatch(value):
        return value
    raise ValueError(f"ticker is {value!r}, expected 4 to 12 capital letters and digits, such as 'PETR4'")


def parse_tickers(value: object) -> list[str]:
    """Check that a value is a list of tickers, at least one, and return it.

    Raises
    ------
    ValueError
        The value is no such list.
    """
    if not isinstance(value, list) or not value:
        raise ValueError(f"tickers is {value!r}, expected a list of tickers, such as ['PETR4', 'HGLG11']")
    return [parse_ticker(ticker) for ticker in value]


def check_fields(event: Mapping[str, object], known: Collection[str]) -> None:
    """Check that an event has no field but the known ones.

    Raises
    ------
    ValueError
        It has others.
    """
    if unknown := sorted(set(event) - set(known)):
        raise ValueError(f"event has {', '.join(unknown)}, expected no fields but {', '.join(known)}")


@dataclass(frozen=True, order=True)
class TickerMessage:
    """A ticker to read on a day."""

    ticker: str
    kind: Kind
    day: int

    def to_json(self) -> str:
        """Return the body of the message."""
        return json.dumps({"ticker": self.ticker, "kind": self.kind.value, "anomesdia_exec": self.day})

    @classmethod
    def from_json(cls, body: str, kind: Kind) -> TickerMessage:
        """Read the body of a message from the queue of a kind.

        Raises
        ------
        MalformedMessage
            The body is not JSON, lacks ``ticker``, ``kind`` or ``anomesdia_exec``, has a field that is not
            known, or one of them is not what it should be.
        """
        try:
            fields = json.loads(body)
        except json.JSONDecodeError as error:
            raise MalformedMessage(f"message is no JSON ({error}): {body[:200]!r}") from error
        if not isinstance(fields, dict) or not _REQUIRED <= set(fields) <= _REQUIRED | _OPTIONAL:
            raise MalformedMessage(f"message is {body[:200]!r}, expected an object with {sorted(_REQUIRED)}")
        if fields["kind"] != kind.value:
            raise MalformedMessage(
                f"message has kind {fields['kind']!r}, expected {kind.value!r}: {body[:200]!r}"
            )
        try:
            return cls(parse_ticker(fields["ticker"]), kind, parse_day(fields["anomesdia_exec"]))
        except ValueError as error:
            raise MalformedMessage(f"{error}: {body[:200]!r}") from error
