"""Write ``provider_arguments.json``: ``python tests/terraform/provider_arguments.py``.

The file describes releases of the AWS provider. No test runs these releases. For each release, the file lists
the arguments and attributes of the types that the module or an example uses. This program reads CDK bindings
from PyPI. The bindings are generated from the schemas of the provider's releases.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import hcl2
from hcl2.utils import SerializationOptions

PROJECT = Path(__file__).resolve().parents[2]
FILE = PROJECT / "tests" / "terraform" / "provider_arguments.json"
FOLDERS = [
    path.parent
    for pattern in ("versions.tf", "*/versions.tf", "examples/*/versions.tf")
    for path in sorted(PROJECT.glob(pattern))
]

BINDINGS = {"5.80.0": "cdktf-cdktf-provider-aws==19.46.0", "6.69.1": "cdktn-provider-aws==25.8.1"}
"""The bindings by provider release: the oldest supported release, and the newest release with bindings."""

KIND = re.compile(r"^class \w+ extends cdkt[fn]\.Terraform(Provider|Resource|DataSource) ", re.MULTILINE)
TYPE = re.compile(r'tfResourceType = "(\w+)"')
OUTERMOST = re.compile(r"^    synthesizeHclAttributes\(\) \{\n(.*?)^    \}", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
ARGUMENT = re.compile(r"^ +(\w+): \{\n +value: (.*),\n +isBlock: (true|false),", re.MULTILINE)
BLOCK_OF_ARGUMENT = re.compile(r"(?<![.\w])(\w+)ToHclTerraform")
READ = re.compile(r"""this\.get\w+Attribute\('(\w+)'\)|= new \w+\(this, ["'](\w+)["']""")
LINE = re.compile(r'^( +"[\w.]+": )(\{\n +"arguments": \{.*?\},\n +"attributes": .*?\n +\})', re.M | re.S)


@cache
def set_here() -> list[tuple[str, dict[str, Any]]]:
    """Return type and body of each resource, data source and provider in the module and the examples.

    The type is "aws_s3_bucket", "data.aws_partition" or "provider". The list leaves out Terraform's own
    types.
    """
    options = SerializationOptions(with_comments=False, strip_string_quotes=True)
    found = []
    for path in (path for folder in FOLDERS for path in folder.glob("*.tf")):
        with path.open(encoding="utf-8") as file:
            content = hcl2.load(file, serialization_options=options)
        found += [("provider", body) for block in content.get("provider", []) for body in block.values()]
        for kind, prefix in (("resource", ""), ("data", "data.")):
            for name, named in (item for block in content.get(kind, []) for item in block.items()):
                if name.startswith("aws_"):
                    found += [(prefix + name, body) for body in named.values()]
    return found


def download(requirement: str) -> dict[str, str]:
    """Return the JavaScript of each type in the CDK bindings. The key "version" has the provider release."""
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps")
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([*pip, "--only-binary=:all:", f"--dest={directory}", requirement], check=True)
        (wheel,) = Path(directory).iterdir()
        with zipfile.ZipFile(wheel) as archive:
            (inner,) = (name for name in archive.namelist() if name.endswith(".jsii.tgz"))
            with archive.open(inner) as stream, tarfile.open(fileobj=stream, mode="r:gz") as package:
                return dict(_members(package))


def _members(package: tarfile.TarFile) -> Iterator[tuple[str, str]]:
    for member in package:
        if member.name == "package/package.json":
            yield "version", json.load(package.extractfile(member))["cdktf"]["provider"]["version"]
        elif re.fullmatch(r"package/lib/[^/]+/index\.js", member.name):
            source = package.extractfile(member).read().decode().partition("//# sourceMappingURL=")[0]
            if (kind := KIND.search(source)) and (name := TYPE.search(source)):
                names = {"Provider": "provider", "Resource": name[1], "DataSource": f"data.{name[1]}"}
                yield names[kind[1]], source


def arguments(source: str) -> dict[str, list[str]]:
    """Return a type's arguments by block path, such as "rule.filter".

    The key "" has the arguments that are in no block.
    """
    bodies = dict(BLOCK.findall(source))
    found: dict[str, list[str]] = {}

    def add(path: str, body: str) -> None:
        found[path] = []
        for name, value, is_block in sorted(ARGUMENT.findall(body)):
            if is_block == "true":
                add(f"{path}.{name}".lstrip("."), bodies[BLOCK_OF_ARGUMENT.search(value)[1]])
            else:
                found[path].append(name)

    add("", OUTERMOST.search(source)[1])
    return found


def attributes(source: str) -> list[str]:
    """Return a type's read-only attributes."""
    own = source[KIND.search(source).end() : source.rindex("    synthesizeAttributes() {")]
    known = arguments(source)
    return sorted({one or other for one, other in READ.findall(own)} - {*known, *known[""]})


def release(version: str) -> dict[str, Any]:
    """Return the file's entry for a provider release."""
    sources = download(BINDINGS[version])
    if sources["version"] != version:
        raise ValueError(f"{BINDINGS[version]} is of {sources['version']}, not of {version}")
    types = {
        name: {
            "arguments": {path: " ".join(names) for path, names in arguments(sources[name]).items()},
            "attributes": " ".join(attributes(sources[name])),
        }
        for name in sorted({name for name, _ in set_here()} & sources.keys())
    }
    return {"source": BINDINGS[version], "types": types}


def text_of(content: Mapping[str, Any]) -> str:
    """Return the text of the file, with one line per type."""
    return (
        LINE.sub(lambda found: found[1] + json.dumps(json.loads(found[2])), json.dumps(content, indent=1))
        + "\n"
    )


def main() -> None:
    """Update `FILE` from the CDK bindings. Keep the deprecated entries, which are written by hand."""
    content = json.loads(FILE.read_text(encoding="utf-8"))
    content["releases"] = {version: release(version) for version in BINDINGS}
    FILE.write_text(text_of(content), encoding="utf-8")


if __name__ == "__main__":
    main()
