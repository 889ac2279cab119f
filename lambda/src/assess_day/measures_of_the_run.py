"""Measures of how the day came about: what was listed, read, kept and folded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from assess_day import thresholds
from assess_day.assessment import LISTING, QualityRow, Situation
from assess_day.evidence import Evidence
from assess_day.look import no_listing
from assess_day.references import last_value
from assess_day.words import PAPERS, number, sentence, some
from pynvest_lake.contract import SOR_ACOES, SOR_FIIS
from pynvest_lake.kinds import Kind
from pynvest_lake.ledger import BatchEntry
from pynvest_lake.outcomes import Outcome

SOR = {Kind.ACOES: SOR_ACOES, Kind.FIIS: SOR_FIIS}
DEAD_LETTERS = "fila_morta"


def row(
    tabela: str | None,
    medida: str,
    coluna: str | None,
    valor: float | None,
    referencia: float | None,
    situacao: Situation,
    motivo: str,
) -> QualityRow:
    """Return a row, its sentence left out where it is ``ok``."""
    return QualityRow(
        tabela, medida, coluna, valor, referencia, situacao, None if situacao is Situation.OK else motivo
    )


def listing(evidence: Evidence) -> list[QualityRow]:
    """Hold how many papers are listed against the days before; say where there is no listing."""
    listed = evidence.ledger.listing
    if listed is None:
        lacking = no_listing(evidence.facts)
        return [row(None, LISTING, None, 0.0, None, Situation.FALHA, sentence(lacking))] if lacking else []
    rows = []
    for kind in Kind:
        count, table = len(listed.papers.get(kind, ())), SOR[kind]
        reference = evidence.references.of(table, "papeis_listados")
        situation = Situation.FALHA if not count else Situation.OK
        if count and reference:
            situation = thresholds.LISTED.below(count / reference)
        against = f", e o normal são {number(reference)}" if reference else ""
        said = f"A listagem tem {number(count)} {PAPERS[kind]}{against}."
        rows.append(row(table, "papeis_listados", None, float(count), reference, situation, said))
    return rows


def missing(evidence: Evidence) -> list[QualityRow]:
    """Name the listed papers that were not read."""
    rows = []
    lacking: defaultdict[Kind, list[str]] = defaultdict(list)
    for (kind, ticker), entry in evidence.ledger.missing(evidence.facts.sor_ids).items():
        lacking[kind].append(f"{ticker} ({entry.outcome.value if entry else 'sem resposta'})")
    listed = evidence.ledger.listing
    for kind in Kind:
        count = len(listed.papers.get(kind, ())) if listed else 0
        if count:
            names = sorted(lacking[kind])
            of = f"De {number(count)} {PAPERS[kind]} da listagem"
            said = f"{of}, {number(len(names))} sem leitura: {some(names)}."
            situation = thresholds.MISSING.above(len(names) / count)
            rows.append(
                row(SOR[kind], "papeis_faltando", None, float(len(names)), float(count), situation, said)
            )
    return rows


def not_through(evidence: Evidence) -> list[QualityRow]:
    """Name the objects that have not come through, and the folds that failed."""
    rows = []
    for measure, problems, said in (
        ("objetos_pendentes", evidence.facts.not_through, "Há "),
        ("dedup", evidence.failed_folds, "O dedup falhou: "),
    ):
        situation = Situation.FALHA if problems else Situation.OK
        text = f"{said}{'; '.join(problems)}."
        rows.append(row(None, measure, None, float(len(problems)), None, situation, text))
    return rows


def labels(evidence: Evidence) -> list[QualityRow]:
    """Name labels without a column, and core labels that pages lack."""
    rows = []
    for kind in Kind:
        batches = [entry for entry, _ in evidence.ledger.batches if entry.kind is kind]
        read = sum(said.outcome is Outcome.READ for entry in batches for said in entry.papers.values())
        if not read:
            continue
        table = SOR[kind]
        for label, (papers, example) in sorted(_counted(batches, "labels").items()):
            on = f"{number(papers)} de {number(read)} páginas de {PAPERS[kind]}, como {example}"
            said = f'O rótulo "{label}" não tem coluna, e está em {on}.'
            rows.append(row(table, "rotulo_novo", label, float(papers), float(read), Situation.AVISO, said))
        for label, (papers, example) in sorted(_counted(batches, "lacking").items()):
            situation = Situation.FALHA if papers >= read else Situation.AVISO
            on = f"{number(papers)} de {number(read)} páginas de {PAPERS[kind]}, como {example}"
            said = f'O rótulo "{label}" falta em {on}.'
            rows.append(row(table, "rotulo_ausente", label, float(papers), float(read), situation, said))
        for measure in ("rotulo_novo", "rotulo_ausente"):
            if not any(one.medida == measure and one.tabela == table for one in rows):
                rows.append(row(table, measure, None, 0.0, float(read), Situation.OK, ""))
    return rows


def _counted(batches: list[BatchEntry], which: str) -> dict[str, tuple[int, str]]:
    """Return for each label how many papers it is a matter of, and the first of them."""
    found: dict[str, tuple[int, str]] = {}
    for entry in batches:
        of_entry: Mapping[str, Mapping[str, object]] = getattr(entry, which)
        for label, said in of_entry.items():
            papers, example = found.get(label, (0, str(said["example"])))
            found[label] = (papers + int(str(said["papers"])), min(example, str(said["example"])))
    return found


def archive(evidence: Evidence) -> list[QualityRow]:
    """Count pages that could not be kept: those of papers, and the listing of each kind."""
    listed = evidence.ledger.listing
    papers = sum(len(entry.papers) for entry, _ in evidence.ledger.batches if not entry.archived)
    listings = len(Kind) if listed is not None and not listed.archived else 0
    lost = [f"{number(papers)} de papéis"] * bool(papers) + [f"{listings} de listagens"] * bool(listings)
    said = f"Páginas que não foram guardadas no arquivo, sem as quais o dia não se refaz: {' e '.join(lost)}."
    situation = Situation.AVISO if lost else Situation.OK
    return [row(None, "paginas_nao_guardadas", None, float(papers + listings), None, situation, said)]


def dead_letters(evidence: Evidence) -> list[QualityRow]:
    """Hold what lies in the dead-letter queues against the day before."""
    before = last_value(evidence.earlier, DEAD_LETTERS)
    situation = Situation.AVISO if evidence.dead_letters > (before or 0) else Situation.OK
    said = f"Mensagens mortas nas filas: {number(evidence.dead_letters)}, e antes {number(before or 0)}."
    return [row(None, DEAD_LETTERS, None, float(evidence.dead_letters), before, situation, said)]


def duplicates(evidence: Evidence) -> list[QualityRow]:
    """Record how many rows were there twice."""
    return [row(None, "duplicatas", None, float(evidence.duplicates), None, Situation.OK, "")]


MEASURES = (listing, missing, not_through, labels, archive, dead_letters, duplicates)
