"""The thresholds of the quality checks, each with its reason.

A remark (``aviso``) costs a person a look, a failure (``falha``) fails the workflow. Each is drawn where a
good day, with assets that come and go and prices that move, does not reach, and the fault that it is for
does.
"""

from __future__ import annotations

from dataclasses import dataclass

from assess_day.assessment import Verdict


@dataclass(frozen=True)
class Limits:
    """The limits of a quality check.

    Parameters
    ----------
    aviso, falha
        The values from which the result is a remark and a failure, in the check's unit; None: never.
    why
        Why there.
    """

    aviso: float | None
    falha: float | None
    why: str

    def above(self, value: float) -> Verdict:
        """Judge a value that is the worse, the greater it is."""
        return self._judged(lambda limit: value > limit)

    def below(self, value: float) -> Verdict:
        """Judge a value that is the worse, the smaller it is."""
        return self._judged(lambda limit: value < limit)

    def _judged(self, beyond) -> Verdict:  # type: ignore[no-untyped-def]
        if self.falha is not None and beyond(self.falha):
            return Verdict.FAILURE
        if self.aviso is not None and beyond(self.aviso):
            return Verdict.WARNING
        return Verdict.OK


ROWS = Limits(
    0.95, 0.80, "share of the reference; of 1450 assets a dozen come or go in a month, not 70 in a day"
)
LISTED = Limits(0.95, 0.80, "as for rows; half a listing, or one without funds, is far below")
MISSING = Limits(
    0.0, 0.05, "share of the listed assets of a kind; each missing one is lost unless somebody looks"
)
FILL = Limits(0.50, None, "points lost; whether a rare column is filled hangs on few assets")
CORE_FILL = Limits(0.10, 0.50, "points lost; every page has a core label, so whole groups of assets lost it")
UNREADABLE = Limits(
    0.0, 0.01, "share of a column's cells; one may be a slip of the site, one in a hundred is a form"
)
SESSION = Limits(0.5, None, "share of the reference; a half day trades less, the change of session is mixed")
PRICE_AGAINST_LISTING = Limits(0.01, 0.10, "share of assets; both pages are of the same evening")
OUT_OF_RANGE = Limits(0.01, 0.10, "share of assets; a split may leave a range unadjusted for a day")
MEDIAN = Limits(
    2.0, 5.0, "times the reference, or a part of it; a crash of a tenth is far within, a comma beyond"
)
NEAR_ZERO = 0.1
"""Part of the width of a column's middle half, below which a median among values of both signs is next to
nothing: such a one changes its sign on an ordinary day, and says nothing of commas and units."""
IDENTITY = Limits(0.80, 0.50, "share of assets that agree; receipts and units never do, most others always")

IDENTITY_TOLERANCE = 0.05
"""How far two ways to the same number may be apart: shares that were issued since the balance sheet."""
ROUNDING = 0.005
"""Half of the last place that the site shows."""

LEAST_ASSETS = 30
"""Of fewer assets a median or a share says nothing: on a half day, when many do not trade, that of twenty-odd
current assets was status to go beyond twice its reference."""
REFERENCE_VALUES = 5
"""A week's values: one odd one does not move their median."""
REFERENCE_DAYS = 60
"""Older values are of another time."""
TRADED_DAYS = 7
"""An asset that has not traded for longer says nothing of the session."""
