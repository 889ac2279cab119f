"""The possible outcomes of an asset on a day, spelled the same in ledger, logs, verdict and notices."""

from __future__ import annotations

from enum import Enum


class Outcome(str, Enum):
    """The outcome of an asset. The members are in the order of their rank, the highest first."""

    READ = "read"
    NO_SUCH_PAPER = "no_such_paper"
    LATER_SESSION = "later_session"
    LAYOUT = "layout"
    FAILED = "failed"
    REFUSED = "refused"

    @property
    def rank(self) -> int:
        """Return the rank: a greater number wins when outcomes are merged."""
        return -list(Outcome).index(self)

    @property
    def final(self) -> bool:
        """Return whether the outcome is final: another request on the same day would not change it."""
        return self in (Outcome.READ, Outcome.NO_SUCH_PAPER, Outcome.LATER_SESSION)
