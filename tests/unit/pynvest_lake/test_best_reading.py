from __future__ import annotations

import pyarrow as pa

from pynvest_lake.best_reading import best_rows


def rows(*readings: tuple[str, object, object, str]) -> pa.Table:
    names = ("ticker", "datetime_exec", "datetime_leitura", "text")
    return pa.Table.from_pylist([dict(zip(names, reading, strict=True)) for reading in readings])


def test_the_latest_times_win_and_at_equal_times_the_later_table() -> None:
    early, late = "30-11-2026 19:00:00", "01-12-2026 18:00:00"
    first = rows(
        ("AAAA3", early, None, "older"),
        ("AAAA3", late, None, "newer"),
        ("BBBB3", late, late, "read"),
        ("CCCC3", late, None, "first"),
        ("DDDD3", "no moment", None, "unreadable"),
        ("EEEE3", late, early, "newer page"),
        ("FFFF3", late, late, "asked for later"),
    )
    second = rows(
        ("BBBB3", late, None, "of an older version"),
        ("CCCC3", late, None, "second"),
        ("DDDD3", early, late, "readable"),
        ("EEEE3", early, late, "older page"),
        ("FFFF3", late, early, "asked for earlier"),
    )

    best = best_rows([first, second], "ticker")

    assert best["ticker"].to_pylist() == [f"{letter * 4}3" for letter in "ABCDEF"]
    assert best["text"].to_pylist() == [
        *("newer", "read", "second", "readable", "newer page", "asked for later"),
    ]
