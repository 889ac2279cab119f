"""The two kinds of paper that the site lists."""

from __future__ import annotations

from enum import Enum


class Kind(str, Enum):
    """A kind of paper; the values are those that the lake's messages name kinds by."""

    ACOES = "acoes"
    FIIS = "fiis"

    @property
    def listing(self) -> str:
        """Return the name by which pynvest knows the listing of this kind."""
        return {Kind.ACOES: "ações", Kind.FIIS: "fiis"}[self]

    @property
    def listing_path(self) -> str:
        """Return the path of this kind's listing on the site."""
        return {Kind.ACOES: "/resultado.php", Kind.FIIS: "/fii_resultado.php"}[self]

    @property
    def identity(self) -> str:
        """Return the label of the cell in which a page of this kind names its paper."""
        return {Kind.ACOES: "Papel", Kind.FIIS: "FII"}[self]
