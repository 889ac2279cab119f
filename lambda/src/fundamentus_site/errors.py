"""What can come of asking the Fundamentus site for a page, told apart by type."""

from __future__ import annotations


class FundamentusError(Exception):
    """The site gave no paper or listing; the message says what was asked, found and expected."""


class NoSuchPaper(FundamentusError):  # noqa: N818 - an outcome, named after what the site says
    """The site answered that it knows no such paper: asking again cannot mend it."""


class Blocked(FundamentusError):  # noqa: N818
    """The site refuses this client (403, 429, a challenge, a page that is not its own): leave it alone."""


class Unavailable(FundamentusError):  # noqa: N818
    """The site did not give the page this time (5xx, timeout, broken connection or cut-off body)."""


class LayoutNotRecognized(FundamentusError):  # noqa: N818
    """The site answered with something else than the page that was asked for, or in a layout of its own."""


class LaterSession(FundamentusError):  # noqa: N818
    """The page is of a session after the day that it was to be read for: it is no page of that day."""
