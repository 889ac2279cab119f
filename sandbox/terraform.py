"""Runs Terraform. The provider comes from the registry, or from a mirror if the registry does not answer."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox import SandboxError
from sandbox.process import stop_group

REGISTRY = "registry.terraform.io"
REGISTRY_TIMEOUT_SECONDS = 5.0
PROVIDER = "hashicorp/aws"

SETTLING = re.compile(r"\.aws_(s3_bucket_lifecycle_configuration|sqs_queue_redrive(_allow)?_policy)\.")
"""Resources that are usable at once, although the provider then checks them for most of a minute."""
MIRROR_VARIABLE = "TF_PLUGIN_MIRROR"
"""Environment variable with the path of a filesystem mirror of Terraform providers."""

NOT_SEARCHED = frozenset({"boot", "dev", "lost+found", "proc", "run", "sys", "tmp", "System", "Volumes"})
"""Top-level folders in which no mirror is searched: devices, temporary files, the system's own folders."""

SEARCH_DEPTH = 4
"""Number of folder levels under ``/`` in which a mirror is searched."""

GARBAGE_COLLECTION = {"GOGC": "400"}
"""Collect garbage less often in Terraform and its provider: 25% less CPU, 0.2 GB more memory for each."""


class TerraformNotInstalled(SandboxError):
    """There is no ``terraform`` command."""


class ProviderNotFound(SandboxError):
    """The registry does not answer, and no mirror on this machine holds the provider."""


class TerraformFailed(SandboxError):
    """A terraform command ended with an error; the message holds its output."""


def find_terraform() -> str:
    """Return the path of the ``terraform`` command.

    Raises
    ------
    TerraformNotInstalled
        There is no ``terraform`` command.
    """
    command = shutil.which("terraform")
    if command is None:
        raise TerraformNotInstalled(
            "terraform is not installed: install Terraform 1.6 or newer "
            "(https://developer.hashicorp.com/terraform/install) and check that `terraform version` works"
        )
    return command


def provider_env(state_dir: Path) -> dict[str, str]:
    """Return environment variables with which Terraform finds its provider and runs faster.

    An existing ``TF_CLI_CONFIG_FILE`` is the user's choice and is kept. Without ``TF_CLI_CONFIG_FILE``,
    Terraform downloads each version once from the registry into `state_dir`. If the registry does not answer,
    a filesystem mirror is used.

    Parameters
    ----------
    state_dir
        Directory for the generated Terraform configuration and for downloaded providers.

    Raises
    ------
    ProviderNotFound
        The registry does not answer and there is no mirror.
    """
    chosen = os.environ.get("TF_CLI_CONFIG_FILE")
    if chosen and Path(chosen).is_file():
        return {**GARBAGE_COLLECTION, "TF_CLI_CONFIG_FILE": str(Path(chosen).resolve())}
    config = state_dir.resolve() / "terraform.rc"
    if not _names_working_mirror(config):
        config.parent.mkdir(parents=True, exist_ok=True)
        if registry_answers():
            cache = config.parent / "terraform-plugins"
            cache.mkdir(exist_ok=True)
            text = (
                f"plugin_cache_dir = {json.dumps(str(cache))}\n"
                "plugin_cache_may_break_dependency_lock_file = true\n"
            )
        else:
            text = (
                "provider_installation {\n"
                "  filesystem_mirror {\n"
                f"    path = {json.dumps(str(find_mirror()))}\n"
                "  }\n"
                "}\n"
            )
        # Replace the whole file at once, because another process may be reading it.
        part = config.with_name(f"{config.name}.{os.getpid()}")
        part.write_text(text)
        part.replace(config)
    return {**GARBAGE_COLLECTION, "TF_CLI_CONFIG_FILE": str(config)}


def registry_answers() -> bool:
    """Return whether this machine can reach Terraform's public registry."""
    try:
        url = f"https://{REGISTRY}/.well-known/terraform.json"
        urllib.request.urlopen(url, timeout=REGISTRY_TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True


def find_mirror(root: Path = Path("/")) -> Path:
    """Find a filesystem mirror with the AWS provider for this machine.

    If the environment variable ``TF_PLUGIN_MIRROR`` names a directory, only this directory is used.
    Otherwise, the search covers first Terraform's own plugin directories, and then the folders under `root`,
    a few levels deep. The search skips folders that any user can write to, because Terraform executes files
    from the mirror.

    Raises
    ------
    ProviderNotFound
        There is no mirror.
    """
    named = os.environ.get(MIRROR_VARIABLE)
    if named:
        if _holds_provider(Path(named)):
            return Path(named).resolve()
        raise ProviderNotFound(
            f"{MIRROR_VARIABLE} names {named!r}, which does not hold the provider: expected "
            f"{_provider_dir(Path(named))}/<version>/{current_platform()}"
        )
    for directory in (*_terraform_plugin_dirs(), *_mirrors_under(root)):
        if _holds_provider(directory):
            return directory.resolve()
    raise ProviderNotFound(
        f"Terraform's registry ({REGISTRY}) does not answer, and no mirror of {PROVIDER} for "
        f"{current_platform()} was found on this machine. Either give Terraform access to the registry "
        "(behind a proxy: HTTPS_PROXY), or run `terraform providers mirror DIRECTORY` in this project on a "
        f"machine that reaches it, copy DIRECTORY here and set {MIRROR_VARIABLE} to it"
    )


@dataclass
class Creation:
    """The addresses of the resources that an apply creates."""

    planned: set[str] = field(default_factory=set)
    settling: set[str] = field(default_factory=set)
    created: list[str] = field(default_factory=list)

    def note(self, line: str) -> None:
        """Record a line that ``terraform apply -json`` prints."""
        event = _event(line)
        change = event.get("change") or event.get("hook") or {}
        if change.get("action") != "create":
            return
        address = change["resource"]["addr"]
        if event["type"] == "planned_change":
            self.planned.add(address)
        elif event["type"] == "apply_start" and SETTLING.search(address):
            self.settling.add(address)
        elif event["type"] == "apply_complete":
            self.created.append(address)

    def unusable(self) -> set[str]:
        """Return the planned resources that cannot be used yet."""
        return self.planned.difference(self.created, self.settling)


class Terraform:
    """Runs terraform in a root module, and stores its data and state in another directory.

    Parameters
    ----------
    root
        The root module's directory.
    data_dir
        Directory for the state, the log and the files that ``init`` installs.
    env
        Environment variables for terraform, which also gets this process's variables except ``AWS_*``.
    """

    def __init__(self, root: Path, data_dir: Path, env: Mapping[str, str]) -> None:
        self.root = root.resolve()
        self.data_dir = data_dir.resolve()
        self.log_path = self.data_dir / "terraform.log"
        self._state = f"-state={self.data_dir / 'terraform.tfstate'}"
        self._command = find_terraform()
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self._env = {
            **own,
            "CHECKPOINT_DISABLE": "1",
            # The module builds packages with `python3`: put this process's Python (with pip) first in PATH.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            **env,
            "TF_DATA_DIR": str(self.data_dir / "terraform"),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
        }
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False
        self.data_dir.mkdir(parents=True, exist_ok=True)

    def apply(self, variables: Mapping[str, Any], creation: Creation) -> None:
        """Apply the root module with its input variables, and record the apply's progress in `creation`."""
        # Apply 50 resources at a time, so that the provider's fixed waits for each queue and bucket overlap.
        options = ("-json", "-auto-approve", "-parallelism=50", self._state)
        self.run("apply", *options, self._variables_option(variables), on_line=creation.note)

    def stop(self) -> None:
        """Stop the commands that are running, and from now on stop each new command at once."""
        self._stopped = True
        for process in tuple(self._running):
            stop_group(process.pid, reap=process.poll)

    def changes(self, variables: Mapping[str, Any]) -> str:
        """Return the changes that a plan with `variables` would make, or an empty text if there are none."""
        plan = ("plan", "-detailed-exitcode", self._state, self._variables_option(variables))
        status, output = self.run(*plan, statuses=(0, 2))
        return output if status == 2 else ""

    def outputs(self) -> dict[str, Any]:
        """Return the root module's outputs by name."""
        _, text = self.run("output", "-json", self._state)
        return {name: output["value"] for name, output in json.loads(text).items()}

    def _variables_option(self, variables: Mapping[str, Any]) -> str:
        # Pass the variables in a file, because -var cannot set a number to null. Terraform only warns about
        # unknown names in a variables file.
        declared = {
            name
            for path in self.root.glob("*.tf")
            for name in re.findall(r'^variable "(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
        }
        if unknown := sorted(set(variables) - declared):
            raise ValueError(f"{self.root} declares no variable {', '.join(unknown)}")
        path = self.data_dir / "variables.tfvars.json"
        path.write_text(json.dumps(dict(variables)), encoding="utf-8")
        return f"-var-file={path}"

    def run(
        self,
        *arguments: str,
        statuses: tuple[int, ...] = (0,),
        on_line: Callable[[str], None] | None = None,
    ) -> tuple[int, str]:
        """Run one command.

        Parameters
        ----------
        arguments
            The command and its options.
        statuses
            The exit statuses that are not errors.
        on_line
            Function that is called with each printed line.

        Returns
        -------
        tuple of int and str
            Exit status and output of the command; the log gets the same output.

        Raises
        ------
        TerraformFailed
            The command ends with a status that is not in `statuses`.
        """
        command = [self._command, f"-chdir={self.root}", *arguments]
        lines = []
        with (
            self.log_path.open("a", buffering=1) as log,  # two commands may write at the same time
            subprocess.Popen(
                command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            ) as process,
        ):
            log.write(f"$ terraform {' '.join(arguments)}\n")
            assert process.stdout is not None
            self._running.add(process)
            if self._stopped:
                stop_group(process.pid, reap=process.poll)
            try:
                for line in process.stdout:
                    log.write(line)
                    lines.append(re.sub(r"\x1b\[[0-9;]*m", "", line))  # without colours
                    if on_line:
                        on_line(lines[-1])
            except BaseException:
                stop_group(process.pid, reap=process.poll)
                raise
            finally:
                self._running.discard(process)
        if process.returncode not in statuses:
            raise TerraformFailed(
                f"`terraform {arguments[0]}` in {self.root} ended with status {process.returncode} "
                f"(full log: {self.log_path}):\n{_errors(lines)}"
            )
        return process.returncode, "".join(lines)


def _errors(lines: list[str]) -> str:
    """Return the errors in terraform's output, or its last lines if it printed no error."""
    diagnostics = [_event(line).get("diagnostic", {}) for line in lines]
    if found := [one for one in diagnostics if one.get("severity") == "error"]:
        return "".join(f"Error: {one['summary']}\n{one['detail']}\n" for one in found)
    first = next((number for number, line in enumerate(lines) if "Error:" in line), max(0, len(lines) - 20))
    return "".join(lines[first:])


def _event(line: str) -> dict[str, Any]:
    """Return the event in a line of ``-json`` output, or an empty event for a line of plain text."""
    event: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
    return event


def current_platform() -> str:
    """Return Terraform's name for this operating system and processor."""
    machines = {"x86_64": "amd64", "aarch64": "arm64"}
    return f"{platform.system().lower()}_{machines.get(platform.machine(), platform.machine()).lower()}"


def _provider_dir(mirror: Path) -> Path:
    return mirror / REGISTRY / PROVIDER


def _holds_provider(mirror: Path) -> bool:
    """Return whether `mirror` has the provider for this machine, unpacked or as an archive."""
    provider = _provider_dir(mirror)
    try:
        everybody_writes = bool(mirror.stat().st_mode & stat.S_IWOTH)
        return not everybody_writes and (
            any(provider.glob(f"*/{current_platform()}")) or any(provider.glob(f"*_{current_platform()}.zip"))
        )
    except OSError:
        return False


def _names_working_mirror(config: Path) -> bool:
    """Return whether the file `config` exists and names a mirror that has the provider."""
    if not config.is_file():
        return False
    named = re.search(r"^ *path = (\".*\")$", config.read_text(), re.MULTILINE)
    return named is not None and _holds_provider(Path(json.loads(named[1])))


def _terraform_plugin_dirs() -> list[Path]:
    home = Path.home()
    return [
        home / ".terraform.d" / "plugins",
        home / ".local" / "share" / "terraform" / "plugins",
        home / "Library" / "Application Support" / "io.terraform" / "plugins",
        Path("/usr/local/share/terraform/plugins"),
        Path("/usr/share/terraform/plugins"),
    ]


def _mirrors_under(root: Path) -> Iterator[Path]:
    """Yield the mirrors under `root`, level by level; skip hidden folders and `NOT_SEARCHED`."""
    tops = [folder for folder in sorted(root.glob("[!.]*")) if folder.name not in NOT_SEARCHED]
    for level in range(SEARCH_DEPTH):
        for top in tops:
            for found in sorted(top.glob("[!.]*/" * level + f"{REGISTRY}/{PROVIDER}")):
                yield found.parents[2]
