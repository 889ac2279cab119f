"""The dictionary of the page: title, meaning, unit and section of each column, in Portuguese."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from report.screens import ShownColumn, source_columns
from report.snapshot import PARTITION_KEY, SCHEMAS, Row

_KINDS = {"nome_papel": "acoes", "fii": "fiis"}
_HEADING = {"nome_papel", "nome_empresa", "fii", "nome_fii", "datetime_leitura", PARTITION_KEY}
"""Columns that the panel's heading shows, or that say nothing to a reader."""
SECTIONS = (
    "Cotação e tamanho",
    "Indicadores",
    "Variações",
    "Resultados",
    "Balanço",
    "Sobre o ativo",
    "Outras colunas do lake",
)
_TITLES: Mapping[str, str] = {
    "nome_setor": "Setor",
    "num_acoes": "Número de ações",
    "num_cotas": "Número de cotas",
    "dt_ult_cot": "Último pregão",
    "dt_ult_balanco_proc": "Último balanço",
    "dt_ult_relat_ger": "Último relatório gerencial",
    "dt_ult_informe_trim": "Último informe trimestral",
    "datetime_exec": "Página lida em",
    "vlr_ind_p_sobre_ativ": "P/ativo",
    "vlr_ind_p_sobre_cap_giro": "P/capital de giro",
    "vlr_ind_p_sobre_ativ_circ_liq": "P/ativo circ. líq.",
    "vlr_ind_ebit_sobre_ativo": "EBIT/ativo",
    "vlr_ind_divida_bruta_sobre_patrim": "Dív. bruta/PL",
    "vlr_ind_giro_ativos": "Giro dos ativos",
    "vlr_ativo": "Ativo total",
    "vlr_ativos": "Ativos totais",
    "vlr_ativ_circulante": "Ativo circulante",
    "vlr_divida_bruta": "Dívida bruta",
    "vlr_cart_credito": "Carteira de crédito",
    "vlr_receita_liq": "Receita líquida",
    "vlr_ebit": "EBIT",
    "vlr_lucro_liq": "Lucro líquido",
    "vlr_result_int_financ": "Intermediação financeira",
    "vlr_rec_servicos": "Receita de serviços",
    "vlr_rec_bruta": "Receita bruta",
    "vlr_rendim_distr": "Rendimentos distribuídos",
    "vlr_ffo_sobre_cota": "FFO/cota",
    "vlr_vp_sobre_cota": "VP/cota",
    "qtd_unidades": "Unidades",
    "vlr_imoveis_sobre_pl": "Imóveis/PL",
    "total_area_m2": "Área",
    "vlr_aluguel_por_m2": "Aluguel por m²",
    "vlr_do_m2": "Preço do m²",
}
"""Titles where the label on the site is abbreviated; without the period of ``_ult_12m`` and ``_ult_3m``."""
_PERIODS = {"_ult_12m": ", 12 meses", "_ult_3m": ", 3 meses"}


@dataclass(frozen=True)
class Indicator:
    """A column of a kind's table, with its title, text and format on the page.

    Parameters
    ----------
    name
        The column in the lake.
    key
        The column's name in the page's address.
    title, meaning
        Portuguese title, and the definition in the data contract.
    section
        One of `SECTIONS`.
    shown
        Number format, as in `ShownColumn`, or ``text`` or ``day``.
    before, after
        Texts around the number: ``R$``, ``x`` (times) or a unit of area.
    """

    name: str
    key: str
    title: str
    meaning: str
    section: str
    shown: str
    before: str = ""
    after: str = ""


def indicators_of(ticker: str, rows: Sequence[Row]) -> list[Indicator]:
    """Return the indicators that occur in the rows of a kind, sorted by section.

    Columns that the contract lacks come last, and have their names as titles.

    Parameters
    ----------
    ticker
        Name of the column that holds the kind's tickers.
    rows
        The kind's rows on the latest day.
    """
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in _HEADING]
    known = {name: column for column in source_columns() if (name := _source(column, ticker))}
    # The column pct_var_ano_a1 holds the price change in the year before `year`.
    year = max((row[PARTITION_KEY] for row in rows), default=0) // 10000
    found = [_indicator(ticker, name, known.get(name), rows, year) for name in names]
    return sorted(found, key=lambda one: SECTIONS.index(one.section))


def meaning(column: ShownColumn) -> str:
    """Return a column's meaning: the data contract's definition, or the hint of a computed column."""
    names = {"nome_papel": column.stock, "fii": column.fund}
    found = [
        _contract(_KINDS[ticker])[name][1]
        for ticker, name in names.items()
        if name in _contract(_KINDS[ticker])
    ]
    return "; de fundos: ".join(dict.fromkeys(_readable(text, "") for text in found)) or column.hint


def _source(column: ShownColumn, ticker: str) -> str | None:
    return column.fund if ticker == "fii" else column.stock


def _indicator(
    ticker: str, name: str, column: ShownColumn | None, rows: Iterable[Row], year: int
) -> Indicator:
    contract = _contract(_KINDS[ticker])
    key = column.key if column else name
    if name not in contract:
        numeric = all(isinstance(row.get(name), int | float | None) for row in rows)
        about = "O lake tem esta coluna, e este programa não a conhece"
        return Indicator(name, key, name, about, SECTIONS[-1], "decimal" if numeric else "text")
    kind, meaning, label = contract[name]
    shown, before, after = _form(name, kind, meaning)
    title = _title(name, label, column, year)
    about = _readable(meaning, title)
    return Indicator(name, key, title, about, _section(name, shown), shown, before, after)


def _title(name: str, label: str, column: ShownColumn | None, year: int) -> str:
    if found := re.fullmatch(r"pct_var_ano_a(\d)", name):
        return f"Ano de {year - int(found[1])}"
    for ending, period in _PERIODS.items():
        if name.endswith(ending):
            return _TITLES.get(name.removesuffix(ending), label) + period
    return _TITLES.get(name) or (column.title if column else label)


def _readable(meaning: str, title: str) -> str:
    """Rewrite a definition of the data contract for the page, with the page's units."""
    text = re.sub(r"em (pontos percentuais|fração) \([^)]*\)", "em %", meaning)
    if title.startswith("Ano de "):
        return f"Variação da cotação no {title[0].lower()}{title[1:]}, em %"
    return text.replace("no ano de anomesdia_exec", "no ano do dia mostrado")


def _form(name: str, kind: str, meaning: str) -> tuple[str, str, str]:
    """Return a column's `shown`, `before` and `after` (see `Indicator`)."""
    if kind not in ("double", "bigint"):
        return ("text" if kind == "string" else "day", "", "")
    if "em pontos percentuais" in meaning:
        return "points", "", ""
    if "em fração" in meaning:
        return "change", "", ""
    if "em vezes" in meaning:
        return "decimal", "", "x"
    if "em metros quadrados" in meaning:
        return "count", "", " m²"
    if name.startswith("num_"):
        return "amount", "", ""
    if "em reais" not in meaning:
        return ("count" if kind == "bigint" else "decimal", "", "")
    each = re.search(r"(vlr_cot|_52_sem|_lpa|_vpa|_sobre_cota)$", name)
    return "decimal" if each else "count" if name.endswith("_m2") else "amount", "R$\u00a0", ""


def _section(name: str, shown: str) -> str:
    if shown in ("text", "day"):
        return "Sobre o ativo"
    if name.startswith("pct_var_"):
        return "Variações"
    if name.endswith(tuple(_PERIODS)):
        return "Resultados"
    if re.search(r"^vlr_cot$|_52_sem$|^vol_|^vlr_mercado|^vlr_firma|^num_", name):
        return "Cotação e tamanho"
    return "Balanço" if shown == "amount" or name.startswith(("qtd_", "total_")) else "Indicadores"


@cache
def _contract(kind: str) -> dict[str, tuple[str, str, str]]:
    """Return a map from a column of a typed table to its Glue type, its meaning and the site's label."""
    prepared, raw = (
        {
            column["name"]: column
            for column in json.loads(
                (SCHEMAS / f"{table}_fundamentus_indicadores_{kind}_{end}.json").read_text("utf-8")
            )["columns"]
        }
        for table, end in (("tbsot", "prep"), ("tbsor", "raw"))
    )
    return {
        name: (column["type"], column["comment"], raw[name].get("label") or name)
        for name, column in prepared.items()
    }
