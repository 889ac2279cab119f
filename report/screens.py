"""The columns of the table, their computed values, and the stock screens behind the page's buttons.

The thresholds of the screens are in ``screens.json``, and also in the queries of ``athena/queries``.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from report.snapshot import ListedAsset, column_types

SETTINGS: Mapping[str, Any] = json.loads(Path(__file__).with_name("screens.json").read_text("utf-8"))


@dataclass(frozen=True)
class ShownColumn:
    """A numeric column in the table of assets.

    Parameters
    ----------
    key
        The column's name in the page's address.
    title, hint
        Heading and meaning of the column.
    shown
        Number format: ``decimal``, ``count``, ``points``, ``amount`` or ``change``. ``change`` shows a
        fraction as a percentage with a sign.
    stock, fund
        The lake's columns for stocks and for funds; None if a kind has no such column.
    is_low_better
        Whether the first click on the heading sorts in ascending order.
    is_default
        Whether the column is shown before the reader chooses columns.
    """

    key: str
    title: str
    hint: str
    shown: str
    stock: str | None = None
    fund: str | None = None
    is_low_better: bool = False
    is_default: bool = False


_COLUMNS = (
    ShownColumn(
        "cotacao", "Cotação", "Do último pregão, em reais", "decimal", "vlr_cot", "vlr_cot", is_default=True
    ),
    ShownColumn(
        "dia",
        "Dia",
        "Variação no último pregão do ativo",
        "change",
        "pct_var_dia",
        "pct_var_dia",
        is_default=True,
    ),
    ShownColumn("mes", "Mês", "Variação no mês", "change", "pct_var_mes", "pct_var_mes", is_default=True),
    ShownColumn(
        "12m", "12 meses", "Variação em doze meses", "change", "pct_var_12m", "pct_var_12m", is_default=True
    ),
    ShownColumn(
        "pvp",
        "P/VP",
        "Cotação sobre valor patrimonial, em vezes",
        "decimal",
        "vlr_ind_p_sobre_vp",
        "vlr_p_sobre_vp",
        is_low_better=True,
        is_default=True,
    ),
    ShownColumn(
        "yield",
        "Yield",
        "Proventos sobre a cotação, como o site mostra",
        "points",
        "vlr_ind_div_yield",
        "vlr_div_yield",
        is_default=True,
    ),
    ShownColumn(
        "pl",
        "P/L",
        "Cotação sobre lucro por ação, em vezes; fundos não têm",
        "decimal",
        "vlr_ind_p_sobre_l",
        is_low_better=True,
        is_default=True,
    ),
    ShownColumn(
        "roe",
        "ROE",
        "Lucro líquido sobre patrimônio líquido; fundos não têm",
        "points",
        "vlr_ind_roe",
        is_default=True,
    ),
    ShownColumn(
        "volume",
        "Volume",
        "Negociado por dia, média de dois meses, em reais",
        "amount",
        "vol_med_neg_2m",
        "vol_med_neg_2m",
        is_default=True,
    ),
    ShownColumn("ano", "No ano", "Variação no ano", "change", "pct_var_ano_a0", "pct_var_ano_a0"),
    ShownColumn(
        "min52",
        "Mínima",
        "Menor cotação de 52 semanas, em reais",
        "decimal",
        "vlr_min_52_sem",
        "vlr_min_52_sem",
    ),
    ShownColumn(
        "max52",
        "Máxima",
        "Maior cotação de 52 semanas, em reais",
        "decimal",
        "vlr_max_52_sem",
        "vlr_max_52_sem",
    ),
    ShownColumn("mercado", "Valor de mercado", "Em reais", "amount", "vlr_mercado", "vlr_mercado"),
    ShownColumn("patrimonio", "Patrimônio líquido", "Em reais", "amount", "vlr_patrim_liq", "vlr_patrim_liq"),
    ShownColumn(
        "vpa",
        "VPA",
        "Patrimônio líquido por ação ou cota, em reais",
        "decimal",
        "vlr_ind_vpa",
        "vlr_vp_sobre_cota",
    ),
    ShownColumn("lpa", "LPA", "Lucro líquido por ação, em reais", "decimal", "vlr_ind_lpa"),
    ShownColumn("roic", "ROIC", "Retorno sobre o capital investido", "points", "vlr_ind_roic"),
    ShownColumn(
        "mbruta", "Margem bruta", "Lucro bruto sobre receita líquida", "points", "vlr_ind_margem_bruta"
    ),
    ShownColumn("mebit", "Margem EBIT", "EBIT sobre receita líquida", "points", "vlr_ind_margem_ebit"),
    ShownColumn(
        "mliquida", "Margem líquida", "Lucro líquido sobre receita líquida", "points", "vlr_ind_margem_liq"
    ),
    ShownColumn(
        "evebitda",
        "EV/EBITDA",
        "Valor da firma sobre EBITDA, em vezes",
        "decimal",
        "vlr_ind_ev_sobre_ebitda",
        is_low_better=True,
    ),
    ShownColumn(
        "evebit",
        "EV/EBIT",
        "Valor da firma sobre EBIT, em vezes",
        "decimal",
        "vlr_ind_ev_sobre_ebit",
        is_low_better=True,
    ),
    ShownColumn(
        "psr", "PSR", "Cotação sobre receita por ação, em vezes", "decimal", "vlr_ind_psr", is_low_better=True
    ),
    ShownColumn(
        "dlpl",
        "Dív. líq./PL",
        "Dívida líquida sobre patrimônio líquido, em vezes",
        "decimal",
        "vlr_ind_divida_liq_sobre_patrim",
        is_low_better=True,
    ),
    ShownColumn(
        "divida",
        "Dívida líquida",
        "Em reais; negativa quando sobra caixa",
        "amount",
        "vlr_divida_liq",
        is_low_better=True,
    ),
    ShownColumn(
        "corrente",
        "Liquidez corrente",
        "Ativo circulante sobre passivo circulante, em vezes",
        "decimal",
        "vlr_liquidez_corr",
    ),
    ShownColumn(
        "receita5a",
        "Receita, 5 anos",
        "Crescimento da receita líquida em cinco anos",
        "change",
        "pct_cresc_rec_liq_ult_5a",
    ),
    ShownColumn("ffo", "FFO yield", "FFO sobre valor de mercado; só fundos", "points", None, "vlr_ffo_yield"),
    ShownColumn(
        "caprate", "Cap rate", "Aluguel sobre valor dos imóveis; só fundos", "points", None, "vlr_cap_rate"
    ),
    ShownColumn(
        "vacancia",
        "Vacância",
        "Média dos imóveis; só fundos",
        "points",
        None,
        "vlr_vacancia_media",
        is_low_better=True,
    ),
    ShownColumn("imoveis", "Imóveis", "Quantidade; só fundos", "count", None, "qtd_imoveis"),
)
_COMPUTED = (
    ShownColumn("graham", "Margem de Graham", "Número de Graham sobre a cotação, menos 1", "change"),
    ShownColumn(
        "magica", "Fórmula mágica", "Soma das posições em ROIC e EV/EBIT", "count", is_low_better=True
    ),
    ShownColumn(
        "posicao",
        "Posição no setor",
        "Por P/VP, do menor para o maior, entre as ações líquidas do setor",
        "count",
        is_low_better=True,
    ),
)


def source_columns() -> Sequence[ShownColumn]:
    """Return the table's columns whose values come from the lake unchanged."""
    return _COLUMNS


def numbers_of(assets: Sequence[ListedAsset]) -> dict[ShownColumn, list[float | None]]:
    """Return a list of numbers for each column: one number per asset, in the order of the assets.

    Source columns that occur in no row are left out, and so are computed columns without values. Numeric
    columns that the data contract lacks come after the other source columns, and have their names as titles.
    """
    names = {name for asset in assets for name in asset.row}
    known = [column for column in _COLUMNS if names & {column.stock, column.fund}]
    unknown = [
        ShownColumn(
            name, name, "O lake tem esta coluna, e este programa não a conhece", "decimal", name, name
        )
        for name in sorted(names - column_types().keys())
        if all(isinstance(asset.row.get(name), int | float | None) for asset in assets)
    ]
    computed = {"graham": _graham(assets), "magica": _magic(assets), "posicao": _places(assets)}
    return {
        **{column: [number(asset, column) for asset in assets] for column in (*known, *unknown)},
        **{
            column: [computed[column.key].get(asset.ticker) for asset in assets]
            for column in _COMPUTED
            if computed[column.key]
        },
    }


def presets(columns: Collection[ShownColumn]) -> list[Mapping[str, str]]:
    """Return the screens (the page's buttons) that need only the given columns."""
    lacking = {column.key for column in (*_COLUMNS, *_COMPUTED)} - {column.key for column in columns}
    return [
        preset
        for preset in SETTINGS["presets"]
        if not lacking & {name.lstrip("-") for name in re.split("[&=]", preset["screen"])}
    ]


def number(asset: ListedAsset, column: ShownColumn) -> float | None:
    """Return the value of an asset in a source column; None if the asset has no value."""
    found: float | None = asset.row.get((column.fund if asset.is_fund else column.stock) or "")
    return found


def _graham(assets: Sequence[ListedAsset]) -> dict[str, float]:
    """Return Graham's number / price - 1 for stocks with earnings and book value above zero."""
    product = math.prod(SETTINGS["graham"].values())
    found = {}
    for asset in assets:
        earnings, book = asset.row.get("vlr_ind_lpa") or 0, asset.row.get("vlr_ind_vpa") or 0
        if not asset.is_fund and earnings > 0 and book > 0 and (asset.price or 0) > 0:
            found[asset.ticker] = round(math.sqrt(product * earnings * book) / (asset.price or 1) - 1, 6)
    return found


def _magic(assets: Sequence[ListedAsset]) -> dict[str, float]:
    """Return the sum of the ranks in ROIC and EV/EBIT, for liquid stocks whose two values are above zero."""
    both = {
        asset.ticker: (asset.row.get("vlr_ind_roic") or 0, asset.row.get("vlr_ind_ev_sobre_ebit") or 0)
        for asset in assets
        if asset.is_liquid and not asset.is_fund
    }
    both = {ticker: pair for ticker, pair in both.items() if min(pair) > 0}
    capital = sorted((-roic for roic, _ in both.values()))
    value = sorted(multiple for _, multiple in both.values())
    return {
        ticker: capital.index(-roic) + value.index(multiple) + 2 for ticker, (roic, multiple) in both.items()
    }


def _places(assets: Sequence[ListedAsset]) -> dict[str, float]:
    """Return the rank by P/VP within the sector, lowest first, for liquid stocks with P/VP above zero."""
    sectors: dict[str | None, list[tuple[float, str]]] = defaultdict(list)
    for asset in assets:
        if asset.is_liquid and not asset.is_fund and (asset.price_to_book or 0) > 0:
            sectors[asset.group].append((asset.price_to_book or 0, asset.ticker))
    return {
        ticker: place
        for found in sectors.values()
        for place, (_, ticker) in enumerate(sorted(found), start=1)
    }
