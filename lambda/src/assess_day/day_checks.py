"""Quality checks of a day's ledger, objects and queues."""

from __future__ import annotations

from collections import defaultdict

from assess_day import thresholds
from assess_day.assessment import LISTED, LISTING, QualityRow, Verdict
from assess_day.check_inputs import CheckInputs
from assess_day.day_status import no_listing
from assess_day.portuguese import ASSETS, number, quoted, sentence, some, why_missing
from assess_day.references import last_values
from b3.bounds import MOST_RECORDED, REASON_CHARACTERS, printable
from b3.kind import Kind
from pynvest_lake.contract import SOR
from pynvest_lake.ledger import Outcome, count_labels

DEAD_LETTERS = "fila_morta"
UNREGISTERED = "dias_sem_registro"
_KEY_CHARACTERS = 120


def listing(inputs: CheckInputs) -> list[QualityRow]:
    """Compare the number of listed assets with previous days; report missing listings and unreadable rows."""
    listed = inputs.ledger.listing
    if listed is None:
        lacking = no_listing(inputs.state)
        if lacking is None:
            return []
        return [QualityRow(None, LISTING, None, 0.0, None, Verdict.FAILURE, sentence(lacking))]
    rows = []
    for kind in Kind:
        count, table = len(listed.assets.get(kind, ())), SOR[kind]
        reference = inputs.references.of(table, LISTED)
        verdict = Verdict.FAILURE if not count else Verdict.OK
        if count and reference:
            verdict = thresholds.LISTED.below(count / reference)
        against = f"; o normal é {number(reference)}" if reference else ""
        said = f"A listagem tem {number(count)} {ASSETS[kind]}{against}."
        rows.append(QualityRow(table, LISTED, None, float(count), reference, verdict, said))
        unreadable = listed.unreadable.get(kind, 0)
        verdict = Verdict.WARNING if unreadable else Verdict.OK
        said = f"Linhas sem código de ativo na listagem de {ASSETS[kind]}: {number(unreadable)}."
        rows.append(QualityRow(table, "listagem_ilegivel", None, float(unreadable), None, verdict, said))
    return rows


def missing(inputs: CheckInputs) -> list[QualityRow]:
    """List the assets that are listed but were not read."""
    rows = []
    lacking: defaultdict[Kind, list[str]] = defaultdict(list)
    for (kind, ticker), outcome in inputs.missing.items():
        lacking[kind].append(f"{ticker} ({why_missing(outcome)})")
    listed = inputs.ledger.listing
    for kind in Kind:
        count = len(listed.assets.get(kind, ())) if listed else 0
        if count:
            names = sorted(lacking[kind])
            of = f"De {number(count)} {ASSETS[kind]} da listagem"
            said = f"{of}, {number(len(names))} sem leitura: {some(names)}."
            verdict = thresholds.MISSING.above(len(names) / count)
            rows.append(
                QualityRow(SOR[kind], "papeis_faltando", None, float(len(names)), float(count), verdict, said)
            )
    return rows


def read_again(inputs: CheckInputs) -> list[QualityRow]:
    """List the assets that a round requested again but could not read; their old readings stay."""
    said = inputs.ledger.assets(inputs.state.sor_ids)
    stale = inputs.ledger.not_read_again(inputs.state.sor_ids)
    rows = []
    for kind in Kind:
        read = sum(of is kind and entry.outcome is Outcome.READ for (of, _), entry in said.items())
        unread = sorted(ticker for of, ticker in stale if of is kind)
        verdict = Verdict.WARNING if unread else Verdict.OK
        many = f"{number(len(unread))} de {number(read)} {ASSETS[kind]}"
        text = f"Ativos pedidos de novo que ficaram com a leitura anterior: {many} ({some(unread)})."
        rows.append(QualityRow(SOR[kind], "releitura", None, float(len(unread)), float(read), verdict, text))
    return rows


def not_through(inputs: CheckInputs) -> list[QualityRow]:
    """List the SoR objects that have not reached SoT or Spec, and the failed compactions."""
    rows = []
    for check, problems, said in (
        ("objetos_pendentes", inputs.state.not_through, "Há "),
        ("dedup", inputs.failed_compactions, "A compactação falhou: "),
    ):
        verdict = Verdict.FAILURE if problems else Verdict.OK
        text = f"{said}{'; '.join(printable(problem, REASON_CHARACTERS) for problem in problems)}."
        rows.append(QualityRow(None, check, None, float(len(problems)), None, verdict, text))
    return rows


def labels(inputs: CheckInputs) -> list[QualityRow]:
    """List the labels that have no column, and the core labels that are missing on pages."""
    rows = []
    said = inputs.ledger.assets(inputs.state.sor_ids)
    for kind in Kind:
        read = {
            ticker: entry
            for (of, ticker), entry in said.items()
            if of is kind and entry.outcome is Outcome.READ
        }
        if not read:
            continue
        unknown = count_labels({ticker: entry.unknown_labels for ticker, entry in read.items()})
        lacking = count_labels({ticker: entry.lacking_labels for ticker, entry in read.items()})
        count, pages = float(len(read)), f"{number(len(read))} páginas de {ASSETS[kind]}"
        for check, what, found in (
            ("rotulo_novo", "não tem coluna, e está em", unknown),
            ("rotulo_ausente", "falta em", lacking),
        ):
            for label, (assets, example) in sorted(found.items(), key=_most_assets)[:MOST_RECORDED]:
                text = f"O rótulo {quoted(label)} {what} {number(assets)} de {pages}, como {example}."
                rows.append(QualityRow(SOR[kind], check, label, float(assets), count, Verdict.WARNING, text))
            if not found:
                rows.append(QualityRow(SOR[kind], check, None, 0.0, count, Verdict.OK, None))
        cut = max((entry.unknown_count or 0, ticker) for ticker, entry in read.items())
        if len(unknown) > MOST_RECORDED or cut[0]:
            many = f"{number(cut[0])} na de {cut[1]}" if cut[0] else f"{number(len(unknown))} ao todo"
            text = f"Em {pages} há mais rótulos sem coluna do que os mostrados: {many}."
            total = float(max(len(unknown), cut[0]))
            rows.append(QualityRow(SOR[kind], "rotulo_novo", None, total, count, Verdict.WARNING, text))
    return rows


def _most_assets(labels: tuple[str, tuple[int, str]]) -> tuple[int, str]:
    """Return a sort key that puts labels with more assets first."""
    label, (assets, _) = labels
    return -assets, label


def archive(inputs: CheckInputs) -> list[QualityRow]:
    """Count the asset pages and the listings that could not be archived."""
    listed = inputs.ledger.listing
    assets = sum(len(entry.assets) for entry, _ in inputs.ledger.batches if not entry.archived)
    listings = len(Kind) if listed is not None and not listed.archived else 0
    lost = [f"{number(assets)} de ativos"] * bool(assets) + [f"{listings} de listagens"] * bool(listings)
    said = f"Páginas não arquivadas (sem elas, o dia não pode ser relido): {' e '.join(lost)}."
    verdict = Verdict.WARNING if lost else Verdict.OK
    return [QualityRow(None, "paginas_nao_guardadas", None, float(assets + listings), None, verdict, said)]


def foreign_objects(inputs: CheckInputs) -> list[QualityRow]:
    """List the day's foreign objects. Athena reads an object unless its name starts with _ or a dot."""
    keys = [printable(key, _KEY_CHARACTERS) for key in sorted(inputs.state.foreign_keys)]
    verdict = Verdict.WARNING if keys else Verdict.OK
    many = f"{number(len(keys))} ({some(keys)})"
    said = (
        "Apague das partições do dia os objetos que não são do lake; o Athena lê os que não começam com _ ou "
        f"ponto, e pode repetir linhas ou falhar: {many}."
    )
    return [QualityRow(None, "objetos_estranhos", None, float(len(keys)), None, verdict, said)]


def unregistered(inputs: CheckInputs) -> list[QualityRow]:
    """For each table, list the days that the catalog lacks, and the statement that registers these days."""
    rows = []
    for table, days in inputs.unregistered.items():
        if days:
            # In the mail, "database.table" would become "database[.]table", so name database and table
            # separately.
            said = (
                f"Dias que estão no bucket e não no catálogo, que nenhuma consulta vê: {number(len(days))}; "
                f"no Athena, no banco {table.database}, rode MSCK REPAIR TABLE {table.table}."
            )
            rows.append(
                QualityRow(table.table, UNREGISTERED, None, float(len(days)), None, Verdict.WARNING, said)
            )
    return rows or [QualityRow(None, UNREGISTERED, None, 0.0, None, Verdict.OK, "")]


def dead_letters(inputs: CheckInputs) -> list[QualityRow]:
    """Compare the number of messages in the dead-letter queues with the last recorded number."""
    before = next((value for _, value in last_values(inputs.earlier, DEAD_LETTERS, (None,))), None)
    verdict = Verdict.WARNING if inputs.dead_letters > (before or 0) else Verdict.OK
    said = f"Mensagens nas filas de falhas: {number(inputs.dead_letters)} (antes: {number(before or 0)})."
    return [QualityRow(None, DEAD_LETTERS, None, float(inputs.dead_letters), before, verdict, said)]


def duplicates(inputs: CheckInputs) -> list[QualityRow]:
    """Record the number of duplicate rows."""
    return [QualityRow(None, "duplicatas", None, float(inputs.duplicates), None, Verdict.OK, "")]


CHECKS = (
    *(listing, missing, read_again, not_through, labels, archive, foreign_objects),
    *(unregistered, dead_letters, duplicates),
)
