"""The files of the module's consumer: the module's git repository, and clean checkouts of a root module."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.terraform import find_terraform

PROJECT = Path(__file__).resolve().parents[2]
MODULE = ("glue", "lambda", "stepfunctions", "eventbridge", "athena")
DEFAULT_TAGS = {f"of-the-company-{number}": "value" for number in range(1, 12)}
"""The consumer's provider sets one more tag than S3 objects accept."""
SETTINGS = {
    "TF_IN_AUTOMATION": "1",
    "TF_INPUT": "0",
    "CHECKPOINT_DISABLE": "1",
    "TF_VAR_fundamentus_base_url": "http://127.0.0.1:9",
}
"""Environment variables of each checkout: Terraform asks nothing, and the site does not answer."""


class ModuleRepository:
    """A git repository with versions of the module. Version v1 is a copy of this project."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True)
        copy_module(directory)
        self._git("init", "--quiet")
        self.publish("v1")

    def publish(
        self,
        version: str,
        change: Callable[[Path], object] = lambda directory: None,
        based_on: str | None = None,
    ) -> None:
        """Change the module, and commit the result as a new version."""
        if based_on:
            self._git("checkout", "--quiet", "--force", based_on)
        change(self.directory)
        self._git("add", "--all")
        author = ("-c", "user.name=test", "-c", "user.email=test@example.com")
        self._git(*author, "commit", "--quiet", "--allow-empty", "--message", version)
        self._git("tag", version)

    def source(self, version: str) -> str:
        return f"git::file://{self.directory}?ref={version}"

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", "-C", str(self.directory), *arguments], check=True, capture_output=True)


class Checkout:
    """A copy of an example, with other settings, after ``terraform init``.

    Checkouts in the same parent folder share one state file.

    `inputs` is HCL that is added to the module block.
    """

    def __init__(
        self,
        directory: Path,
        *,
        env: Mapping[str, str],
        source: str = str(PROJECT),
        inputs: str = "",
        example: str = "local",
        project: Path = PROJECT,
        default_tags: Mapping[str, str] = DEFAULT_TAGS,
    ) -> None:
        self.directory = directory
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        self.env = {**own, **SETTINGS, **env}
        directory.mkdir(parents=True)
        for path in (project / "examples" / example).glob("*.tf"):
            shutil.copy(path, directory)
        if example != "local":  # outputs that the tests need
            shutil.copy(project / "examples" / "local" / "outputs.tf", directory)
        self.state = directory.with_name("terraform.tfstate")
        # An override file replaces the module's source, the location of the state, and some inputs.
        (directory / "consumer_override.tf").write_text(
            f'terraform {{\n  backend "local" {{\n    path = "{self.state}"\n  }}\n}}\n\n'
            f'provider "aws" {{\n  default_tags {{\n    tags = {json.dumps(default_tags)}\n  }}\n'
            "  s3_use_path_style           = true\n  skip_credentials_validation = true\n}\n\n"
            f'module "pynvest_tools" {{\n  source = "{source}"\n{inputs}\n}}\n'
        )
        self.terraform("init")
        # Remove the provider's checksums: to verify them, each Terraform command would read 0.7 GB.
        lock = directory / ".terraform.lock.hcl"
        lock.write_text(re.sub(r"  hashes = \[.*?\]\n", "", lock.read_text(), flags=re.DOTALL))

    def terraform(self, *arguments: str, statuses: tuple[int, ...] = (0,), **env: str) -> str:
        """Run a command and return its output."""
        ended = subprocess.run(
            [find_terraform(), *arguments, "-no-color"],
            cwd=self.directory,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert ended.returncode in statuses, f"terraform {' '.join(arguments)}\n{ended.stdout}"
        return ended.stdout

    def apply(self, *arguments: str, **env: str) -> str:
        """Apply without a prompt, with high parallelism, so that slow resources do not delay others."""
        return self.terraform("apply", "-auto-approve", "-parallelism=50", *arguments, **env)

    def destroy(self) -> str:
        """Destroy all resources in the state, without a refresh."""
        return self.terraform("destroy", "-auto-approve", "-parallelism=50", "-refresh=false")

    def changes(self, *arguments: str) -> dict[str, str]:
        """Return a plan's actions; the keys are the resources' addresses within the module."""
        events = map(json.loads, self.terraform("plan", "-json", *arguments).splitlines())
        return {
            within_the_module(event["change"]["resource"]["addr"]): event["change"]["action"]
            for event in events
            if event["type"] == "planned_change" and event["change"]["action"] != "read"
        }

    def plan(self, *arguments: str, **env: str) -> dict[str, Any]:
        self.terraform("plan", "-out=shown.tfplan", *arguments, **env)
        return dict(json.loads(self.terraform("show", "-json", "shown.tfplan")))

    def resources(self) -> dict[str, Any]:
        """Return the values of all resources in the state, by address."""
        return {
            address_of(resource, instance): instance["attributes"]
            for resource in json.loads(self.state.read_text())["resources"]
            for instance in resource["instances"]
            if resource["mode"] == "managed"
        }

    def outputs(self) -> dict[str, Any]:
        outputs = json.loads(self.state.read_text())["outputs"]
        return {name: output["value"] for name, output in outputs.items()}


def address_of(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    """Return the address of a resource's instance in a state file."""
    index = f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else ""
    return f"{resource['module']}.{resource['type']}.{resource['name']}{index}"


def resources_of(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of all resources in a plan, by address."""
    found: dict[str, Any] = {}
    modules = [values["root_module"]]
    while modules:
        module = modules.pop()
        modules += module.get("child_modules", [])
        found |= {
            resource["address"]: resource.get("values", {})
            for resource in module.get("resources", [])
            if resource["mode"] == "managed"
        }
    return found


def changes_of(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan's changes; the keys are the resources' addresses within the module."""
    return {
        within_the_module(change["address"]): change["change"]
        for change in plan.get("resource_changes", [])
        if change["change"]["actions"] not in (["no-op"], ["read"])
    }


def within_the_module(address: str) -> str:
    return address.removeprefix("module.pynvest_tools.")


def of_type(found: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return [values for address, values in found.items() if f".{kind}." in f".{address}"]


def unwrapped(said: str) -> str:
    """Return Terraform's output without the line breaks that Terraform inserts in messages."""
    return " ".join(said.split())


def copy_module(directory: Path) -> None:
    for path in PROJECT.glob("*.tf"):
        shutil.copy(path, directory)
    for name in MODULE:
        shutil.copytree(PROJECT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))


def path_with(directory: Path, *commands: str) -> str:
    """Create a directory with only the given commands, and return it as a PATH."""
    directory.mkdir()
    for command in commands:
        found = shutil.which(command)
        assert found, command
        (directory / command).symlink_to(found)
    return str(directory)
