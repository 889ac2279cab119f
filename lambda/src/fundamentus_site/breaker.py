"""The circuit breaker: stops asking a site that refuses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

REFUSALS_THAT_OPEN = 3
"""So many different assets refused in a row mean that the site refuses this client."""


class Breaker:
    """Tells whether the site may be asked. One odd asset costs itself; open, nothing is asked.

    Safe to use from several threads. Unless the site is known to answer, `admits` waits where answers still
    to come could open it: a site that refuses everything gets three requests of a process.

    Parameters
    ----------
    cool_down_seconds
        How long it stays open, in seconds.
    clock
        Seconds of a clock that only goes forward.

    Examples
    --------
    >>> breaker = Breaker(60)
    >>> if breaker.admits("PETR4"):
    ...     try:
    ...         page = read(site.fetch("PETR4"))
    ...     except Refused as error:
    ...         breaker.refused("PETR4", rate_limited=error.rate_limited)
    ...     else:
    ...         breaker.read()
    ...     finally:
    ...         breaker.settled("PETR4")
    """

    def __init__(self, cool_down_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._cool_down_seconds = cool_down_seconds
        self._clock = clock
        self._open_until = float("-inf")
        self._opened = False
        """Whether it has opened since the last page that was read: then one refusal suffices."""
        self._answers = False
        """Whether the last that is known of the site is a page that was read."""
        self._refused: set[str] = set()
        self._asked: set[str] = set()
        self._changed = threading.Condition()

    @property
    def open(self) -> bool:
        """Return whether nothing may be asked."""
        return self._clock() < self._open_until

    def admits(self, ticker: str) -> bool:
        """Wait until an asset may be asked for; return False where the breaker is open.

        Where True is returned, `settled` has to follow, whatever became of the asset.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.open or self._answers or len(self._asked) < self._left)
            if self.open:
                return False
            self._asked.add(ticker)
            return True

    def settled(self, ticker: str) -> None:
        """Take note that it is known what became of an asset."""
        with self._changed:
            self._asked.discard(ticker)
            self._changed.notify_all()

    def refused(self, ticker: str, *, rate_limited: bool = False) -> None:
        """Take note that an asset was refused; `rate_limited`, with 429, which speaks of all requests."""
        with self._changed:
            self._answers = False
            self._refused.add(ticker)
            if rate_limited or self._left <= 0 or self._opened:
                self._opened = True
                self._open_until = self._clock() + self._cool_down_seconds
            self._changed.notify_all()

    def read(self) -> None:
        """Take note that a page was read: what was refused before does not count any more."""
        with self._changed:
            self._opened = False
            self._answers = True
            self._refused.clear()
            self._changed.notify_all()

    @property
    def _left(self) -> int:
        """How many requests in flight could be refused before it opens; one after a cool-down."""
        return 1 if self._opened else REFUSALS_THAT_OPEN - len(self._refused)
