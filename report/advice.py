"""Advice in Portuguese for each remark of a day; docs/quality.md has the advice in English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_ASK_AGAIN = (
    'Peça de novo o que falta, antes do próximo pregão: invoque a função get-tickers com {{"anomesdia_exec": '
    '{day}, "only_missing": true}} e depois inicie o fluxo com {{"anomesdia_exec": {day}}}. Se o lake usa o '
    "coletor, rode-o de novo para o dia (docs/collector.md)."
)
_REFUSED = (
    "Se o site recusou a listagem e isso se repetir nos próximos dias, ele recusa o endereço da AWS: um "
    "coletor no seu computador pode buscar as páginas (docs/collector.md)."
)
_LAYOUT = (
    "Páginas de formato desconhecido não devem ser pedidas de novo: atualize o módulo e leia as páginas "
    "arquivadas (docs/operations.md, “When the site changes”)."
)
_GONE = (
    "Se o site disse que não tem mais um ativo e agora mostra a página dele: leia-o de novo no mesmo dia, "
    "com `tickers` (docs/operations.md, “Run today again”) ou com a opção --again do coletor."
)
_READ_BEFORE = (
    "O preço de alguns ativos pode ser do pregão anterior ou de antes do fechamento. O coletor só pede de "
    "novo as páginas deles com a opção --again."
)
_MEANING = (
    "Compare uma página do site com a linha do ativo: uma vírgula mudou de lugar, colunas trocaram ou o site "
    "mudou a unidade (docs/operations.md, “When the site changes”)."
)
_LABELS = "O site acrescentou ou renomeou algo: veja docs/operations.md, “When the site changes”."
_SESSIONS = (
    "O site estava atrasado ou mudava de pregão durante a leitura: confira a data da cotação de cada ativo."
)
_LATE = "Se o lake usa o coletor, rode-o de novo: o site talvez já mostre o pregão do dia."

ADVICE: Mapping[str, tuple[str, ...]] = {
    "listagem": ("Se só houve uma execução parcial: rode o dia inteiro, no mesmo dia.", _ASK_AGAIN, _REFUSED),
    "papeis_listados": ("Confira a listagem no site.", _ASK_AGAIN),
    "listagem_ilegivel": ("Veja nos logs da etapa 2, em `unreadable_rows`, o que a listagem mostra.",),
    "linhas": (_ASK_AGAIN,),
    "papeis_faltando": (_ASK_AGAIN, _LAYOUT, _GONE),
    "releitura": (_READ_BEFORE, _ASK_AGAIN),
    "objetos_pendentes": ("Refaça o dia a partir da SoR (docs/operations.md, “Rebuild a day from SoR”).",),
    "dedup": ('Inicie o fluxo de novo com {{"anomesdia_exec": {day}}}.',),
    "rotulo_novo": (_LABELS,),
    "rotulo_ausente": (_LABELS,),
    "preenchimento": ("Veja em uma página do site se ele renomeou ou esvaziou algo.",),
    "ilegiveis": ("O site escreve um número ou uma data de outro modo: o texto está na tabela SoR.",),
    "sessao_repetida": (_SESSIONS, _LATE),
    "sessao": (_SESSIONS,),
    "preco_listagem": (_SESSIONS, _MEANING),
    "preco_fora_52_semanas": (_MEANING,),
    "mediana": (_MEANING,),
    "p_sobre_vp_vezes_vpa": (_MEANING,),
    "p_sobre_l_vezes_lpa": (_MEANING,),
    "cotacao_vezes_papeis": (_MEANING,),
    "paginas_nao_guardadas": (
        "Veja nos logs por que páginas não foram arquivadas: o dia não pode ser lido de novo a partir delas.",
    ),
    "objetos_estranhos": ("Apague os objetos estranhos, e impeça que outros programas gravem ali.",),
    "dias_sem_registro": (
        "Registre estes dias no catálogo (docs/operations.md, “Register days that the catalog lacks”).",
    ),
    "fila_morta": ("Veja as mensagens das filas de falhas (docs/operations.md, “Failure queues”).",),
}
_OTHER = "docs/quality.md explica cada aviso."


def advice(measures: Iterable[str], day: int) -> list[str]:
    """Return the advice for a day's remarks, without repeated texts.

    The advice for an unknown remark refers to docs/quality.md.

    Parameters
    ----------
    measures
        Column ``medida`` of each remark, with the worst remark first.
    day
        The run day, ``YYYYMMDD``.
    """
    said = [text for measure in measures for text in ADVICE.get(measure, (_OTHER,))]
    return [text.format(day=day) for text in dict.fromkeys(said)]
