"""Pages of many papers at once, with every outcome told apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from fundamentus_site.errors import Blocked, NoSuchPaper
from fundamentus_site.kinds import Kind as SiteKind
from fundamentus_site.site import FundamentusSite
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


class HandedBack(Exception):  # noqa: N818 - an outcome
    """The paper was not read; its message comes again."""


@dataclass
class Collected:
    """What came of the papers of a batch; every message is in exactly one of the five."""

    rows: dict[TickerMessage, Rows] = field(default_factory=dict)
    missing: list[TickerMessage] = field(default_factory=list)
    failed: dict[TickerMessage, BaseException] = field(default_factory=dict)
    refused: dict[TickerMessage, Blocked] = field(default_factory=dict)
    handed_back: dict[TickerMessage, HandedBack] = field(default_factory=dict)

    def error_of(self, message: TickerMessage) -> BaseException | None:
        """Return why a message has to come again, if it has to."""
        return self.failed.get(message) or self.refused.get(message) or self.handed_back.get(message)


def collect(
    messages: Iterable[TickerMessage],
    sites: Mapping[int, FundamentusSite],
    breaker: Breaker,
    *,
    threads: int,
    not_after: float,
) -> Collected:
    """Read the pages of papers.

    Once the site refuses one, no further page is asked for. Whatever goes wrong with a paper is that paper's
    alone.

    Parameters
    ----------
    messages
        The papers, each once.
    sites
        The site as of each day of the messages.
    breaker
        The process's memory of refusals.
    threads
        Pages that are asked for at once.
    not_after
        Moment of ``time.monotonic()`` past which no page is waited for.
    """

    def read(message: TickerMessage) -> Rows:
        if not breaker.open or time.monotonic() >= not_after:
            raise HandedBack(f"{message.ticker} was not read; it is handed back for a later attempt")
        try:
            return sites[message.day].read_paper(
                message.ticker, SiteKind(message.kind.value), not_after=not_after
            )
        except Blocked:
            breaker.refused()
            raise

    with ThreadPoolExecutor(max_workers=threads) as pool:
        futures = {message: pool.submit(read, message) for message in messages}
    collected = Collected()
    for message, future in futures.items():
        error = future.exception()
        if error is None:
            collected.rows[message] = future.result()
        elif isinstance(error, NoSuchPaper):
            collected.missing.append(message)
        elif isinstance(error, Blocked):
            collected.refused[message] = error
        elif isinstance(error, HandedBack):
            collected.handed_back[message] = error
        else:
            collected.failed[message] = error
    return collected
