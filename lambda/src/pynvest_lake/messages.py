"""The messages of the queues: each message names one ticker of one day."""

from __future__ import annotations

import json
from dataclasses import dataclass
from operator import index

from b3.days import parse_day
from b3.kind import Kind
from b3.ticker import parse_ticker
from pynvest_lake.execution import check_fields
from pynvest_lake.ledger import moment_of, moment_text

# Messages from older versions lack the last three fields.
_FIELDS = ("ticker", "kind", "anomesdia_exec", "round", "page", "asked_at")


class MalformedMessage(ValueError):
    """The message is invalid, and a retry cannot help. The text says what was found and what was expected."""


@dataclass(frozen=True)
class PageRef:
    """Reference to an archived page: the key of the archive object, and the time of the fetch."""

    object: str
    fetched_at: str


@dataclass(frozen=True)
class TickerMessage:
    """A ticker to read on a day.

    Parameters
    ----------
    ticker, kind, day
        The asset and the day.
    round
        The round that queued the ticker.
    page
        Reference to the archived page to read; None to fetch the page from the site.
    asked_at
        When the message was made, as `moment_text` writes it. Two deliveries of one message give the same
        reading. None if an older version made the message.
    """

    ticker: str
    kind: Kind
    day: int
    round: int = 0
    page: PageRef | None = None
    asked_at: str | None = None

    def to_json(self) -> str:
        """Return the body of the message."""
        body = {
            "ticker": self.ticker,
            "kind": self.kind.value,
            "anomesdia_exec": self.day,
            "round": self.round,
            "page": self.page and vars(self.page),
            "asked_at": self.asked_at,
        }
        return json.dumps({name: value for name, value in body.items() if value is not None})

    @classmethod
    def from_json(cls, body: str, kind: Kind) -> TickerMessage:
        """Read the body of a message from the queue of a kind.

        Raises
        ------
        MalformedMessage
            The body is not JSON, or its fields are wrong: ``ticker``, ``kind`` or ``anomesdia_exec`` is
            missing, a field is unknown, or a value is invalid.
        """
        try:
            fields = json.loads(body)
            check_fields(fields, _FIELDS)
            page, asked_at = fields.get("page"), fields.get("asked_at")
            message = cls(
                parse_ticker(fields["ticker"]),
                Kind(fields["kind"]),
                parse_day(fields["anomesdia_exec"]),
                index(fields.get("round", 0)),
                None if page is None else PageRef(str(page["object"]), str(page["fetched_at"])),
                None if asked_at is None else moment_text(moment_of(asked_at, "asked_at")),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            expected = f"expected an object with {', '.join(_FIELDS[:3])}"
            raise MalformedMessage(f"{type(error).__name__}: {error}: {body[:200]!r}, {expected}") from error
        if message.kind is not kind:
            raise MalformedMessage(f"kind is {message.kind.value!r}, expected {kind.value!r}: {body[:200]!r}")
        return message
