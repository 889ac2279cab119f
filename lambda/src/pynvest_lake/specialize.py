"""Converts rows of a kind's SoT table to rows of the Spec table, which holds stocks and funds."""

from __future__ import annotations

import pyarrow as pa

from b3.kind import Kind
from pynvest_lake.contract import SPEC_ATIVOS, table_schema

_LABELS = {Kind.ACOES: "Ação", Kind.FIIS: "Fundo Imobiliário"}
"""The values of ``tipo_ativo``."""
# Spec columns that have another name in SoT.
_SOT_COLUMNS = {
    Kind.ACOES: {
        "codigo_ticker_ativo": "nome_papel",
        "nome_ativo": "nome_empresa",
        "nome_setor_segmento": "nome_setor",
    },
    Kind.FIIS: {
        "codigo_ticker_ativo": "fii",
        "nome_ativo": "nome_fii",
        "nome_setor_segmento": "segmento",
    },
}


def specialize(sot: pa.Table, kind: Kind) -> pa.Table:
    """Convert a kind's SoT rows to Spec rows.

    Returns
    -------
    pyarrow.Table
        The rows of `sot`, in the same order, with the schema of the Spec table.
    """
    schema = table_schema(SPEC_ATIVOS).arrow
    renamed = _SOT_COLUMNS[kind]
    sot = sot.append_column("tipo_ativo", pa.repeat(_LABELS[kind], len(sot)))
    return pa.table([sot[renamed.get(name, name)] for name in schema.names], schema=schema)
