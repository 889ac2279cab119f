"""Names and figures of the sample site's assets, from `trial.csv` or invented."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random

CLASSES = {"3": "ON NM", "4": "PN N2", "5": "PNA", "6": "PNB", "7": "PNC", "11": "UNT N2"}

ODD_TEXTS = (
    "Pão & Mel Alimentos S.A.",
    "Quem? Participações",
    "Três Irmãos – Comércio & Indústria <Holding>",
    'D\'Ávila "Norte" ? Águas',
    "Açúcar &amp; Álcool",
    "?",
)
"""Texts that a page parser may misread; the parser must return each text unchanged."""

GHOSTS = {"acoes": ("SUMI3", "VAGA4"), "fiis": ("SUMI11",)}
"""For each kind, the listed tickers without a page."""

_CONSONANTS = "BCDFGJLMNPRT"
_VOWELS = "AEIOU"
_SYLLABLES = [consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS]
_ROOTS = len(_SYLLABLES) ** 2
_SHARES = ("3344456", "7")
_STEP = 1361  # has no common factor with the number of roots, so no root repeats


@dataclass(frozen=True)
class Listed:
    """The names and figures from which an asset's page is made.

    Parameters
    ----------
    variety
        Key of the asset's variety in ``STOCK_VARIETIES`` or ``FUND_VARIETIES`` of `sandbox.site.assets`.
    ticker, name
        The asset's code at B3, and the name of the company or the fund.
    group, subgroup
        A stock's sector and subsector, or a fund's mandate and segment.
    price
        The price in reais.
    shares
        The number of shares or quotas.
    p_vp, p_l
        Price divided by book value, and price divided by earnings. The `p_l` of a fund is None.
    dividend_yield
        In percent.
    """

    variety: str
    ticker: str
    name: str
    group: str
    subgroup: str
    price: Decimal
    shares: int
    p_vp: Decimal
    p_l: Decimal | None
    dividend_yield: Decimal

    @property
    def kind(self) -> str:
        """``acoes`` or ``fiis``."""
        return "fiis" if self.p_l is None else "acoes"

    @property
    def share_class(self) -> str:
        """The share class that the number in the ticker stands for, such as ``ON NM`` for 3."""
        return CLASSES[self.ticker[4:]]


@cache
def known() -> tuple[Listed, ...]:
    """Return the assets of `trial.csv`."""
    with Path(__file__).with_name("trial.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(
            Listed(
                variety=line["variety"],
                ticker=line["ticker"],
                name=line["name"],
                group=line["group"],
                subgroup=line["subgroup"],
                price=Decimal(line["price"]),
                shares=1_000_000 * int(line["millions"]),
                p_vp=Decimal(line["p_vp"]),
                p_l=Decimal(line["p_l"]) if line["p_l"] else None,
                dividend_yield=Decimal(line["dividend_yield"]),
            )
            for line in csv.DictReader(lines)
        )


def invented(kind: str, number: int, variety: str, rng: Random) -> Listed:
    """Return an invented asset in the sector of a known asset; each `number` gives a different ticker."""
    usual = "listed" if kind == "acoes" else "real_estate"
    like = variety if variety in ("bank", "insurer", "financial") else usual
    lap, number = divmod(number, _ROOTS)
    if lap >= len(_SHARES):
        raise ValueError(f"there are names for only {len(_SHARES) * _ROOTS} assets of a kind")
    first, second = divmod((number * _STEP + 7) % _ROOTS, len(_SYLLABLES))
    root = _SYLLABLES[first] + _SYLLABLES[second]
    template = rng.choice([one for one in known() if one.variety == like])
    invented = replace(
        template,
        variety=variety,
        ticker=f"{root}11",
        name=f"{root.title()} {template.subgroup}",
        price=Decimal(rng.randint(800, 16_000)).scaleb(-2),
        shares=rng.randint(900_000, 90_000_000),
        p_vp=Decimal(rng.randint(60, 120)).scaleb(-2),
        dividend_yield=Decimal(rng.randint(5, 140)).scaleb(-1),
    )
    if kind == "fiis":
        return invented
    return replace(
        invented,
        ticker=root + rng.choice(_SHARES[lap]),
        shares=60 * invented.shares,
        p_vp=Decimal(rng.randint(50, 400)).scaleb(-2),
        p_l=Decimal(rng.randint(30, 300)).scaleb(-1),
    )
