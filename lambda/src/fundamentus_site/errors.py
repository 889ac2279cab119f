"""What an answer of the Fundamentus site can be besides the page that was asked for, told apart by type."""

from __future__ import annotations

from b3.bounds import printable

MOST_CHARACTERS = 600
"""Of the text of an error: it goes into logs, ledger and notices."""


class FundamentusError(Exception):
    """The site gave no asset's page or listing; the message says what was asked, found and expected."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message, MOST_CHARACTERS))


class NoSuchAsset(FundamentusError):
    """The site answered that it knows no such asset: asking again does not help."""


class Refused(FundamentusError):
    """The site refuses the client: 403, 429, a challenge, or a page that is not the site's.

    Parameters
    ----------
    rate_limited
        Whether it was 429, which speaks of the rate of all requests.
    """

    def __init__(self, message: str, *, rate_limited: bool = False) -> None:
        super().__init__(message)
        self.rate_limited = rate_limited


class Unavailable(FundamentusError):
    """The site did not give the page this time: 5xx, a time-out, a broken, cut off or oversized answer."""


class LayoutNotRecognized(FundamentusError):
    """A page of the site without indicators, or in another layout, or of another asset."""


class LaterSession(FundamentusError):
    """The page is of a session after the day that it was to be read for: it is no page of that day."""
