from __future__ import annotations

import pytest

from b3.bounds import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("P/L", "P/L"),
        ("Dív.\n  Líquida\xa0", "Dív. Líquida"),
        ("a\x00b\u202ec\ud800", "a b c"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
    ],
)
def test_text_from_outside_is_one_printable_line_of_sixty_characters(text: str, shown: str) -> None:
    assert printable(text) == shown
