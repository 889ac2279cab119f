from __future__ import annotations

import pytest

from pynvest_lake.bounds import first_labels, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("P/L", "P/L"),
        ("Dív.\n  Líquida ", "Dív. Líquida"),
        ("a\x00b\u202ec\ud800", "a b c"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
    ],
)
def test_text_from_outside_is_one_printable_line_of_sixty_characters(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_twenty_labels_of_a_page_are_named_each_once() -> None:
    assert first_labels([f"Novo {number // 2}" for number in range(100)]) == tuple(
        f"Novo {number}" for number in range(20)
    )
