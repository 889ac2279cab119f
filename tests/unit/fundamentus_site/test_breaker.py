from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fundamentus_site.breaker import Breaker


@pytest.mark.parametrize(
    ("answers", "is_open"),
    [
        ("A B", False),
        ("A B C", True),
        ("A A A B", False),  # repeated refusals of one asset count once
        ("A B read C D", False),  # a page that was read resets the count
        ("A B read C D A", True),
    ],
)
def test_refusals_of_three_different_assets_in_a_row_open_the_breaker(answers: str, is_open: bool) -> None:
    breaker = Breaker(60)
    for answer in answers.split():
        if answer == "read":
            breaker.read()
        else:
            breaker.refused(answer)

    assert breaker.open is is_open


def test_429_opens_the_breaker_and_one_refusal_opens_it_again_unless_a_page_was_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("fundamentus_site.breaker.monotonic", lambda: now[0])
    breaker = Breaker(60)
    breaker.refused("A", rate_limited=True)
    assert breaker.open
    breaker.read()  # this page was requested before the refusal
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


def test_if_all_assets_are_refused_the_threads_request_only_three() -> None:
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
