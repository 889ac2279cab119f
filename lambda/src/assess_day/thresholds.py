"""The thresholds of the quality checks, each with its reason.

A remark (``aviso``) needs a person's attention; a failure (``falha``) makes the workflow fail. With these
thresholds, the changes of a normal day, such as new assets and moving prices, give no remark. A fault
that a check looks for gives a remark or a failure.
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
        The limits for a remark and for a failure, in the unit of the check. None means no limit.
    why
        The reason for these limits.
    """

    aviso: float | None
    falha: float | None
    why: str

    def above(self, value: float) -> Verdict:
        """Return the verdict on a value that should not exceed the limits."""
        return self._judged(lambda limit: value > limit)

    def below(self, value: float) -> Verdict:
        """Return the verdict on a value that should not fall below the limits."""
        return self._judged(lambda limit: value < limit)

    def _judged(self, beyond) -> Verdict:  # type: ignore[no-untyped-def]
        if self.falha is not None and beyond(self.falha):
            return Verdict.FAILURE
        if self.aviso is not None and beyond(self.aviso):
            return Verdict.WARNING
        return Verdict.OK


ROWS = Limits(
    0.95, 0.80, "share of the reference; about 12 of 1450 assets change in a month, not 70 in a day"
)
LISTED = Limits(0.95, 0.80, "as for rows; half a listing, or a listing without funds, is below both limits")
MISSING = Limits(
    0.0, 0.05, "share of the listed assets of a kind; a missing asset is lost unless somebody acts"
)
FILL = Limits(0.50, None, "points lost; a few assets decide whether a rare column is filled")
CORE_FILL = Limits(
    0.10, 0.50, "points lost; every page has the core labels, so a loss affects groups of assets"
)
UNREADABLE = Limits(
    0.0, 0.01, "share of a column's cells; one cell may be an error of the site, 1% means a new format"
)
SESSION = Limits(0.5, None, "share of the reference; on a half day, fewer assets trade")
PRICE_AGAINST_LISTING = Limits(0.01, 0.10, "share of assets; both pages are of the same evening")
OUT_OF_RANGE = Limits(0.01, 0.10, "share of assets; a split may leave a range unadjusted for a day")
MEDIAN = Limits(
    2.0, 5.0, "ratio to the reference, in either direction; a crash of 10% is less, a wrong comma is more"
)
NEAR_ZERO = 0.1
"""A median counts as near zero below this fraction of the interquartile range, if the values have both signs.
A median near zero changes its sign on normal days, so it cannot show a wrong decimal comma or unit."""
IDENTITY = Limits(
    0.80, 0.50, "share of assets that agree; receipts and units never agree, most others always do"
)

IDENTITY_TOLERANCE = 0.05
"""Allowed relative difference between a product and its column: companies may issue shares after the balance
sheet."""
ROUNDING = 0.005
"""Half of the last decimal place that the site shows."""

LEAST_ASSETS = 30
"""A median or a share of fewer assets is not meaningful. On a half day, few assets trade: a median of about
twenty assets was more than twice its reference."""
REFERENCE_VALUES = 5
"""The values of one week: a single outlier does not move their median."""
REFERENCE_DAYS = 60
"""Older values are outdated."""
TRADED_DAYS = 7
"""Assets that have not traded for longer do not count in the checks of sessions and prices."""
