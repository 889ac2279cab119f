"""The module and the examples use only arguments that all releases in ``provider_arguments.json`` have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import provider_arguments
import pytest
from provider_arguments import FOLDERS, PROJECT, set_here

from sandbox.terraform import Terraform, provider_env

CONTENT = json.loads(provider_arguments.FILE.read_text(encoding="utf-8"))
RELEASES = CONTENT["releases"]

META_ARGUMENTS = {"count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"}
READ = re.compile(r"(?<![\w.])((?:data\.)?aws_\w+)\.\w+(?:\[(?:[^\[\]]|\[[^\[\]]*\])*\])?\.(\w+)")

Arguments = set[tuple[str, str, str]]
"""Type, path of the block with dots, and name of the argument; "" means the block itself."""
Attributes = set[tuple[str, str]]
"""Type and name."""


def arguments_in(body: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and the name of every argument and every nested block."""
    yield path, ""
    for name, value in body.items():
        if name == "dynamic":
            inner = [(label, block["content"][0]) for item in value for label, block in item.items()]
        elif isinstance(value, list) and value and isinstance(value[0], dict) and "__is_block__" in value[0]:
            inner = [(name, block) for block in value]
        else:
            inner = []
            if name != "__is_block__":
                yield path, name
        for label, block in inner:
            yield from arguments_in(block, f"{path}.{label}".lstrip("."))


@pytest.fixture(scope="module")
def types() -> set[str]:
    return {name for name, _ in set_here()}


@pytest.fixture(scope="module")
def used() -> Arguments:
    """Return all arguments that the module and the examples set."""
    return {
        (name, path, argument)
        for name, body in set_here()
        for path, argument in arguments_in({key: body[key] for key in body.keys() - META_ARGUMENTS})
    }


@pytest.fixture(scope="module")
def read() -> Attributes:
    """Return every attribute that the Terraform files read from a resource or a data source."""
    files = (path for folder in FOLDERS for path in folder.glob("*.tf"))
    return {found for path in files for found in READ.findall(re.sub(r"#.*", "", path.read_text()))}


def test_arguments_in_nested_and_dynamic_blocks_are_found(used: Arguments, read: Attributes) -> None:
    assert {
        ("aws_s3_bucket", "", "force_destroy"),
        ("aws_glue_catalog_table", "storage_descriptor.ser_de_info", "serialization_library"),
        ("aws_glue_catalog_table", "storage_descriptor.columns", "comment"),
        ("data.aws_iam_policy_document", "statement.condition", "variable"),
        ("provider", "", "region"),
    } <= used
    assert {("data.aws_caller_identity", "account_id"), ("aws_lambda_function", "arn")} <= read


@pytest.mark.parametrize("version", RELEASES)
def test_the_release_has_each_type(version: str, types: set[str]) -> None:
    assert set(RELEASES[version]["types"]) == types


@pytest.mark.parametrize("version", RELEASES)
def test_the_release_has_each_argument_that_is_set(version: str, used: Arguments) -> None:
    known = {
        (name, path, argument)
        for name, described in RELEASES[version]["types"].items()
        for path, arguments in described["arguments"].items()
        for argument in ("", *arguments.split())
    }

    assert used - known == set()


@pytest.mark.parametrize("version", RELEASES)
def test_the_release_has_each_attribute_that_is_read(version: str, read: Attributes) -> None:
    known = {
        (name, attribute)
        for name, described in RELEASES[version]["types"].items()
        for attribute in (
            *described["attributes"].split(),
            *described["arguments"][""].split(),
            *described["arguments"],
        )
    }

    assert read - known == set()


def test_no_used_argument_or_attribute_is_deprecated(used: Arguments, read: Attributes) -> None:
    deprecated = {
        (name, one) for name, names in CONTENT["deprecated"]["types"].items() for one in names.split()
    }

    assert deprecated & {(name, f"{path}.{argument}".strip(".")) for name, path, argument in used} == set()
    assert deprecated & read == set()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(PROJECT)))
def test_the_file_has_the_oldest_supported_release_and_one_of_the_newest_major(folder: Path) -> None:
    least, newest = RELEASES
    claimed = re.search(r'^ +version = "(.*)"$', (folder / "versions.tf").read_text(), re.M)

    assert claimed
    assert claimed[1] == f">= {least.removesuffix('.0')}, < {int(newest.split('.')[0]) + 1}.0"


@pytest.mark.full
@pytest.mark.parametrize("version", RELEASES)
def test_the_file_matches_the_bindings(version: str) -> None:
    assert RELEASES[version] == provider_arguments.release(version)


@pytest.mark.full
@pytest.mark.terraform
def test_the_bindings_match_the_schema_of_the_provider(types: set[str], tmp_path: Path) -> None:
    sources = provider_arguments.download("cdktf-cdktf-provider-aws==20.1.0")
    pinned = {"aws": {"source": "hashicorp/aws", "version": sources["version"]}}
    (tmp_path / "main.tf.json").write_text(json.dumps({"terraform": {"required_providers": pinned}}))
    terraform = Terraform(tmp_path, tmp_path / "data", provider_env(PROJECT / ".local"))
    terraform.run("init")
    (schema,) = json.loads(terraform.run("providers", "schema", "-json")[1])["provider_schemas"].values()
    blocks = {name: described["block"] for name, described in schema["resource_schemas"].items()} | {
        f"data.{name}": described["block"] for name, described in schema["data_source_schemas"].items()
    }

    for name in types - {"provider"}:
        arguments, attributes = arguments_of(blocks[name]), set(blocks[name]["attributes"])
        assert provider_arguments.arguments(sources[name]) == arguments, name
        assert provider_arguments.attributes(sources[name]) == sorted(attributes - set(arguments[""])), name


def arguments_of(block: dict[str, Any], path: str = "") -> dict[str, list[str]]:
    """Return the arguments of a schema block and of its nested blocks, by path."""
    attributes = block.get("attributes", {}).items()
    found = {path: sorted(name for name, one in attributes if one.get("optional") or one.get("required"))}
    for name, inner in block.get("block_types", {}).items():
        found |= arguments_of(inner["block"], f"{path}.{name}".lstrip("."))
    return found
