"""The two kinds of asset: stocks and real-estate funds."""

from __future__ import annotations

from enum import Enum


class Kind(str, Enum):
    """A kind of asset; its value is part of messages and of the names of queues and functions."""

    ACOES = "acoes"
    FIIS = "fiis"

    @property
    def ticker_column(self) -> str:
        """Return the SoR and SoT column that holds the ticker."""
        return {Kind.ACOES: "nome_papel", Kind.FIIS: "fii"}[self]

    @property
    def listing(self) -> str:
        """Return pynvest's name for the listing of this kind."""
        return {Kind.ACOES: "ações", Kind.FIIS: "fiis"}[self]

    @property
    def listing_path(self) -> str:
        """Return the path of this kind's listing on the site."""
        return {Kind.ACOES: "/resultado.php", Kind.FIIS: "/fii_resultado.php"}[self]

    @property
    def usual(self) -> str:
        """Return an asset of this kind that trades every day, and was in every listing of recent years."""
        return {Kind.ACOES: "PETR4", Kind.FIIS: "HGLG11"}[self]

    @property
    def identity(self) -> str:
        """Return the label of the ticker's cell on a page of this kind."""
        return {Kind.ACOES: "Papel", Kind.FIIS: "FII"}[self]
