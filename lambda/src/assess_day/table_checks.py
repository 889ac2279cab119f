"""Quality checks of the rows in the day's tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from statistics import median

import pyarrow as pa
import pyarrow.compute as pc

from assess_day import thresholds
from assess_day.assessment import QualityRow, Verdict
from assess_day.check_inputs import CheckInputs
from assess_day.day_status import repeated_session
from assess_day.portuguese import ASSETS, day_text, number, percent, quoted, sentence
from assess_day.references import SESSION_REPEATED, is_old_session, recorded_sessions
from b3.brazilian import without_blanks
from b3.days import is_trading_day, number_of
from b3.kind import Kind
from pynvest_lake.best_reading import best_rows
from pynvest_lake.contract import SOR, SOT, SPEC_ATIVOS, table_schema

# Prefix of six columns: one for the year of the run day, and one for each of the five years before. After New
# Year, the site needs some days to show the new year.
_YEARS = "pct_var_ano_"
# If one of these columns is empty, the day fails. Other columns can be empty; for example, the site has shown
# no mandate for any fund since 2026.
_ESSENTIAL = {
    Kind.ACOES: ("nome_papel", "vlr_cot", "dt_ult_cot", "num_acoes", "vlr_mercado"),
    Kind.FIIS: ("fii", "vlr_cot", "dt_ult_cot", "num_cotas", "vlr_mercado"),
}
# In each check, the third column is the product of the first two.
_IDENTITIES = {
    Kind.ACOES: {
        "p_sobre_vp_vezes_vpa": ("vlr_ind_p_sobre_vp", "vlr_ind_vpa", "vlr_cot"),
        "p_sobre_l_vezes_lpa": ("vlr_ind_p_sobre_l", "vlr_ind_lpa", "vlr_cot"),
        "cotacao_vezes_papeis": ("vlr_cot", "num_acoes", "vlr_mercado"),
    },
    Kind.FIIS: {
        "p_sobre_vp_vezes_vpa": ("vlr_p_sobre_vp", "vlr_vp_sobre_cota", "vlr_cot"),
        "cotacao_vezes_papeis": ("vlr_cot", "num_cotas", "vlr_mercado"),
    },
}


def row_counts(inputs: CheckInputs) -> list[QualityRow]:
    """Compare the number of rows in each table with the number on previous days."""
    rows = []
    tables = {**{SOT[kind]: inputs.sot[kind] for kind in Kind}, SPEC_ATIVOS: inputs.spec}
    for name, table in tables.items():
        reference = inputs.references.of(name, "linhas")
        verdict = Verdict.FAILURE if not len(table) else Verdict.OK
        if len(table) and reference:
            verdict = thresholds.ROWS.below(len(table) / reference)
        against = f"; o normal é {number(reference)}" if reference else ""
        said = f"A tabela {name} tem {number(len(table))} linhas{against}."
        rows.append(QualityRow(name, "linhas", None, float(len(table)), reference, verdict, said))
    return rows


def fill(inputs: CheckInputs) -> list[QualityRow]:
    """Compare the share of filled cells in each column with the share on previous days."""
    rows = []
    for kind in Kind:
        table, name = inputs.sot[kind], SOT[kind]
        for column in table.schema.names if len(table) else ():
            if column == "datetime_exec" or column.startswith(_YEARS):
                continue
            share = 1 - table[column].null_count / len(table)
            reference = inputs.references.of(name, "preenchimento", column)
            verdict = _judge_fill(kind, column, share, reference)
            against = f"; o normal é {percent(reference)}" if reference is not None else ""
            said = f"A coluna {column} de {name} está preenchida em {percent(share)} das linhas{against}."
            rows.append(QualityRow(name, "preenchimento", column, share, reference, verdict, said))
    return rows


def _judge_fill(kind: Kind, column: str, share: float, reference: float | None) -> Verdict:
    """Return the verdict on the fraction of filled cells in a SoT column."""
    if not share and column in _ESSENTIAL[kind]:
        return Verdict.FAILURE
    if reference is None:
        return Verdict.OK
    core = any(one.core and one.name == column for one in table_schema(SOR[kind]).columns)
    limits = thresholds.CORE_FILL if core else thresholds.FILL
    # Round off floating-point errors, so that a difference equal to the limit does not exceed the limit.
    return limits.above(round(reference - share, 9))


def unreadable(inputs: CheckInputs) -> list[QualityRow]:
    """Count the cells whose text on the page could not be converted to the column's type."""
    rows = []
    for kind in Kind:
        sot, name = inputs.sot[kind], SOT[kind]
        if not len(sot):
            continue
        sor = best_rows([inputs.sor[kind]], kind.ticker_column)
        found = []
        for column in table_schema(name).columns:
            if column.type == "string" or column.name == "datetime_exec":
                continue
            texts = _texts(sor, kind.ticker_column, column.name)
            empty = sot.filter(pc.is_null(sot[column.name]))[kind.ticker_column].to_pylist()
            unread = sorted(ticker for ticker in empty if ticker in texts)
            if unread:
                verdict = thresholds.UNREADABLE.above(len(unread) / len(texts))
                many = f"{number(len(unread))} de {number(len(texts))}"
                said = (
                    f"Textos da coluna {column.name} de {name} que não puderam ser lidos: {many}, "
                    f"como {quoted(texts[unread[0]])} de {unread[0]}."
                )
                found.append(
                    QualityRow(
                        name, "ilegiveis", column.name, float(len(unread)), float(len(texts)), verdict, said
                    )
                )
        rows += found or [QualityRow(name, "ilegiveis", None, 0.0, None, Verdict.OK, "")]
    return rows


def _texts(sor: pa.Table, ticker_column: str, column: str) -> dict[str, str]:
    """Return a column's texts by ticker, without the blank cells."""
    pairs = zip(sor[ticker_column].to_pylist(), sor[column].to_pylist(), strict=True)
    return {ticker: text for ticker, text in pairs if without_blanks(text)}


def newest_session(assets: pa.Table) -> date | None:
    """Return the newest session of the assets in a Spec or SoT table."""
    newest: date | None = pc.max(assets["dt_ult_cot"]).as_py() if len(assets) else None
    return newest


def sessions(inputs: CheckInputs) -> list[QualityRow]:
    """Check that each kind's newest session is new, and that enough assets of the kind show it."""
    day = inputs.ledger.day
    rows = []
    for kind in Kind:
        table, name = inputs.sot[kind], SOT[kind]
        newest = newest_session(table)
        if newest is None:
            continue
        session = number_of(newest)
        before = next((value for _, value in recorded_sessions(kind, inputs.earlier)), None)
        repeated = is_old_session(session, day, kind, inputs.earlier) and is_trading_day(day)
        verdict = Verdict.WARNING if repeated else Verdict.OK
        said = sentence(repeated_session(session, kind))
        rows.append(QualityRow(name, SESSION_REPEATED, None, float(session), before, verdict, said))
        traded = _traded_within(table, newest, thresholds.TRADED_DAYS)["dt_ult_cot"].to_pylist()
        share = traded.count(newest) / len(traded)
        reference = inputs.references.of(name, "sessao")
        verdict = thresholds.SESSION.below(share / reference) if reference else Verdict.OK
        against = f"; o normal é {percent(reference)}" if reference else ""
        of = f"De {number(len(traded))} {ASSETS[kind]} com negócios na última semana"
        said = f"{of}, {percent(share)} mostram o pregão de {day_text(newest)}{against}."
        rows.append(QualityRow(name, "sessao", None, share, reference, verdict, said))
    return rows


def prices(inputs: CheckInputs) -> list[QualityRow]:
    """Compare the price of each asset with the price in the listing and with the asset's 52-week range."""
    newest = newest_session(inputs.spec)
    listed = inputs.ledger.listing
    rows = []
    for kind in Kind:
        # Older sessions count too: if the site changed its session during the run, the listing shows it.
        table, name = _traded_within(inputs.sot[kind], newest, thresholds.TRADED_DAYS), SOT[kind]
        columns = (kind.ticker_column, "vlr_cot", "vlr_min_52_sem", "vlr_max_52_sem")
        assets = list(zip(*(table[column].to_pylist() for column in columns), strict=True))
        known = listed.assets.get(kind, {}) if listed else {}
        differing = {
            ticker: abs(price - on_list) > thresholds.ROUNDING * 1.001
            for ticker, price, _, _ in assets
            if price is not None and (on_list := known.get(ticker)) is not None
        }
        outside = {
            ticker: not low - thresholds.ROUNDING * 1.001 <= price <= high + thresholds.ROUNDING * 1.001
            for ticker, price, low, high in assets
            if None not in (price, low, high)
        }
        for check, found, limits, what in (
            ("preco_listagem", differing, thresholds.PRICE_AGAINST_LISTING, "preço diferente do da listagem"),
            ("preco_fora_52_semanas", outside, thresholds.OUT_OF_RANGE, "preço fora da faixa de 52 semanas"),
        ):
            if found:
                share = sum(found.values()) / len(found)
                shown = ", ".join(sorted(ticker for ticker, odd in found.items() if odd)[:5])
                said = f"{percent(share)} de {number(len(found))} {ASSETS[kind]} têm {what}, como {shown}."
                rows.append(QualityRow(name, check, "vlr_cot", share, None, limits.above(share), said))
    return rows


def medians(inputs: CheckInputs) -> list[QualityRow]:
    """Compare the median of each numeric column with the median on previous days. Zeros do not count.

    In some columns, such as sales of real estate, about half of the values are zero. If zeros counted, the
    median could be zero on one day and millions on the next day.
    """
    newest = newest_session(inputs.spec)
    rows = []
    for kind in Kind:
        table, name = _traded_within(inputs.sot[kind], newest, 1), SOT[kind]
        for column in table_schema(name).columns:
            if column.type not in ("double", "bigint") or column.name.startswith("pct_var_"):
                continue
            values = [value for value in table[column.name].to_pylist() if value]
            if len(values) < thresholds.LEAST_ASSETS:
                continue
            # Halve the values first: the sum of two huge values would be infinite.
            value = 2.0 * median(one / 2 for one in values)
            reference = inputs.references.of(name, "mediana", column.name)
            verdict = Verdict.OK if reference is None else _moved(value, reference, values)
            said = f"A mediana de {column.name} em {name} é {number(value)}" + (
                f"; o normal é {number(reference)}." if reference is not None else "."
            )
            rows.append(QualityRow(name, "mediana", column.name, value, reference, verdict, said))
    return rows


def _moved(value: float, reference: float, values: Sequence[float]) -> Verdict:
    """Compare a median with its reference.

    A column with values of both signs is ``ok`` if its median and the reference are near zero.
    """
    ordered = sorted(values)
    middle_half = ordered[3 * len(ordered) // 4] - ordered[len(ordered) // 4]
    near_zero = max(abs(value), abs(reference)) < thresholds.NEAR_ZERO * middle_half
    if ordered[0] < 0 < ordered[-1] and near_zero:
        return Verdict.OK
    # A zero cannot be compared: it has no sign and gives no ratio.
    if not value or not reference:
        return Verdict.OK
    if value * reference < 0:
        return Verdict.FAILURE
    smaller, greater = sorted((abs(value), abs(reference)))
    return thresholds.MEDIAN.above(greater / smaller)


def identities(inputs: CheckInputs) -> list[QualityRow]:
    """Check that the product of two columns agrees with a third column."""
    newest = newest_session(inputs.spec)
    rows = []
    for kind in Kind:
        table, name = _traded_within(inputs.sot[kind], newest, 1), SOT[kind]
        for check, columns in _IDENTITIES[kind].items():
            assets = zip(*(table[column].to_pylist() for column in columns), strict=True)
            agreeing = [_agree(*values) for values in assets if None not in values]
            if len(agreeing) < thresholds.LEAST_ASSETS:
                continue
            share = sum(agreeing) / len(agreeing)
            one, other, product = columns
            of = f"{number(len(agreeing))} {ASSETS[kind]}"
            said = f"{one} vezes {other} dá {product} em apenas {percent(share)} de {of}."
            rows.append(QualityRow(name, check, one, share, None, thresholds.IDENTITY.below(share), said))
    return rows


def _agree(one: float, other: float, product: float) -> bool:
    """Return whether the product of two values equals a third value, within tolerance and rounding errors."""
    beyond = thresholds.ROUNDING * (abs(one) + abs(other) + thresholds.ROUNDING)
    return abs(one * other - product) <= thresholds.IDENTITY_TOLERANCE * abs(product) + beyond


def _traded_within(table: pa.Table, newest: date | None, days: int) -> pa.Table:
    """Return the rows of the assets that traded in the last `days` days up to the newest session."""
    if newest is None:
        return table.slice(0, 0)
    before = newest - timedelta(days=days)
    return table.filter(pc.greater(table["dt_ult_cot"], pa.scalar(before, pa.date32())))


CHECKS = (row_counts, fill, unreadable, sessions, prices, medians, identities)
