"""The two kinds of paper that the lake holds."""

from __future__ import annotations

from enum import Enum


class Kind(str, Enum):
    """A kind of paper; its value names queues, functions and messages."""

    ACOES = "acoes"
    FIIS = "fiis"

    @property
    def ticker_column(self) -> str:
        """Return the SoR and SoT column that holds the ticker."""
        return {Kind.ACOES: "nome_papel", Kind.FIIS: "fii"}[self]

    @property
    def label(self) -> str:
        """Return the value of ``tipo_ativo`` in the Spec table."""
        return {Kind.ACOES: "Ação", Kind.FIIS: "Fundo Imobiliário"}[self]
