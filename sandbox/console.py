"""The output for the user: lines, progress and tables, printed with rich."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import rich.console
import rich.table
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, set_cell_size
from rich.pager import Pager
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

SECONDS_BETWEEN_LINES = 5.0


class OwnPager(Pager):
    """Runs the program in ``PAGER``; the default, ``less``, quits if the text fits on one screen.

    rich's own pager is not used, because it calls pydoc, which overwrites ``LESS``.
    """

    def show(self, content: str) -> None:
        """Show a text."""
        env = {"LESS": "FRX", **os.environ}
        # Ignore interrupts: a killed pager would leave the terminal without echo.
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            subprocess.run(
                shlex.split(env.get("PAGER") or "less"), env=env, input=content, text=True, check=False
            )
        except FileNotFoundError:
            sys.stdout.write(content)
        finally:
            signal.signal(signal.SIGINT, previous)


class Console:
    """Shows progress in place. Without a terminal, prints a plain line of progress from time to time."""

    def __init__(self) -> None:
        # Do not parse markup, because a table name or a query may contain brackets.
        self._console = rich.console.Console(markup=False, highlight=False, soft_wrap=True)
        self._shown: Progress | None = None
        self._started_at: float | None = None
        self._latest = self._printed = ""
        self._printed_at = -SECONDS_BETWEEN_LINES

    def say(self, text: str = "") -> None:
        """Stop the progress display, and print `text` on a new line."""
        self.settle()
        self._console.print(text)

    @contextmanager
    def paged(self) -> Iterator[None]:
        """On a terminal, show the ``with`` block's output in a pager, unless ``NO_PAGER`` is set."""
        is_read = sys.stdin.isatty() and self._console.is_terminal and not os.environ.get("NO_PAGER")
        with self._console.pager(OwnPager()) if is_read else nullcontext():
            yield

    def table(
        self, headings: Sequence[str], rows: Sequence[Sequence[str | None]], *, wraps: bool = False
    ) -> None:
        """Print rows of texts under headings; columns of numbers are aligned right.

        Rows wider than the terminal are printed as records, with one line per column and a blank line between
        two records.

        Parameters
        ----------
        headings
            Heading of each column.
        rows
            The texts of each row, one per column; a missing value is None and is shown as ``-``.
        wraps
            Whether to wrap the last column at the terminal's width instead of printing records.
        """
        self.settle()
        grid = rich.table.Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for number, heading in enumerate(headings):
            cells = [row[number] for row in rows]
            numbers = any(cell is not None for cell in cells) and all(map(_is_number, cells))
            is_last = number == len(headings) - 1
            grid.add_column(heading, justify="right" if numbers else "left", no_wrap=wraps and not is_last)
        for row in rows:
            grid.add_row(*("-" if cell is None else cell for cell in row))
        width = self._console.measure(grid, options=self._console.options.update(width=sys.maxsize)).maximum
        if self._console.is_terminal and wraps:
            self._console.print(grid, soft_wrap=False)
        elif self._console.is_terminal and rows and width > self._console.width:
            self._records(headings, rows)
        else:
            # If a program reads the output from a pipe, do not wrap lines.
            self._console.width = max(width, self._console.width)
            self._console.print(grid, soft_wrap=False)

    def _records(self, headings: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
        longest = max(map(cell_len, headings))
        for number, row in enumerate(rows):
            if number:
                self._console.print()
            for heading, cell in zip(headings, row, strict=True):
                self._console.print(f"{set_cell_size(heading, longest)}  {'-' if cell is None else cell}")

    def progress(self, text: str) -> None:
        """Show `text` with the seconds since the first progress text; `settle` resets the seconds."""
        self._latest = text
        if self._started_at is None:
            self._started_at = time.monotonic()
        if self._console.is_terminal:
            if self._shown is None:
                columns = SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)
                self._shown = Progress(*columns, console=self._console)
                self._shown.add_task(text, total=None)
                self._shown.start()
            self._shown.update(self._shown.task_ids[0], description=text)
        elif text != self._printed and time.monotonic() - self._printed_at >= SECONDS_BETWEEN_LINES:
            self._print_line()

    def settle(self) -> None:
        """Stop the progress display; its last text stays in the output."""
        if self._shown is not None:
            self._shown.stop()
        elif self._latest and self._latest != self._printed:
            self._print_line()
        self._shown, self._started_at, self._latest = None, None, ""

    def _print_line(self) -> None:
        elapsed = time.monotonic() - (self._started_at or 0.0)
        self._console.print(f"{elapsed:4.0f} s  {self._latest}")
        self._printed = self._latest
        self._printed_at = time.monotonic()


def _is_number(text: str | None) -> bool:
    if text is None:
        return True
    try:
        float(text.rstrip("%").replace(",", ""))
    except ValueError:
        return False
    return True
