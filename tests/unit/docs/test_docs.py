"""All names in the documentation exist, and all commands and options for users are documented."""

from __future__ import annotations

import ast
import re
from argparse import ArgumentParser
from pathlib import Path

import pytest
import tomllib

import collector.__main__
import report.__main__
from collector.errors import CollectorError
from legs import LEGS
from sandbox import checks, console, local, site
from sandbox.day import Day
from sandbox.emulator import Emulator

PROJECT = Path(__file__).resolve().parents[3]
DOCUMENTS = [*sorted(PROJECT.glob("*.md")), *sorted((PROJECT / "docs").glob("*.md"))]
PRODUCT = (
    "*.tf",
    "glue/**/*.tf",
    "glue/**/*.json",
    "lambda/**/*.tf",
    "lambda/**/*.py",
    "athena/**/*.tf",
    "athena/**/*.sql",
)

SUFFIXES = r"\.(?:py|tf|md|json|ya?ml|toml|txt)"
MADE = (".local/", ".build/", ".venv/")
"""Paths that the commands create; a clone does not contain these paths."""
NO_PATHS = {"hashicorp/aws"}


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def in_backticks(text: str) -> set[str]:
    """Return the texts in backticks, without code blocks."""
    return set(re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)))


def links(text: str) -> set[str]:
    """Return the targets of links within the repository."""
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return {target for target in targets if not re.match(r"https?:", target)}


def paths(text: str) -> set[str]:
    """Return the texts that look like a path of the repository."""
    found = {
        word for word in in_backticks(text) if re.fullmatch(rf"[\w./*-]+/[\w./*-]*|[\w.*-]+{SUFFIXES}", word)
    }
    return {word for word in found - NO_PATHS if not word.startswith(MADE)}


def commands(text: str) -> set[str]:
    """Return the make targets in the text."""
    lines = re.findall(r"(?:^|`)make((?: +[^\s`#]+)+)", text, re.MULTILINE)
    words = {word for line in lines for word in re.sub(r'\w+="[^"]*"?', "", line).split()}
    return {word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)}


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def names(text: str) -> set[str]:
    """Return the names in backticks that have an underscore, such as inputs, outputs, tables and columns."""
    return {word for word in in_backticks(text) if re.fullmatch(r"[a-z]\w*_\w+", word)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_link_within_the_repository_leads_somewhere(document: Path) -> None:
    assert links(text_of(PROJECT / "README.md"))
    for target in links(text_of(document)):
        file, _, anchor = target.partition("#")
        path = (document.parent / file).resolve() if file else document

        assert path.exists(), f"{document.name} links to {target}"
        assert not anchor or anchor in anchors(text_of(path)), f"{document.name} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_path_that_is_named_exists(document: Path) -> None:
    assert "lambda/src/" in paths(text_of(PROJECT / "docs" / "architecture.md"))
    missing = {path for path in paths(text_of(document)) if not any(PROJECT.glob(path.rstrip("/")))}

    assert not missing, (
        f"{document.name} names a path that does not exist; write paths from the repository's root"
    )


def test_every_target_of_make_is_documented_and_every_documented_one_exists() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):.*## ", makefile, re.MULTILINE))
    documented = {target for document in DOCUMENTS for target in commands(text_of(document))}

    assert {"run", "test", "docs"} <= targets
    assert documented == targets


def test_every_leg_of_test_all_is_documented_and_every_documented_one_exists() -> None:
    _, _, table = text_of(PROJECT / "CONTRIBUTING.md").partition("| leg |")
    named = [line.split("|")[1] for line in table.partition("\n\n")[0].splitlines()[2:]]

    assert {name for cell in named for name in re.findall(r"`([^`]+)`", cell)} == set(LEGS)


@pytest.mark.parametrize(
    ("page", "parser"),
    [("collector.md", collector.__main__._parser()), ("report.md", report.__main__._parser())],
    ids=["collector", "report"],
)
def test_every_option_is_documented_once_and_every_documented_one_exists(
    page: str, parser: ArgumentParser
) -> None:
    options = {option for action in parser._actions for option in action.option_strings}

    documented = re.findall(r"^\| `(--[a-z]+)` \|", text_of(PROJECT / "docs" / page), re.MULTILINE)
    assert sorted({*documented, "--help"}) == sorted(options - {"-h"})
    assert len(set(documented)) == len(documented)


def test_every_exit_status_of_the_collector_is_documented_once_and_every_documented_one_exists() -> None:
    statuses = [error.status for error in CollectorError.__subclasses__()]

    documented = re.findall(r"^\| (\d+) \|", text_of(PROJECT / "docs" / "collector.md"), re.MULTILINE)
    assert sorted(map(int, documented)) == sorted([*statuses, 0, 2, collector.__main__.INTERRUPTED])
    assert len(set(documented)) == len(documented)


@pytest.mark.parametrize(("section", "folder"), [("Views", "views"), ("Consultas salvas", "queries")])
def test_every_view_and_named_query_is_documented_and_every_documented_one_exists(
    section: str, folder: str
) -> None:
    _, _, text = text_of(PROJECT / "docs" / "queries.md").partition(f"\n## {section}\n")
    documented = re.findall(r"^\| `([\w-]+)` \|", text.partition("\n## ")[0], re.MULTILINE)
    files = (PROJECT / "athena" / folder).glob("*.sql")

    assert sorted(documented) == sorted(path.stem for path in files)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_name_in_the_documentation_occurs_in_the_product(document: Path) -> None:
    product = "\n".join(path.read_text("utf-8") for pattern in PRODUCT for path in PROJECT.glob(pattern))
    words = set(re.findall(r"\w+", product)) | {f"db_pynvest_{layer}" for layer in ("sor", "sot", "spec")}

    assert "bucket_names_map" in words
    assert "unknown_labels" in names(text_of(PROJECT / "docs" / "operations.md"))
    # The first two names are Terraform's own. The third name is a removed input.
    assert not names(text_of(document)) - words - {"depends_on", "mock_provider", "dedup_wait_max_attempts"}


def test_a_command_that_may_wait_for_the_site_is_sent_once() -> None:
    """The AWS CLI repeats a request after 60 s without an answer. The site's listings take up to 120 s."""
    commands = [
        command
        for document in DOCUMENTS
        for command in re.findall(r"aws lambda invoke .*?/dev/stdout", text_of(document), re.DOTALL)
        if "'{}'" in command or "only_missing" in command
    ]

    assert commands
    assert [command for command in commands if "--cli-read-timeout 300 " not in command] == []


def test_the_version_is_the_newest_of_the_changelog() -> None:
    versions = re.findall(r"^## \[(\d.*?)\]", text_of(PROJECT / "CHANGELOG.md"), re.M)

    assert versions[0] == tomllib.loads(text_of(PROJECT / "pyproject.toml"))["project"]["version"]


def test_the_documented_test_of_a_lake_calls_existing_functions_of_the_sandbox() -> None:
    block = re.findall(r"```python\n(.*?)```", (PROJECT / "docs" / "local.md").read_text("utf-8"), re.DOTALL)
    calls = [node.func for node in ast.walk(ast.parse("".join(block))) if isinstance(node, ast.Call)]
    called = {call.attr if isinstance(call, ast.Attribute) else ast.unparse(call) for call in calls}
    places = (checks, console, local, site, local.LocalLake, Day, Emulator)

    assert called >= {"SiteServer", "LocalLake", "check_assets"}
    assert {name for name in called if not any(hasattr(place, name) for place in places)} <= {
        "Path",
        "values",
    }
