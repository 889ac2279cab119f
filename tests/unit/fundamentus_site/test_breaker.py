from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fundamentus_site.breaker import Breaker


def opened(*answers: str) -> bool:
    """Return whether a breaker is open after `answers`; each answer is ``read`` or a refused ticker."""
    breaker = Breaker(60)
    for answer in answers:
        if answer == "read":
            breaker.read()
        else:
            breaker.refused(answer)
    return breaker.open


def test_three_different_assets_refused_in_a_row_open_it() -> None:
    assert not opened("A", "B")
    assert opened("A", "B", "C")


def test_one_asset_that_is_refused_again_and_again_does_not_open_it() -> None:
    assert not opened("A", "A", "A", "B")


def test_a_page_that_was_read_between_them_resets_the_count() -> None:
    assert not opened("A", "B", "read", "C", "D")
    assert opened("A", "B", "read", "C", "D", "A")


def test_429_opens_it_and_after_the_cool_down_one_refusal_does_until_a_page_was_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("fundamentus_site.breaker.monotonic", lambda: now[0])
    breaker = Breaker(60)
    breaker.refused("A", rate_limited=True)
    assert breaker.open
    breaker.read()  # a page that was requested before
    now[0] = 59.0
    assert not breaker.admits("B")
    now[0] = 60.0
    assert breaker.admits("B")
    breaker.refused("B")
    breaker.settled("B")
    assert breaker.open

    now[0] = 120.0
    breaker.read()
    breaker.refused("C")
    assert not breaker.open


def test_where_all_is_refused_three_are_asked_for_whatever_the_threads() -> None:
    breaker, asked, lock = Breaker(60), [], threading.Lock()

    def ask(ticker: str) -> None:
        if breaker.admits(ticker):
            with lock:
                asked.append(ticker)
            breaker.refused(ticker)
            breaker.settled(ticker)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, map(str, range(100))))

    assert len(asked) == 3
