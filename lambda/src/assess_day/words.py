"""What sentences are made of, in Portuguese: numbers, days, kinds of paper and outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pynvest_lake.kinds import Kind
from pynvest_lake.outcomes import Outcome

PAPERS = {Kind.ACOES: "ações", Kind.FIIS: "fundos"}
OUTCOMES = {
    Outcome.LATER_SESSION: "página já de um pregão posterior",
    Outcome.LAYOUT: "página de formato desconhecido",
    Outcome.FAILED: "o site não entregou a página",
    Outcome.REFUSED: "o site recusa este endereço",
}
"""What is said of a paper that was not read."""
_SHOWN = 10


def number(value: float) -> str:
    """Return a number with its thousands points and at most four significant decimal places."""
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
