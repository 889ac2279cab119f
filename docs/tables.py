"""Write the README's tables of inputs and outputs from ``variables.tf`` and ``outputs.tf``.

``python docs/tables.py`` rewrites them; ``python docs/tables.py --check`` fails when they are stale.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import hcl2

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"


def _unquote(value: Any) -> Any:
    """Turn what hcl2 gives for an expression into the value or text that was written."""
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
    """Read the blocks of one kind of a Terraform file, by name, in the file's order."""
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
    """Return the Markdown table of the variables that a ``variables.tf`` declares."""
    rows = [
        [f"`{name}`", body["description"], f"`{body['type']}`", _default(body)]
        for name, body in _blocks(variables, "variable").items()
    ]
    return _table(["Input", "What it is", "Type", "Default"], rows)


def outputs_table(outputs: Path) -> str:
    """Return the Markdown table of the outputs that an ``outputs.tf`` declares."""
    rows = [[f"`{name}`", body["description"]] for name, body in _blocks(outputs, "output").items()]
    return _table(["Output", "What it is"], rows)


def render(readme: str) -> str:
    """Return the README's text with both tables as the code has them."""
    tables = {
        "inputs": inputs_table(ROOT / "variables.tf"),
        "outputs": outputs_table(ROOT / "outputs.tf"),
    }
    for name, table in tables.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        readme, count = re.subn(
            pattern, lambda match, table=table: f"{match[1]}{table}\n{match[2]}", readme, flags=re.DOTALL
        )
        if count != 1:
            raise ValueError(f"README.md has {count} places marked <!-- {name} -->, expected one")
    return readme


def main() -> int:
    """Rewrite the tables, or with ``--check`` say whether they are stale."""
    current = README.read_text(encoding="utf-8")
    wanted = render(current)
    if "--check" in sys.argv[1:]:
        if current != wanted:
            print("README.md: the tables of inputs and outputs are stale; run `make docs`", file=sys.stderr)
            return 1
        return 0
    README.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
