"""Errors for answers that are not the requested page of the Fundamentus site."""

from __future__ import annotations

from b3.bounds import printable

MOST_CHARACTERS = 600
"""Limit of an error's text, because the text goes into logs, ledger and notices."""


class FundamentusError(Exception):
    """The answer is not the requested page; the message says what was requested, found and expected."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message, MOST_CHARACTERS))


class NoSuchAsset(FundamentusError):
    """The site answered that the asset does not exist, so a retry cannot help."""


class Refused(FundamentusError):
    """The site refuses the client with status 403 or 429, a challenge, or a page of another site.

    Parameters
    ----------
    rate_limited
        Whether the status was 429: the client has sent too many requests.
    """

    def __init__(self, message: str, *, rate_limited: bool = False) -> None:
        super().__init__(message)
        self.rate_limited = rate_limited


class Unavailable(FundamentusError):
    """The site gave no page: a 5xx status, a timeout, or a broken, cut-off or oversized answer."""


class LayoutNotRecognized(FundamentusError):
    """The page belongs to the site, but has no indicators, has another layout, or shows another asset."""


class LaterSession(FundamentusError):
    """The page shows a session after the run day, so the page does not belong to this day."""
