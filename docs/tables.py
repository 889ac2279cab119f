"""Write the documents generated from the code: docs/inputs.md and docs/indicadores.md.

The inputs and outputs come from ``variables.tf`` and ``outputs.tf``. The indicators come from the data
contract in ``glue/schemas``. ``python docs/tables.py`` rewrites both documents. With ``--check`` the command
fails if a document is stale.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import hcl2

ROOT = Path(__file__).resolve().parents[1]
INPUTS = ROOT / "docs" / "inputs.md"
INDICATORS = ROOT / "docs" / "indicadores.md"
KINDS = {"Ações": "acoes", "Fundos imobiliários": "fiis"}
TYPES = {
    "string": "texto",
    "date": "data",
    "timestamp": "data e hora",
    "bigint": "inteiro",
    "double": "número",
}
INPUTS_PAGE = """# Inputs and outputs

`make docs` writes this page from `variables.tf` and `outputs.tf`: do not edit it.

## Inputs

{inputs}

## Outputs

{outputs}
"""
INTRODUCTION = """# Dicionário dos indicadores

Este arquivo é escrito por `make docs` a partir do contrato de dados (`glue/schemas`): não o edite à mão.

Estas são as colunas das tabelas preparadas (SoT): o rótulo na página do ativo no site, o significado e a
unidade, o tipo, e desde ou até quando o site as mostra (vazio: sempre). As tabelas brutas (SoR) têm as mesmas
colunas, como texto, do jeito que está na página. Uma célula vazia ou com `-` no site é nula na SoT. Colunas
`pct_*` são frações: −0,0131 é −1,31%. As outras porcentagens estão em pontos percentuais: 17,5 é 17,5%. As
variações por ano são as do ano da execução e dos cinco anteriores.
"""


def _unquote(value: Any) -> Any:
    """Remove the quotes, or ``${}``, that hcl2 puts around a value."""
    if isinstance(value, str):
        if value.startswith('"'):
            return json.loads(value)
        return re.sub(r"^\$\{(.*)\}$", r"\1", value, flags=re.DOTALL)
    if isinstance(value, list):
        return [_unquote(item) for item in value]
    if isinstance(value, dict):
        return {_unquote(key): _unquote(item) for key, item in value.items() if key != "__is_block__"}
    return value


def _blocks(path: Path, kind: str) -> dict[str, dict[str, Any]]:
    """Return a Terraform file's blocks of type `kind`: a map from name to block, in the order of the file."""
    with path.open(encoding="utf-8") as file:
        content = hcl2.load(file)
    return {_unquote(name): _unquote(body) for block in content.get(kind, []) for name, body in block.items()}


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _default(body: dict[str, Any]) -> str:
    if "default" not in body:
        return "required"
    return f"`{json.dumps(body['default'], ensure_ascii=False)}`"


def inputs_table(variables: Path) -> str:
    """Return the Markdown table of the variables in a ``variables.tf``."""
    rows = [
        [f"`{name}`", body["description"], f"`{body['type']}`", _default(body)]
        for name, body in _blocks(variables, "variable").items()
    ]
    return _table(["Input", "What it is", "Type", "Default"], rows)


def outputs_table(outputs: Path) -> str:
    """Return the Markdown table of the outputs in an ``outputs.tf``."""
    rows = [[f"`{name}`", body["description"]] for name, body in _blocks(outputs, "output").items()]
    return _table(["Output", "What it is"], rows)


def inputs() -> str:
    """Return the page of the module's inputs and outputs."""
    page = INPUTS_PAGE.format(
        inputs=inputs_table(ROOT / "variables.tf"), outputs=outputs_table(ROOT / "outputs.tf")
    )
    return page.replace("](docs/", "](")  # links in descriptions start at the repository's root


def _columns(table: str) -> dict[str, dict[str, Any]]:
    schema = json.loads((ROOT / "glue" / "schemas" / f"{table}.json").read_text(encoding="utf-8"))
    return {column["name"]: column for column in schema["columns"]}


def _shown(column: dict[str, Any]) -> str:
    since, until = column.get("since"), column.get("until")
    return ", ".join([f"desde {since}"] * bool(since) + [f"até {until}"] * bool(until))


def indicators() -> str:
    """Return the page of indicators, with each column's name, label on the site, meaning, type and dates."""
    parts = [INTRODUCTION]
    for title, kind in KINDS.items():
        prepared = f"tbsot_fundamentus_indicadores_{kind}_prep"
        labels = _columns(f"tbsor_fundamentus_indicadores_{kind}_raw")
        rows = [
            [
                f"`{name}`",
                labels[name].get("label") or "",
                column["comment"],
                TYPES[column["type"]],
                _shown(labels[name]),
            ]
            for name, column in _columns(prepared).items()
        ]
        header = ["Coluna", "Rótulo no site", "O que é", "Tipo", "No site"]
        parts.append(f"## {title} (`{prepared}`)\n\n{_table(header, rows)}\n")
    return "\n".join(parts)


def main() -> int:
    """Rewrite the stale documents, or with ``--check`` only print their names."""
    wanted = {INPUTS: inputs(), INDICATORS: indicators()}
    stale = [
        path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is stale; run `make docs`", file=sys.stderr)
        return int(bool(stale))
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
