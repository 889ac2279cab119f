"""What sentences are made of, in Portuguese: numbers, days, kinds of asset and outcomes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from b3.bounds import REASON_CHARACTERS, printable
from b3.kind import Kind
from pynvest_lake.outcomes import Outcome

ASSETS = {Kind.ACOES: "ações", Kind.FIIS: "fundos"}
OUTCOMES = {
    Outcome.LATER_SESSION: "página já de um pregão posterior",
    Outcome.LAYOUT: "página de formato desconhecido",
    Outcome.FAILED: "o site não entregou a página",
    Outcome.REFUSED: "o site recusou o pedido",
}
"""What is said of an asset that was not read."""
SHOWN_REASONS = 10
_SHOWN = 10
# What mail programs turn into links: a scheme, or a dot before a letter, as in a domain.
_LINK = re.compile(r"(?P<scheme>://)|(?<=\w)[.．。｡](?=[^\W\d])")


def number(value: float) -> str:
    """Return a number with its thousands points and at most four significant decimal places."""
    if abs(value) >= 1e18:
        return brazilian(f"{value:.3e}")
    text = f"{value:,.0f}" if value == int(value) or abs(value) >= 10_000 else f"{value:,.4g}"
    return brazilian(text)


def brazilian(text: str) -> str:
    """Return a number that was written with thousands commas and a decimal point as Brazilians write it."""
    return text.translate(str.maketrans(",.", ".,"))


def percent(share: float) -> str:
    """Return a share as a percentage."""
    return f"{100 * share:.1f}%".replace(".", ",")


def day_text(day: date) -> str:
    """Return a day such as ``23/11/2026``."""
    return day.strftime("%d/%m/%Y")


def sentence(text: str) -> str:
    """Return a text with a capital letter and a full stop."""
    return f"{text[0].upper()}{text[1:]}."


def some(names: Sequence[str]) -> str:
    """Return the first ten names."""
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def quoted(text: str) -> str:
    """Return a text of a page as data: in quotes, printable and cut."""
    return f'"{printable(text)}"'


def some_reasons(reasons: Sequence[str]) -> list[str]:
    """Return the first ten reasons, each printable and cut, and how many more there are."""
    shown = [printable(reason, REASON_CHARACTERS) for reason in reasons[:SHOWN_REASONS]]
    more = len(reasons) - len(shown)
    return [*shown, f"e mais {number(more)}"] if more else shown


def without_links(text: str) -> str:
    """Return a text in which no mail program finds a link: ``http[://]site[.]com``."""
    return _LINK.sub(lambda found: f"[{found[0]}]", text)
