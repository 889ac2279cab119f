"""Names for the sample site's assets: a few well-known names, and as many invented names as needed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from random import Random

SECTORS = (
    ("Energia Elétrica", "Energia Elétrica", "Energia"),
    ("Água e Saneamento", "Água e Saneamento", "Saneamento"),
    ("Petróleo, Gás e Biocombustíveis", "Exploração, Refino e Distribuição", "Petróleo"),
    ("Mineração", "Minerais Metálicos", "Mineração"),
    ("Siderurgia e Metalurgia", "Siderurgia", "Aços"),
    ("Máquinas e Equipamentos", "Motores, Compressores e Outros", "Máquinas"),
    ("Comércio", "Tecidos, Vestuário e Calçados", "Varejo"),
    ("Construção Civil", "Incorporações", "Construtora"),
    ("Transporte", "Transporte Rodoviário", "Transportes"),
    ("Alimentos Processados", "Carnes e Derivados", "Alimentos"),
    ("Tecidos, Vestuário e Calçados", "Fios e Tecidos", "Têxtil"),
    ("Serv.Méd.Hospit. Análises e Diagnósticos", "Serviços Médicos", "Saúde"),
    ("Programas e Serviços", "Programas e Serviços", "Sistemas"),
    ("Telecomunicações", "Telecomunicações", "Telecom"),
)
BANK = ("Intermediários Financeiros", "Bancos", "Banco")
INSURER = ("Previdência e Seguros", "Seguradoras", "Seguros")

REAL_ESTATE_SEGMENTS = ("Logística", "Shoppings", "Lajes Corporativas", "Híbrido", "Hospital", "Hotel")
FINANCIAL_SEGMENT = "Títulos e Val. Mob."

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
class Figures:
    """Figures that agree with each other, so that a sample asset looks like a real asset.

    Parameters
    ----------
    price
        The price in reais.
    shares
        The number of shares or quotas.
    p_vp, p_l
        Price divided by book value and, for a stock, price divided by earnings.
    dividend_yield
        In percent.
    """

    price: Decimal
    shares: int
    p_vp: Decimal
    p_l: Decimal
    dividend_yield: Decimal


@dataclass(frozen=True)
class Stock:
    """Ticker and names of a stock; if `figures` is None, the stock gets random values."""

    ticker: str
    company: str
    sector: str
    subsector: str
    figures: Figures | None = None

    @property
    def share_class(self) -> str:
        """The share class, which follows from the number in the ticker."""
        return CLASSES[self.ticker[4:]]


@dataclass(frozen=True)
class Fund:
    """Ticker and names of a fund; if `figures` is None, the fund gets random values."""

    ticker: str
    name: str
    mandate: str
    segment: str
    management: str
    figures: Figures | None = None


KNOWN_STOCKS = {
    "listed": (
        Stock("PETR4", "PETROBRAS PN", *SECTORS[2][:2]),
        Stock("VALE3", "VALE ON", *SECTORS[3][:2]),
        Stock("WEGE3", "WEG ON", *SECTORS[5][:2]),
        Stock("TAEE11", "TAESA UNT", *SECTORS[0][:2]),
        Stock("SBSP3", "SABESP ON", *SECTORS[1][:2]),
    ),
    "bank": (Stock("ITUB4", "ITAÚ UNIBANCO PN", *BANK[:2]), Stock("BBAS3", "BRASIL ON", *BANK[:2])),
    "insurer": (Stock("PSSA3", "PORTO SEGURO ON", *INSURER[:2]),),
}
KNOWN_FUNDS = {
    "real_estate": (
        Fund("HGLG11", "HGLG LOGÍSTICA", "Renda", "Logística", "Ativa"),
        Fund("XPML11", "XP MALLS", "Renda", "Shoppings", "Ativa"),
    ),
    "financial": (
        Fund("KNCR11", "KINEA RENDIMENTOS", "Títulos e Valores Mobiliários", FINANCIAL_SEGMENT, "Ativa"),
    ),
}


def invented_stock(number: int, variety: str, rng: Random) -> Stock:
    """Return an invented stock, with a different ticker for each `number`."""
    lap, number = divmod(number, _ROOTS)
    root = _root(number)
    sector, subsector, business = {"bank": BANK, "insurer": INSURER}.get(variety) or rng.choice(SECTORS)
    share = rng.choice(_SHARES[lap])
    return Stock(f"{root}{share}", f"{business} {root.title()} S.A.", sector, subsector)


def invented_fund(number: int, variety: str, rng: Random) -> Fund:
    """Return an invented fund, with a different ticker for each `number`."""
    root = _root(number)
    if variety == "financial":
        mandate, segment = "Títulos e Valores Mobiliários", FINANCIAL_SEGMENT
    else:
        mandate, segment = rng.choice(("Renda", "Desenvolvimento")), rng.choice(REAL_ESTATE_SEGMENTS)
    name = f"FII {root.title()} {segment}"
    return Fund(f"{root}11", name, mandate, segment, rng.choice(("Ativa", "Passiva")))


def _root(number: int) -> str:
    if number >= _ROOTS:
        raise ValueError(f"asset number {number} requested, but there are names for only {_ROOTS} of a kind")
    first, second = divmod((number * _STEP + 7) % _ROOTS, len(_SYLLABLES))
    return _SYLLABLES[first] + _SYLLABLES[second]
