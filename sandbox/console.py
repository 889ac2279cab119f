"""What the user sees: lines, one line that keeps changing, and tables."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence

SECONDS_BETWEEN_LINES = 5.0


class Console:
    """Prints progress on one changing line, or as a line now and then where there is no terminal."""

    def __init__(self) -> None:
        self._in_place = sys.stdout.isatty()
        self._progress = ""
        self._printed = ""
        self._printed_at = -SECONDS_BETWEEN_LINES

    def say(self, text: str = "") -> None:
        """Print `text` for good, below whatever progress is shown."""
        self.settle()
        print(text, flush=True)

    def progress(self, text: str) -> None:
        """Show `text` as the progress so far, in place of the text shown before."""
        self._progress = text
        if self._in_place:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r{text[:width]:<{width}}", end="", flush=True)
        elif text != self._printed and time.monotonic() - self._printed_at >= SECONDS_BETWEEN_LINES:
            self._print_line(text)

    def settle(self) -> None:
        """Leave the progress as it is, as a line of its own."""
        if self._progress:
            if self._in_place:
                print(flush=True)
            elif self._progress != self._printed:
                self._print_line(self._progress)
        self._progress = ""

    def _print_line(self, text: str) -> None:
        print(text, flush=True)
        self._printed = text
        self._printed_at = time.monotonic()


def table(headings: Sequence[str], rows: Sequence[Sequence[str | None]], *, indent: str = "  ") -> str:
    """Lay out rows of texts under headings, columns of numbers to the right.

    Parameters
    ----------
    headings
        Heading of each column.
    rows
        A text for each column; None, a missing value, is shown as ``-``.
    indent
        What each line begins with.
    """
    shown = [["-" if cell is None else cell for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *shown, strict=True)]
    to_right = [
        any(row[number] is not None for row in rows) and all(_is_number(row[number]) for row in rows)
        for number in range(len(headings))
    ]

    def line(cells: Sequence[str]) -> str:
        laid_out = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, to_right, strict=True)
        )
        return (indent + "  ".join(laid_out)).rstrip()

    rule = indent + "  ".join("-" * width for width in widths)
    return "\n".join([line(headings), rule, *(line(row) for row in shown)])


def _is_number(text: str | None) -> bool:
    if text is None:
        return True
    try:
        float(text.rstrip("%").replace(",", ""))
    except ValueError:
        return False
    return True
