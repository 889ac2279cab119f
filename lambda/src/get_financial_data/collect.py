"""Pages of many papers at once, with every outcome told apart."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pynvest_lake.fundamentus import Blocked, FundamentusError, FundamentusSite, NoSuchPaper
from pynvest_lake.messages import TickerMessage

Rows = dict[str, "str | None"]


class Breaker:
    """Remembers that the site refused, so that it is left alone for a while.

    Parameters
    ----------
    cool_down_seconds
        How long the site is left alone after a refusal.
    clock
        Seconds of a clock that only goes forward.
    """

    def __init__(self, cool_down_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._cool_down_seconds = cool_down_seconds
        self._clock = clock
        self._closed_until = float("-inf")

    def refused(self) -> None:
        """Take note of a refusal."""
        self._closed_until = self._clock() + self._cool_down_seconds

    @property
    def open(self) -> bool:
        """Tell whether the site may be asked."""
        return self._clock() >= self._closed_until


@dataclass
class Collected:
    """What came of the papers of a batch; every message is in exactly one of the five."""

    rows: dict[TickerMessage, Rows] = field(default_factory=dict)
    missing: list[TickerMessage] = field(default_factory=list)
    failed: dict[TickerMessage, FundamentusError] = field(default_factory=dict)
    refused: dict[TickerMessage, Blocked] = field(default_factory=dict)
    handed_back: list[TickerMessage] = field(default_factory=list)


def collect(
    messages: Iterable[TickerMessage],
    site_of: Callable[[int], FundamentusSite],
    breaker: Breaker,
    *,
    threads: int,
    not_after: float,
) -> Collected:
    """Read the pages of papers.

    Once the site refuses one, no further page is asked for.

    Parameters
    ----------
    messages
        The papers, each once.
    site_of
        The site as of a day.
    breaker
        The process's memory of refusals.
    threads
        Pages that are asked for at once.
    not_after
        Moment of ``time.monotonic()`` past which no page is waited for.
    """
    collected = Collected()
    lock = threading.Lock()

    def read(message: TickerMessage) -> None:
        if not breaker.open or time.monotonic() >= not_after:
            with lock:
                collected.handed_back.append(message)
            return
        try:
            row = site_of(message.day).read_paper(message.ticker, message.kind, not_after=not_after)
        except NoSuchPaper:
            with lock:
                collected.missing.append(message)
        except Blocked as error:
            with lock:
                breaker.refused()
                collected.refused[message] = error
        except FundamentusError as error:
            with lock:
                collected.failed[message] = error
        else:
            with lock:
                collected.rows[message] = row

    with ThreadPoolExecutor(max_workers=threads) as pool:
        for _ in pool.map(read, messages):
            pass
    return collected
