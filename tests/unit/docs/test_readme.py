"""The generated pages agree with the code, and both READMEs agree with each other."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parents[3]
READMES = ("README.md", "README.pt-BR.md")


def test_the_pages_of_inputs_outputs_and_indicators_match_the_code() -> None:
    command = [sys.executable, ROOT / "docs" / "tables.py", "--check"]

    assert subprocess.run(command, capture_output=True, text=True, check=False).stderr == ""
    assert "| `reader_policy_json` | " in (ROOT / "docs" / "inputs.md").read_text(encoding="utf-8")
    assert "| Dív Líq / Patrim |" in (ROOT / "docs" / "indicadores.md").read_text(encoding="utf-8")


def readmes() -> tuple[str, str]:
    """Return the English and the Portuguese README."""
    english, portuguese = ((ROOT / name).read_text(encoding="utf-8") for name in READMES)
    return english, portuguese


def blocks(text: str) -> list[str]:
    """Return a README's code blocks without comments and without the diagram, whose labels are translated."""
    code = re.findall(r"^```.*?^```$", text, re.DOTALL | re.MULTILINE)
    return [re.sub(r" +# .*", "", block) for block in code if not block.startswith("```mermaid")]


def sections(text: str) -> list[str]:
    """Return a README's sections without code blocks; the first section is the text before any heading."""
    return re.split(r"^## .*$", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE), flags=re.M)


def facts(section: str) -> dict[str, Counter[str]]:
    """Count the parts of a section that are equal in both languages, such as code words and link targets."""
    links = re.findall(r"\]\(([^)\s#]+)", section)
    cells = re.findall(r"(?<=\|) [*]{0,2}(\d+[.,]\d+)[*]{0,2} (?=\|)", section)
    return {
        "code": Counter(re.findall(r"`([^`\n]+)`", section)),
        "links": Counter(link for link in links if link not in READMES),
        "numbers": Counter(cell.replace(",", ".") for cell in cells),
        "lines": Counter(line[:2] for line in section.splitlines() if line.startswith(("- ", "| "))),
    }


def test_the_portuguese_readme_has_the_code_of_the_english_one() -> None:
    english, portuguese = map(blocks, readmes())

    assert english
    assert portuguese == english


def test_each_section_of_the_portuguese_readme_names_the_same_facts_as_the_english_one() -> None:
    english, portuguese = map(sections, readmes())

    assert len(portuguese) == len(english)
    for ours, theirs in zip(portuguese, english, strict=True):
        assert facts(ours) == facts(theirs)


def test_each_readme_links_to_the_other() -> None:
    english, portuguese = readmes()

    assert "(README.pt-BR.md)" in english.partition("\n## ")[0]
    assert "(README.md)" in portuguese.partition("\n## ")[0]


def test_each_readme_has_at_most_a_thousand_words_and_names_the_newest_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

    for readme in readmes():
        assert len(readme.split()) <= 1000
        assert re.findall(r"\?ref=([\w.]+)", readme) == [f"v{version}"]
