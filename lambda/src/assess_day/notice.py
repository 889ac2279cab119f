"""The notice of a day, in Portuguese."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from operator import itemgetter

import pyarrow as pa

from assess_day.assessment import Assessment, Verdict
from assess_day.portuguese import (
    NO_ANSWER,
    OUTCOMES,
    brazilian,
    day_text,
    number,
    some,
    some_reasons,
    why_missing,
    without_links,
)
from assess_day.splits import Split
from assess_day.table_checks import newest_session
from b3.bounds import printable
from b3.days import date_of
from b3.kind import Kind
from pynvest_lake.ledger import Outcome

DIGEST, FAILURE, NONE = "digest", "failure", "none"

# A liquid asset trades more than this, in reais per day. One order can move the price of an illiquid asset.
LIQUID = 1_000_000
MOVES = 5
_WEEKDAYS = (
    "segunda-feira",
    "terça-feira",
    "quarta-feira",
    "quinta-feira",
    "sexta-feira",
    "sábado",
    "domingo",
)


@dataclass(frozen=True)
class Notice:
    """The notice of a day.

    Parameters
    ----------
    tell
        The kind of the notice, ``digest`` or ``failure``; ``none`` if no notice is sent.
    subject
        The mail's subject; it has fewer than 100 ASCII characters, as SNS requires.
    text
        The mail's text; it has at most 41 lines.
    """

    tell: str
    subject: str
    text: str


def notice(
    assessment: Assessment,
    sot: Mapping[Kind, pa.Table],
    *,
    daily_digest: bool,
    failures_only: bool,
    lake: str,
    quality_table: str,
) -> Notice:
    """Write the notice of a day, and decide whether it is sent.

    Parameters
    ----------
    sot
        The day's SoT rows per kind.
    daily_digest
        Whether a digest is sent even if the day has no remarks.
    failures_only
        Whether notices are sent only for failures.
    lake
        The lake's name, in ASCII.
    quality_table
        The quality table's name for queries, including the name of its database.
    """
    if assessment.is_partial:
        return Notice(NONE, "", "")
    day = date_of(assessment.state.ledger.day)
    remarks = len(assessment.reasons)
    said = {
        Verdict.OK: "tudo certo",
        Verdict.WARNING: f"{remarks} {'aviso' if remarks == 1 else 'avisos'}",
        Verdict.FAILURE: "FALHA",
    }[assessment.verdict]
    title = f"{lake} {day_text(day)}: {said}"
    text = "\n".join((*_lines(assessment, title, day, sot), "", *_advice(assessment, quality_table)))
    if assessment.verdict is Verdict.FAILURE:
        tell = FAILURE
    else:
        has_digest = not failures_only and (daily_digest or assessment.verdict is Verdict.WARNING)
        tell = DIGEST if has_digest else NONE
    return Notice(tell, title, text)


def _lines(assessment: Assessment, title: str, day: date, sot: Mapping[Kind, pa.Table]) -> Iterator[str]:
    session = newest_session(assessment.spec)
    yield title
    yield ""
    yield f"Dia: {day_text(day)}, {_WEEKDAYS[day.weekday()]}"
    yield (
        f"Pregão mais recente: {day_text(session)}"
        if session
        else "Pregão mais recente: nenhum ativo foi lido"
    )
    read = {kind: len(sot[kind]) if kind in sot else 0 for kind in Kind}
    stocks = f"{number(read[Kind.ACOES])} {'ação' if read[Kind.ACOES] == 1 else 'ações'}"
    funds = f"{number(read[Kind.FIIS])} {'FII' if read[Kind.FIIS] == 1 else 'FIIs'}"
    yield f"Ativos lidos: {number(sum(read.values()))} ({stocks} e {funds})"
    yield from map(without_links, _missing(assessment))
    if assessment.splits:
        yield f"Possíveis desdobramentos ou grupamentos: {some(list(map(_split, assessment.splits)))}"
    yield f"Situação do dia: {assessment.verdict.value}"
    if assessment.reasons:
        yield ""
        yield "Por quê:"
        yield from (without_links(f"  - {reason}") for reason in some_reasons(assessment.reasons))
    yield from map(without_links, _largest_moves(sot, session))


def _missing(assessment: Assessment) -> Iterator[str]:
    missing = assessment.missing
    if not missing:
        yield f"Ativos que faltam: {'não se sabe, sem uma listagem' if assessment.unlisted else 'nenhum'}"
        return
    more = ", e não se sabe quantos mais, sem uma listagem" if assessment.unlisted else ""
    yield f"Ativos que faltam: {number(len(missing))}{more}"
    for why in (*OUTCOMES.values(), NO_ANSWER):
        of_why = (ticker for (_, ticker), outcome in missing.items() if why_missing(outcome) == why)
        assets = sorted(map(printable, of_why))
        if assets:
            yield f"  - {why} ({number(len(assets))}): {some(assets)}"


def _split(split: Split) -> str:
    ratio = f"1 para {number(split.factor)}" if split.factor > 1 else f"{number(1 / split.factor)} para 1"
    return f"{printable(split.ticker)} ({ratio})"


def _advice(assessment: Assessment, quality_table: str) -> Iterator[str]:
    day = assessment.state.ledger.day
    if assessment.verdict is Verdict.OK:
        yield "O que fazer: nada; as tabelas do dia estão prontas para consulta no Athena."
        return
    yield "O que fazer (docs/quality.md explica cada aviso):"
    missing = set(assessment.missing.values())
    to_ask = bool(missing - {Outcome.NO_SUCH_PAPER, Outcome.LATER_SESSION, Outcome.LAYOUT})
    if assessment.state.site_refuses:
        yield "  - o site recusa o endereço da AWS: veja docs/collector.md"
    elif assessment.unlisted and OUTCOMES[Outcome.REFUSED] in " ".join(assessment.reasons):
        yield "  - o site recusou a listagem: se isso se repetir nos próximos dias, veja docs/collector.md"
    if (to_ask or assessment.unlisted) and assessment.state.fetch_from == "pages":
        yield "  - trazer o que falta: rode o coletor de novo para o dia (docs/collector.md)"
    elif to_ask or assessment.unlisted:
        yield (
            "  - pedir de novo o que falta: invoque a função get-tickers com "
            f'{{"anomesdia_exec": {day}, "only_missing": true}} '
            f'e depois inicie o fluxo com {{"anomesdia_exec": {day}}}'
        )
    if Outcome.LAYOUT in missing:
        yield (
            "  - ler as páginas de outro formato, depois de atualizar o módulo: invoque a função "
            f'check-and-delete-partitions com {{"anomesdia_exec": {day}, "source": "pages"}}'
        )
    if Outcome.NO_SUCH_PAPER in missing:
        how = (
            "rode o coletor com --again (docs/collector.md)"
            if assessment.state.fetch_from == "pages"
            else 'invoque a função check-and-delete-partitions com {"tickers": [os ativos]} e depois inicie '
            f'o fluxo com {{"anomesdia_exec": {day}}}, no mesmo dia'
        )
        yield f"  - ler de novo os ativos que o site disse não ter mais, se agora ele os mostra: {how}"
    where = f"WHERE anomesdia_exec = {day} AND situacao <> 'ok'"
    yield f"  - ver cada medida: SELECT * FROM {quality_table} {where}"  # noqa: S608 - is shown, not run


def _largest_moves(sot: Mapping[Kind, pa.Table], session: date | None) -> Iterator[str]:
    """Name the five liquid assets that traded in a session and whose prices changed most."""
    moves = []
    for kind, rows in sot.items():
        names = [kind.ticker_column, "vlr_cot", "pct_var_dia", "dt_ult_cot", "vol_med_neg_2m"]
        for ticker, price, change, traded_on, volume in zip(
            *(rows.column(name).to_pylist() for name in names), strict=True
        ):
            if not session or traded_on != session or not ticker or change is None:
                continue
            if math.isfinite(change) and (volume or 0) > LIQUID:
                moves.append((-abs(change), ticker, change, price))
    if moves:
        yield ""
        yield "Maiores variações do pregão (ativos que negociam mais de R$ 1 milhão por dia):"
    for _, ticker, change, price in sorted(moves, key=itemgetter(0, 1))[:MOVES]:
        said = "sem preço" if price is None else brazilian(f"R$ {price:,.2f}")
        yield f"  {printable(ticker):<8}{brazilian(f'{100 * change:+,.2f}%'):>9}  {said}"
