"""How long a collector waits where nothing comes."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST_WAIT_SECONDS = 15.0
LONGEST_WAIT_SECONDS = 300.0


class Patience:
    """Waits that get longer, until it has gone wrong for so long that it is given up.

    Parameters
    ----------
    seconds
        How long nothing may come, from the first failure on.
    say
        Takes a line for a person.
    """

    def __init__(self, seconds: float, say: Callable[[str], None]) -> None:
        self._seconds = seconds
        self._say = say
        self.rewarded()

    def rewarded(self) -> None:
        """Take note that something has come."""
        self._give_up_at: float | None = None
        self._pause = FIRST_WAIT_SECONDS

    def wait(self, why: str) -> bool:
        """Wait, and say why; return False, without a wait, where it is given up.

        Parameters
        ----------
        why
            What went wrong.
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
