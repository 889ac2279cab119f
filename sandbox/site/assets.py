"""Makes the sample site's assets, of every variety on the real site; equal arguments give equal assets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import chain, cycle, islice
from random import Random

from b3.days import date_of, number_of
from sandbox.site import names
from sandbox.site.asset import YEARS_SHOWN, Cell, Heading, Row, SampleAsset, Table

STOCK_VARIETIES = {
    "listed": "trades today",
    "delisted": "stopped trading at least six years ago; shows the years up to its last trade",
    "halted": "stopped trading two to five years ago",
    "behind": "still shows last year's labels, as pages do in the first days of January",
    "young": "has empty cells for the years before it existed",
    "bank": "has a bank's balance sheet and results",
    "insurer": "has an insurer's balance sheet and results, in the layout of a bank's",
    "sparse": "lacks many values, in every form that pages use",
    "text": "has names with question marks, ampersands, accents and entities",
    "label": "has names that are also labels",
    "losses": "has negative values in every form",
    "huge": "has values that 32-bit numbers cannot hold, and a whole number that doubles cannot hold",
}
FUND_VARIETIES = {
    "real_estate": "owns real estate",
    "financial": "owns no real estate; its page has no cells for it",
    **{name: STOCK_VARIETIES[name] for name in ("delisted", "behind", "young", "sparse", "text", "label")},
    "losses": STOCK_VARIETIES["losses"],
}

# `make_assets` makes one asset of each variety, and then repeats `_STOCK_MIX` or `_FUND_MIX`.
_TRADED_STOCKS = (
    *("listed", "bank", "listed", "young", "halted", "listed", "insurer", "behind"),
    *("sparse", "listed", "text", "losses", "listed", "label"),
)
_STOCK_MIX = tuple(variety for traded in _TRADED_STOCKS for variety in (traded, "delisted"))
_FUND_MIX = (
    *("real_estate", "financial", "real_estate", "young", "financial", "real_estate", "sparse", "text"),
    *("financial", "real_estate", "delisted", "behind", "real_estate", "losses", "label", "financial"),
)

_GAPS = {"sparse": 0.45, "delisted": 0.2}
"""The share of missing values on the pages of a variety; other varieties have no missing values."""

_Result = tuple[str, str, int]
"""Label, stem of the columns, and amount for twelve months."""

_OLDER_FORM = 5
"""Every fifth stock has a page in the form that the site used before May 2026."""

_NOT_OF_BANKS = "P/EBIT", "PSR", "P/Cap. Giro", "P/Ativ Circ Liq", "EV / EBITDA", "EV / EBIT"


def make_assets(day: int, acoes: int = 60, fiis: int = 40) -> list[SampleAsset]:
    """Make the assets of a day, first the stocks and then the funds.

    Parameters
    ----------
    day
        The day of the pages, ``YYYYMMDD``.
    acoes, fiis
        Number of stocks and funds. Each of the first assets has a different variety, so a few assets cover
        all varieties.

    Examples
    --------
    >>> make_assets(20261123)[0].expected_sor()["nome_papel"]
    'PETR4'
    """
    today = date_of(day)
    assets = []
    for kind, count, varieties, mix in (
        ("acoes", acoes, STOCK_VARIETIES, _STOCK_MIX),
        ("fiis", fiis, FUND_VARIETIES, _FUND_MIX),
    ):
        known = [one for one in names.known() if one.kind == kind]
        met: Counter[str] = Counter()
        for number, variety in enumerate(islice(chain(varieties, cycle(mix)), count)):
            rng = Random(f"0 {kind} {number}")  # noqa: S311 - no secret
            of_variety = [one for one in known if one.variety == variety][met[variety] : met[variety] + 1]
            listed = of_variety[0] if of_variety else names.invented(kind, number, variety, rng)
            assets.append(_asset(_Subject(today, number, variety, met[variety], rng), listed))
            met[variety] += 1
    return assets


def make_known_asset(today: date, listed: names.Listed) -> SampleAsset:
    """Make an asset with the given names and figures; its other numbers are random, seeded by the ticker."""
    rng = Random(listed.ticker)  # noqa: S311 - no secret
    return _asset(_Subject(today, 0, listed.variety, 0, rng), listed)


def _asset(it: _Subject, listed: names.Listed) -> SampleAsset:
    if it.variety == "text":
        odd = _rotated(names.ODD_TEXTS, it.nth)
        listed = replace(listed, name=odd[0], group=odd[1], subgroup=odd[2])
    if it.variety == "huge":
        listed = replace(listed, price=Decimal("0.01"), shares=2**53 + 1)
    return _stock(it, listed) if listed.kind == "acoes" else _fund(it, listed)


@dataclass(frozen=True)
class _Subject:
    """An asset to make: `number` is its index in its kind, and `nth` is its index in its variety."""

    today: date
    number: int
    variety: str
    nth: int
    rng: Random

    @property
    def trades(self) -> bool:
        return self.variety not in ("delisted", "halted")

    def last_quote(self) -> date:
        """Return the day of the asset's last trade."""
        years = {"delisted": self.rng.randint(6, 18), "halted": self.rng.randint(2, 5)}.get(self.variety, 0)
        if years:
            return date(self.today.year - years, self.rng.randint(1, 12), self.rng.randint(1, 28))
        if self.variety == "behind":
            return date(self.today.year - 1, 12, 30)
        return self.today - timedelta(days=max(0, self.today.weekday() - 4))

    def years(self, last_quote: date) -> list[int | None]:
        """Return the years of price changes, newest first; None for a year before the asset existed."""
        shown = self.rng.randint(1, YEARS_SHOWN - 1) if self.variety == "young" else YEARS_SHOWN
        return [last_quote.year - age if age < shown else None for age in range(YEARS_SHOWN)]

    def between(self, low: float, high: float) -> Decimal:
        """Return a random number from `low` to `high` with four decimal places."""
        return Decimal(self.rng.randint(int(low * 10_000), int(high * 10_000))).scaleb(-4)


def _stock(it: _Subject, stock: names.Listed) -> SampleAsset:
    if it.variety == "label":
        labels = _rotated(("Dia", "Ativo", "Setor", str(it.today.year), "P/L", "Papel"), it.nth)
        stock = replace(stock, name=labels[0], group=labels[1], subgroup=labels[2])
    assert stock.p_l

    quoted = it.last_quote()
    balance_day = _quarter_end(quoted - timedelta(days=50))
    price, shares = stock.price, stock.shares
    losses = -1 if it.variety == "losses" else 1
    financial = it.variety in ("bank", "insurer")

    market = _thousands(price * shares)
    equity = _thousands(losses * price * shares / stock.p_vp)
    total_assets = _thousands(abs(equity) * it.between(1.2, 4))
    current = _thousands(total_assets * it.between(0.2, 0.6))
    owed = _thousands(current / it.between(0.6, 2.5))
    debt = _thousands(total_assets * it.between(0.05, 0.4))
    cash = _thousands(debt * (it.between(1.1, 3) if losses < 0 else it.between(0.1, 0.95)))
    firm = market + debt - cash
    profit = _thousands(losses * price * shares / stock.p_l)
    ebit = _thousands(profit / it.between(0.55, 0.8))
    revenue = _thousands(abs(ebit) / it.between(0.12, 0.35))
    quarter = it.between(0.2, 0.3)

    pen = _Pen(it.rng, _GAPS.get(it.variety, 0.0))
    if it.number % _OLDER_FORM == _OLDER_FORM - 1:
        debt_ratio = pen.decimal("Div Br/ Patrim", "vlr_ind_divida_bruta_sobre_patrim", _ratio(debt, equity))
    else:
        debt_ratio = pen.decimal(
            "Dív Líq / Patrim", "vlr_ind_divida_liq_sobre_patrim", _ratio(debt - cash, equity)
        )
    ratios = [
        pen.decimal("P/L", "vlr_ind_p_sobre_l", _ratio(market, profit)),
        pen.decimal("LPA", "vlr_ind_lpa", _ratio(profit, shares)),
        pen.decimal("P/VP", "vlr_ind_p_sobre_vp", _ratio(market, equity)),
        pen.decimal("VPA", "vlr_ind_vpa", _ratio(equity, shares)),
        pen.decimal("P/EBIT", "vlr_ind_p_sobre_ebit", _ratio(market, ebit)),
        pen.percent("Marg. Bruta", "vlr_ind_margem_bruta", losses * it.between(35, 70)),
        pen.decimal("PSR", "vlr_ind_psr", _ratio(market, revenue)),
        pen.percent("Marg. EBIT", "vlr_ind_margem_ebit", _ratio(100 * ebit, revenue)),
        pen.decimal("P/Ativos", "vlr_ind_p_sobre_ativ", _ratio(market, total_assets)),
        pen.percent("Marg. Líquida", "vlr_ind_margem_liq", _ratio(100 * profit, revenue)),
        pen.decimal("P/Cap. Giro", "vlr_ind_p_sobre_cap_giro", _ratio(market, current - owed)),
        pen.percent("EBIT / Ativo", "vlr_ind_ebit_sobre_ativo", _ratio(100 * ebit, total_assets)),
        pen.decimal(
            "P/Ativ Circ Liq",
            "vlr_ind_p_sobre_ativ_circ_liq",
            _ratio(market, current - total_assets + equity),
        ),
        pen.percent("ROIC", "vlr_ind_roic", _ratio(100 * ebit, total_assets - cash)),
        pen.percent("Div. Yield", "vlr_ind_div_yield", stock.dividend_yield if losses > 0 else Decimal(0)),
        pen.percent("ROE", "vlr_ind_roe", _ratio(100 * profit, equity)),
        pen.decimal("EV / EBITDA", "vlr_ind_ev_sobre_ebitda", _ratio(firm, ebit * it.between(1.1, 1.5))),
        pen.decimal("Liquidez Corr", "vlr_liquidez_corr", _ratio(current, owed)),
        pen.decimal("EV / EBIT", "vlr_ind_ev_sobre_ebit", _ratio(firm, ebit)),
        debt_ratio,
        pen.percent("Cres. Rec (5a)", "pct_cresc_rec_liq_ult_5a", it.between(-12, 30)),
        pen.decimal("Giro Ativos", "vlr_ind_giro_ativos", _ratio(revenue, total_assets)),
    ]
    if financial:
        ratios = [
            replace(cell, value=None, text="-") if cell.label in _NOT_OF_BANKS else cell for cell in ratios
        ]
        balance = _rows(
            2,
            pen.whole("Ativo", "vlr_ativo", total_assets),
            pen.whole("Depósitos", "vlr_depositos", current),
            pen.whole("Cart. de Crédito", "vlr_cart_credito", owed),
            pen.whole("Patrim. Líq", "vlr_patrim_liq", equity),
        )
        results: list[_Result] = [
            ("Result Int Financ", "vlr_result_int_financ", revenue),
            ("Rec Serviços", "vlr_rec_servicos", debt),
        ]
    else:
        balance = _rows(
            2,
            pen.whole("Ativo", "vlr_ativo", total_assets),
            pen.whole("Dív. Bruta", "vlr_divida_bruta", debt),
            pen.whole("Disponibilidades", "vlr_disponibilidades", cash),
            pen.whole("Dív. Líquida", "vlr_divida_liq", debt - cash),
            pen.whole("Ativo Circulante", "vlr_ativ_circulante", current),
            pen.whole("Patrim. Líq", "vlr_patrim_liq", equity),
        )
        results = [("Receita Líquida", "vlr_receita_liq", revenue), ("EBIT", "vlr_ebit", ebit)]
    results.append(("Lucro Líquido", "vlr_lucro_liq", profit))

    changes = _changes(it, pen, it.years(quoted), losses)
    tables: tuple[Table, ...] = (
        _rows(
            2,
            Cell("Papel", stock.ticker, stock.ticker, "nome_papel"),
            pen.decimal("Cotação", "vlr_cot", price, always=True),
            pen.text("Tipo", "tipo_papel", stock.share_class),
            pen.day("Data últ cot", "dt_ult_cot", quoted, always=True),
            pen.text("Empresa", "nome_empresa", stock.name, always=it.variety != "sparse"),
            pen.decimal("Min 52 sem", "vlr_min_52_sem", price * it.between(0.5, 0.95)),
            pen.text("Setor", "nome_setor", stock.group),
            pen.decimal("Max 52 sem", "vlr_max_52_sem", price * it.between(1.02, 1.6)),
            pen.text("Subsetor", "nome_subsetor", stock.subgroup),
            pen.whole("Vol $ méd (2m)", "vol_med_neg_2m", _volume(it, market)),
        ),
        _rows(
            2,
            pen.whole("Valor de mercado", "vlr_mercado", market),
            pen.day("Últ balanço processado", "dt_ult_balanco_proc", balance_day),
            pen.whole("Valor da firma", "vlr_firma", firm),
            pen.whole("Nro. Ações", "num_acoes", shares),
        ),
        (
            (Heading("Oscilações", 2), Heading("Indicadores fundamentalistas", 4)),
            *zip(changes, ratios[::2], ratios[1::2], strict=True),
        ),
        ((Heading("Dados Balanço Patrimonial", 4),), *balance),
        (
            (Heading("Dados demonstrativos de resultados", 4),),
            (Heading("Últimos 12 meses", 2), Heading("Últimos 3 meses", 2)),
            *_results(pen, results, quarter),
        ),
    )
    return SampleAsset(stock.ticker, "acoes", it.variety, number_of(it.today), tables)


def _fund(it: _Subject, fund: names.Listed) -> SampleAsset:
    if it.variety == "label":
        labels = _rotated(("FFO", "Segmento", "Ativos", "Dia", str(it.today.year), "FII"), it.nth)
        fund = replace(fund, name=labels[0], group=labels[1], subgroup=labels[2])

    management = "Gestão" if it.variety == "label" else "Ativa"
    quoted = it.last_quote()
    price, shares = fund.price, fund.shares
    losses = -1 if it.variety == "losses" else 1
    market = _thousands(price * shares)
    equity = _thousands(price * shares / fund.p_vp)
    total_assets = _thousands(equity * it.between(1.02, 1.5))
    ffo = _thousands(losses * price * shares * fund.dividend_yield / 95)
    paid = _thousands(abs(ffo) * it.between(0.9, 1))
    revenue = _thousands(abs(ffo) * it.between(1.05, 1.6))
    sold = _thousands(losses * revenue * it.rng.choice((Decimal(0), it.between(0.01, 0.2))))
    quarter = it.between(0.2, 0.3)

    pen = _Pen(it.rng, _GAPS.get(it.variety, 0.0))
    beside = [
        *_rows(
            2,
            pen.percent("FFO Yield", "vlr_ffo_yield", _ratio(100 * ffo, market)),
            pen.decimal("FFO/Cota", "vlr_ffo_sobre_cota", _ratio(ffo, shares)),
            pen.percent("Div. Yield", "vlr_div_yield", _ratio(100 * paid, market)),
            pen.decimal("Dividendo/cota", "vlr_dividendo_sobre_cota", _ratio(paid, shares)),
            pen.decimal("P/VP", "vlr_p_sobre_vp", _ratio(market, equity)),
            pen.decimal("VP/Cota", "vlr_vp_sobre_cota", _ratio(equity, shares)),
        ),
        (Heading("Resultado", 4),),
        (Heading("Últimos 12 meses", 2), Heading("Últimos 3 meses", 2)),
        *_results(
            pen,
            [
                ("Receita", "vlr_rec_bruta", revenue),
                ("Venda de ativos", "vlr_vend_ativ", sold),
                ("FFO", "vlr_ffo", ffo),
                ("Rend. Distribuído", "vlr_rendim_distr", paid),
            ],
            quarter,
        ),
        (Heading("Balanço Patrimonial", 4),),
        (
            pen.whole("Ativos", "vlr_ativos", total_assets),
            pen.whole("Patrim Líquido", "vlr_patrim_liq", equity),
        ),
    ]
    changes = _changes(it, pen, it.years(quoted), losses)
    tables: tuple[Table, ...] = (
        _rows(
            2,
            Cell("FII", fund.ticker, fund.ticker, "fii"),
            pen.decimal("Cotação", "vlr_cot", price, always=True),
            pen.text("Nome", "nome_fii", fund.name, always=it.variety != "sparse"),
            pen.day("Data últ cot", "dt_ult_cot", quoted, always=True),
            pen.text("Mandato", "tipo_mandato", fund.group),
            pen.decimal("Min 52 sem", "vlr_min_52_sem", price * it.between(0.7, 0.97)),
            pen.text("Segmento", "segmento", fund.subgroup),
            pen.decimal("Max 52 sem", "vlr_max_52_sem", price * it.between(1.01, 1.3)),
            pen.text("Gestão", "tipo_gestao", management),
            pen.whole("Vol $ méd (2m)", "vol_med_neg_2m", _volume(it, market)),
        ),
        _rows(
            2,
            pen.whole("Valor de mercado", "vlr_mercado", market),
            pen.whole("Nro. Cotas", "num_cotas", shares),
            pen.day("Relatório", "dt_ult_relat_ger", quoted.replace(day=1) - timedelta(days=1)),
            pen.day("Últ Info Trimestral", "dt_ult_informe_trim", _quarter_end(quoted - timedelta(days=45))),
        ),
        (
            (Heading("Oscilações", 2), Heading("Indicadores", 4)),
            *((change, *others) for change, others in zip(changes, beside, strict=True)),
        ),
    )
    if it.variety != "financial":
        tables = (*tables, _real_estate(it, pen, equity, paid))
    return SampleAsset(fund.ticker, "fiis", it.variety, number_of(it.today), tables)


def _real_estate(it: _Subject, pen: _Pen, equity: int, rents: int) -> Table:
    value = equity * it.between(0.5, 0.99)
    area = int(value / it.between(3_000, 9_000))
    return (
        (Heading("Imóveis", 6),),
        *_rows(
            3,
            pen.whole("Qtd imóveis", "qtd_imoveis", it.rng.randint(1, 60)),
            pen.whole("Área (m2)", "total_area_m2", area),
            pen.percent("Cap Rate", "vlr_cap_rate", _ratio(100 * rents, value)),
            pen.whole("Qtd Unidades", "qtd_unidades", it.rng.randint(1, 1_500)),
            pen.decimal("Aluguel/m2", "vlr_aluguel_por_m2", _ratio(rents, area)),
            pen.percent("Vacância Média", "vlr_vacancia_media", it.between(0, 35)),
            pen.percent("Imóveis/PL do FII", "vlr_imoveis_sobre_pl", _ratio(100 * value, equity)),
            pen.decimal("Preço do m2", "vlr_do_m2", _ratio(value, area)),
        ),
    )


def _rows(width: int, *cells: Cell) -> Table:
    """Arrange cells in rows of `width` cells."""
    return tuple(cells[place : place + width] for place in range(0, len(cells), width))


def _changes(it: _Subject, pen: _Pen, years: Sequence[int | None], losses: int) -> list[Cell]:
    """Return the cells of price changes: four periods, then `years`, then an empty cell."""

    def change(spread: int) -> Decimal:
        low, high = (-spread, 0) if losses < 0 else (-spread, spread * 1.2)
        return it.between(low, high)

    spans = (("Dia", "dia", 6), ("Mês", "mes", 15), ("30 dias", "30d", 15), ("12 meses", "12m", 70))
    changes = [
        pen.change(label, f"pct_var_{name}", change(spread) if it.trades else Decimal(0))
        for label, name, spread in spans
    ]
    for year in years:
        cell = Cell("", None, "") if year is None else pen.change(str(year), None, change(80))
        changes.append(replace(cell, year=year, change=True))
    return [*changes, Cell("", None, "", change=True)]


def _results(pen: _Pen, results: Sequence[_Result], quarter: Decimal) -> list[Row]:
    """Return one row per item of the income statement, with its twelve-month and its three-month amount."""
    return [
        (
            pen.whole(label, f"{column}_ult_12m", amount),
            pen.whole(label, f"{column}_ult_3m", _thousands(amount * quarter)),
        )
        for label, column, amount in results
    ]


class _Pen:
    """Makes cells in the site's format, and omits some of their values.

    Parameters
    ----------
    rng
        Selects the omitted values.
    gaps
        The share of omitted values.
    """

    def __init__(self, rng: Random, gaps: float) -> None:
        self._rng = rng
        self._gaps = gaps

    def text(self, label: str, column: str, value: str, *, always: bool = False) -> Cell:
        return self._cell(Cell(label, value, value, column), ("-", ""), always)

    def day(self, label: str, column: str, value: date, *, always: bool = False) -> Cell:
        return self._cell(Cell(label, value, f"{value:%d/%m/%Y}", column), ("-", ""), always)

    def whole(self, label: str, column: str, value: int) -> Cell:
        return self._cell(Cell(label, value, brazilian(value), column), ("-", ""), always=False)

    def decimal(self, label: str, column: str, value: Decimal | None, *, always: bool = False) -> Cell:
        return self._number(label, column, value, "0.01", "", always)

    def percent(self, label: str, column: str, value: Decimal | None) -> Cell:
        return self._number(label, column, value, "0.1", "%", always=False)

    def change(self, label: str, column: str | None, value: Decimal) -> Cell:
        return replace(self._number(label, column, value, "0.01", "%", always=False), change=True)

    def _number(
        self, label: str, column: str | None, value: Decimal | None, step: str, unit: str, always: bool
    ) -> Cell:
        blanks = ("-", "-%", "") if unit else ("-", "")
        if value is None:
            return Cell(label, None, self._rng.choice(blanks), column)
        value = value.quantize(Decimal(step), ROUND_HALF_UP)
        return self._cell(Cell(label, value, brazilian(value) + unit, column), blanks, always)

    def _cell(self, cell: Cell, blanks: Sequence[str], always: bool) -> Cell:
        if always or self._rng.random() >= self._gaps:
            return cell
        return replace(cell, value=None, text=self._rng.choice(blanks))


def brazilian(value: int | Decimal) -> str:
    """Write a number in the Brazilian form, such as ``-1.234,50``."""
    return f"{Decimal(value):,f}".translate(str.maketrans(",.", ".,"))


def _thousands(value: Decimal) -> int:
    """Truncate an amount to whole thousands, as in published balance sheets."""
    return int(round(value, 2) / 1000) * 1000


def _ratio(value: Decimal | int, of: Decimal | int) -> Decimal | None:
    return Decimal(value) / Decimal(of) if of else None


def _volume(it: _Subject, market: int) -> int:
    return int(market * it.between(0.0002, 0.005)) if it.trades else 0


def _quarter_end(day: date) -> date:
    """Return the last day of the last quarter that ended before `day`."""
    first_month = (day.month - 1) // 3 * 3 + 1
    return date(day.year, first_month, 1) - timedelta(days=1)


def _rotated(texts: Sequence[str], by: int) -> list[str]:
    return [texts[(by + position) % len(texts)] for position in range(len(texts))]
