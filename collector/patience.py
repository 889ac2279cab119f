"""The waits of a collector while the site or S3 does not answer."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST_WAIT_SECONDS = 15.0
LONGEST_WAIT_SECONDS = 300.0


class Patience:
    """Growing waits between tries, with a limit on the total time.

    Parameters
    ----------
    seconds
        Longest time without a success, in seconds, counted from the first failure.
    say
        Prints a line.
    """

    def __init__(self, seconds: float, say: Callable[[str], None]) -> None:
        self._seconds = seconds
        self._say = say
        self.rewarded()

    def rewarded(self) -> None:
        """Reset the waits after a success."""
        self._give_up_at: float | None = None
        self._pause = FIRST_WAIT_SECONDS

    def wait(self, why: str) -> bool:
        """Print the reason, wait and return True. If the total time is over, return False at once.

        Parameters
        ----------
        why
            The reason for the wait.
        """
        if self._give_up_at is None:
            self._give_up_at = time.monotonic() + self._seconds
        left = self._give_up_at - time.monotonic()
        if left <= 0:
            return False
        pause = min(self._pause, left)
        self._say(f"{why}; trying again in {pause:.0f} s")
        time.sleep(pause)
        self._pause = min(2 * self._pause, LONGEST_WAIT_SECONDS)
        return True
