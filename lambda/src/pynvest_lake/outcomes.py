"""What can come of an asset on a day: one spelling in ledger, logs, verdict and notices."""

from __future__ import annotations

from enum import Enum


class Outcome(str, Enum):
    """What came of an asset, the most that can be said of it first."""

    READ = "read"
    NO_SUCH_PAPER = "no_such_paper"
    LATER_SESSION = "later_session"
    LAYOUT = "layout"
    FAILED = "failed"
    REFUSED = "refused"

    @property
    def rank(self) -> int:
        """Return a number that is the greater, the more the outcome says."""
        return -list(Outcome).index(self)

    @property
    def final(self) -> bool:
        """Return whether asking for the asset again, on the same day, would change nothing."""
        return self in (Outcome.READ, Outcome.NO_SUCH_PAPER, Outcome.LATER_SESSION)
