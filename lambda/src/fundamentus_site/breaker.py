"""The circuit breaker stops requests to a site that refuses them."""

from __future__ import annotations

import threading
from time import monotonic

REFUSALS_THAT_OPEN = 3
"""If the site refuses this many different assets in a row, the site refuses this client."""


class Breaker:
    """Decides whether the client is allowed to send a request to the site; an open breaker allows no request.

    Refusals of three assets in a row open the breaker, and so does a single status 429. The class is
    thread-safe. If the site's newest answer was a page that the client read, `admits` does not wait. Before
    the first page and after a refusal, `admits` waits while refusals of all pending requests would open the
    breaker. If the site refuses everything, a process sends only three requests before the breaker opens.

    Parameters
    ----------
    cool_down_seconds
        How long the breaker stays open, in seconds.
    """

    def __init__(self, cool_down_seconds: float) -> None:
        self._cool_down_seconds = cool_down_seconds
        self._open_until = float("-inf")
        self._opened = False
        """Whether the breaker has opened since the last page was read. If so, one refusal opens the breaker
        again."""
        self._answers = False
        """Whether the site's newest answer is a page that was read, and not a refusal."""
        self._refused: set[str] = set()
        self._asked: set[str] = set()
        self._changed = threading.Condition()

    @property
    def open(self) -> bool:
        """Return whether the breaker is open; an open breaker allows no request."""
        return monotonic() < self._open_until

    def admits(self, ticker: str) -> bool:
        """Wait until the client is allowed to request an asset; return False if the breaker is open.

        If `admits` returns True, the caller must call `settled` after the request, even if the request fails.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.open or self._answers or len(self._asked) < self._left)
            if self.open:
                return False
            self._asked.add(ticker)
            return True

    def settled(self, ticker: str) -> None:
        """Record that the request for an asset has ended."""
        with self._changed:
            self._asked.discard(ticker)
            self._changed.notify_all()

    def refused(self, ticker: str, *, rate_limited: bool = False) -> None:
        """Record that the site refused an asset; one status 429 (`rate_limited`) opens the breaker."""
        with self._changed:
            self._answers = False
            self._refused.add(ticker)
            if rate_limited or self._left <= 0 or self._opened:
                self._opened = True
                self._open_until = monotonic() + self._cool_down_seconds
            self._changed.notify_all()

    def read(self) -> None:
        """Record that a page was read, so that previous refusals no longer count."""
        with self._changed:
            if self.open:  # the page was requested before the breaker opened
                return
            self._opened = False
            self._answers = True
            self._refused.clear()
            self._changed.notify_all()

    @property
    def _left(self) -> int:
        """Return the number of further refusals after which the breaker opens."""
        return 1 if self._opened else REFUSALS_THAT_OPEN - len(self._refused)
