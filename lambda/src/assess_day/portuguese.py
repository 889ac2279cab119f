"""Portuguese texts for numbers, days, kinds of asset and outcomes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from b3.bounds import REASON_CHARACTERS, printable
from b3.kind import Kind
from pynvest_lake.ledger import Outcome

ASSETS = {Kind.ACOES: "ações", Kind.FIIS: "fundos"}
OUTCOMES = {
    Outcome.NO_SUCH_PAPER: "o site diz que não tem mais o ativo",
    Outcome.LATER_SESSION: "página já de um pregão posterior",
    Outcome.LAYOUT: "página de formato desconhecido",
    Outcome.FAILED: "o site não entregou a página",
    Outcome.REFUSED: "o site recusou o pedido",
}
"""Texts for the outcomes of assets that were not read."""
NO_ANSWER = "sem resposta"
SHOWN_REASONS = 10
_SHOWN = 10
# Mail programs make a link from a text with ``://`` or with a dot before a letter.
_LINK = re.compile(r"(?P<scheme>://)|(?<=\w)[.．。｡](?=[^\W\d])")


def number(value: float) -> str:
    """Format a number in Brazilian notation; a decimal number below 10,000 gets four significant digits."""
    if abs(value) >= 1e18:
        return brazilian(f"{value:.3e}")
    text = f"{value:,.0f}" if value == int(value) or abs(value) >= 10_000 else f"{value:,.4g}"
    return brazilian(text)


def brazilian(text: str) -> str:
    """Convert a formatted number to Brazilian notation by swapping its commas and points."""
    return text.translate(str.maketrans(",.", ".,"))


def percent(share: float) -> str:
    """Format a share as a percentage."""
    return f"{100 * share:.1f}%".replace(".", ",")


def day_text(day: date) -> str:
    """Format a day, as in ``23/11/2026``."""
    return day.strftime("%d/%m/%Y")


def sentence(text: str) -> str:
    """Make a text start with a capital letter and end with a full stop."""
    return f"{text[0].upper()}{text[1:]}."


def some(names: Sequence[str]) -> str:
    """Join the first ten names with commas; add an ellipsis if there are more names."""
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def why_missing(outcome: Outcome | None) -> str:
    """Say why an asset was not read."""
    return NO_ANSWER if outcome is None else OUTCOMES.get(outcome, NO_ANSWER)


def quoted(text: str) -> str:
    """Shorten a text from a page, remove unprintable characters, and put the text in quotes."""
    return f'"{printable(text)}"'


def some_reasons(reasons: Sequence[str]) -> list[str]:
    """Return the first ten reasons, shortened and printable; a last text counts the other reasons, if any."""
    shown = [printable(reason, REASON_CHARACTERS) for reason in reasons[:SHOWN_REASONS]]
    more = len(reasons) - len(shown)
    return [*shown, f"e mais {number(more)}"] if more else shown


def without_links(text: str) -> str:
    """Put brackets into addresses, as in ``http[://]site[.]com``, so that mail programs make no links."""
    return _LINK.sub(lambda found: f"[{found[0]}]", text)
