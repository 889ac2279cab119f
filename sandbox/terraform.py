"""Terraform, and where it gets its provider: the registry, or a mirror where that does not answer."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sandbox.process import stop_group

REGISTRY = "registry.terraform.io"
REGISTRY_TIMEOUT_SECONDS = 5.0
PROVIDER = "hashicorp/aws"

SETTLING = re.compile(r"\.aws_(s3_bucket_lifecycle_configuration|sqs_queue_redrive(_allow)?_policy)\.")
"""Resources that are written at once, and that the provider then looks at for most of a minute."""
MIRROR_VARIABLE = "TF_PLUGIN_MIRROR"
"""Environment variable that names a filesystem mirror of Terraform providers."""

NOT_SEARCHED = frozenset({"boot", "dev", "lost+found", "proc", "run", "sys", "tmp", "System", "Volumes"})
"""Top-level folders where no mirror is looked for: devices, temporary files, the system's own."""

SEARCH_DEPTH = 4
SEARCH_LIMIT = 30_000
"""How many levels under ``/`` and how many folders in all are looked at for a mirror."""


class TerraformNotInstalled(Exception):
    """There is no ``terraform`` command."""


class ProviderNotFound(Exception):
    """The provider is neither in the registry (it does not answer) nor in a mirror on this machine."""


class TerraformFailed(Exception):
    """A terraform command ended with an error; the message holds what it said."""


def find_terraform() -> str:
    """Return the path of the ``terraform`` command.

    Raises
    ------
    TerraformNotInstalled
        When there is none.
    """
    command = shutil.which("terraform")
    if command is None:
        raise TerraformNotInstalled(
            "terraform is not installed: install Terraform 1.6 or newer "
            "(https://developer.hashicorp.com/terraform/install) and see that `terraform version` answers"
        )
    return command


def provider_env(state_dir: Path) -> dict[str, str]:
    """Return the environment variables with which Terraform finds its provider on this machine.

    A ``TF_CLI_CONFIG_FILE`` that exists is the user's own decision and stays. Otherwise the registry is
    used where it answers, each version downloaded once into `state_dir`; where it does not, a filesystem
    mirror.

    Parameters
    ----------
    state_dir
        Directory for the Terraform configuration that is written, and for downloaded providers.

    Raises
    ------
    ProviderNotFound
        When the registry does not answer and there is no mirror.
    """
    chosen = os.environ.get("TF_CLI_CONFIG_FILE")
    if chosen and Path(chosen).is_file():
        return {"TF_CLI_CONFIG_FILE": str(Path(chosen).resolve())}
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
        # Another process may be about to read it: put in place whole.
        part = config.with_name(f"{config.name}.{os.getpid()}")
        part.write_text(text)
        part.replace(config)
    return {"TF_CLI_CONFIG_FILE": str(config)}


def registry_answers() -> bool:
    """Tell whether Terraform's public registry answers from here."""
    try:
        with urllib.request.urlopen(
            f"https://{REGISTRY}/.well-known/terraform.json", timeout=REGISTRY_TIMEOUT_SECONDS
        ) as response:
            answers: bool = response.status == 200
            return answers
    except OSError:
        return False


def find_mirror(root: Path = Path("/")) -> Path:
    """Find a filesystem mirror that holds the AWS provider for this machine.

    Looked at in turn: the directory that the environment variable ``TF_PLUGIN_MIRROR`` names, Terraform's
    own plugin directories, and the folders under `root`, a few levels deep. Folders that everybody may
    write to are left out: what a mirror holds is run.

    Raises
    ------
    ProviderNotFound
        When there is none.
    """
    named = os.environ.get(MIRROR_VARIABLE)
    if named:
        if _holds_provider(Path(named)):
            return Path(named).resolve()
        raise ProviderNotFound(
            f"{MIRROR_VARIABLE} names {named!r}, which does not hold the provider: expected "
            f"{_provider_dir(Path(named))}/<version>/{current_platform()}"
        )
    for directory in (*_terraform_plugin_dirs(), *_folders_under(root)):
        if _holds_provider(directory):
            return directory.resolve()
    raise ProviderNotFound(
        f"Terraform's registry ({REGISTRY}) does not answer, and no mirror of {PROVIDER} for "
        f"{current_platform()} was found on this machine. Either give Terraform a way to the registry "
        "(behind a proxy: HTTPS_PROXY), or run `terraform providers mirror DIRECTORY` in this project on a "
        f"machine that reaches it, copy DIRECTORY here and set {MIRROR_VARIABLE} to it"
    )


class Terraform:
    """The terraform command in one root module, with its working data and state kept elsewhere.

    Parameters
    ----------
    root
        The root module's directory.
    data_dir
        Directory for what ``init`` installs, the state and the log.
    env
        Environment variables that are added to those of this process; ``AWS_*`` of this process are dropped.
    """

    def __init__(self, root: Path, data_dir: Path, env: Mapping[str, str]) -> None:
        self.root = root.resolve()
        self.data_dir = data_dir.resolve()
        self.log_path = self.data_dir / "terraform.log"
        self._command = find_terraform()
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self._env = {
            **own,
            "CHECKPOINT_DISABLE": "1",
            # The module builds its packages with `python3`: the one that runs this, which has pip.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            **env,
            "TF_DATA_DIR": str(self.data_dir / "terraform"),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
        }
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False
        self.data_dir.mkdir(parents=True, exist_ok=True)

    @property
    def state_path(self) -> Path:
        """File that holds the state."""
        return self.data_dir / "terraform.tfstate"

    def init(self) -> None:
        """Install the modules and the provider."""
        self.run("init")

    def apply(
        self, variables: Mapping[str, Any], *, on_created: Callable[[str, bool], None] | None = None
    ) -> None:
        """Apply the root.

        Parameters
        ----------
        variables
            Its input variables.
        on_created
            Called with the address of each new resource, and with whether all that are planned can be used
            by then: what is left has been written, and is only looked at until it has settled.
        """
        planned: set[str] = set()
        begun: set[str] = set()
        created: set[str] = set()

        def note(line: str) -> None:
            if found := re.match(r"\s+# (\S.*) will be created$", line):
                planned.add(found[1])
            if found := re.match(r"(\S.*): Creating\.\.\.$", line):
                begun.add(found[1])
            if found := re.match(r"(\S.*): Creation complete after", line):
                created.add(found[1])
                if on_created:
                    settling = {address for address in begun - created if SETTLING.search(address)}
                    on_created(found[1], bool(planned) and planned <= created | settling)

        self.run("apply", *self._unattended(), self._given(variables), on_line=note)

    def stop(self) -> None:
        """End what another thread runs, and what it begins from now on."""
        self._stopped = True
        for process in tuple(self._running):
            stop_group(process.pid, reap=process.poll)

    def changes(self, variables: Mapping[str, Any]) -> str:
        """Return what a plan with `variables` would change: an empty text when it is nothing."""
        plan = ("plan", "-detailed-exitcode", f"-state={self.state_path}", self._given(variables))
        status, said = self.run(*plan, statuses=(0, 2))
        return said if status == 2 else ""

    def destroy(self, variables: Mapping[str, Any]) -> None:
        """Destroy what was applied."""
        self.run("destroy", *self._unattended(), self._given(variables))

    def outputs(self) -> dict[str, Any]:
        """Return the values of the root's outputs by name."""
        _, said = self.run("output", "-json", f"-state={self.state_path}")
        return {name: output["value"] for name, output in json.loads(said).items()}

    def _given(self, variables: Mapping[str, Any]) -> str:
        # By a file, since -var has no null for a number; of names in a file Terraform only warns.
        declared = {
            name
            for path in self.root.glob("*.tf")
            for name in re.findall(r'^variable "(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
        }
        if unknown := sorted(set(variables) - declared):
            raise ValueError(f"{self.root} declares no variable {', '.join(unknown)}")
        path = self.data_dir / "given.tfvars.json"
        path.write_text(json.dumps(dict(variables)), encoding="utf-8")
        return f"-var-file={path}"

    def _unattended(self) -> list[str]:
        # Nearly all of the time is the provider's fixed waits for queues and buckets to settle.
        return ["-auto-approve", "-parallelism=50", f"-state={self.state_path}"]

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
            The exit statuses that are no error.
        on_line
            Called with each line that it prints.

        Returns
        -------
        tuple of int and str
            Its exit status and what it printed, which the log gets too.

        Raises
        ------
        TerraformFailed
            When it ends with another status.
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
                    lines.append(plain(line))
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
                f"(its whole log: {self.log_path}):\n{_errors(lines)}"
            )
        return process.returncode, "".join(lines)


def plain(line: str) -> str:
    """Return `line` without the control sequences that colour it."""
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def _errors(lines: list[str]) -> str:
    """Return the errors among what terraform printed, or its last lines where it named none."""
    first = next((number for number, line in enumerate(lines) if "Error:" in line), max(0, len(lines) - 20))
    return "".join(lines[first:])


def current_platform() -> str:
    """Return the name that Terraform gives this operating system and processor."""
    machines = {"x86_64": "amd64", "aarch64": "arm64"}
    return f"{platform.system().lower()}_{machines.get(platform.machine(), platform.machine()).lower()}"


def _provider_dir(mirror: Path) -> Path:
    return mirror / REGISTRY / PROVIDER


def _holds_provider(mirror: Path) -> bool:
    """Tell whether `mirror` has the provider for this machine, unpacked or as an archive."""
    provider = _provider_dir(mirror)
    try:
        everybody_writes = bool(mirror.stat().st_mode & stat.S_IWOTH)
        return not everybody_writes and (
            any(provider.glob(f"*/{current_platform()}")) or any(provider.glob(f"*_{current_platform()}.zip"))
        )
    except OSError:
        return False


def _names_working_mirror(config: Path) -> bool:
    """Tell whether `config` is one that an earlier run wrote, with a mirror that still serves."""
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


def _folders_under(root: Path) -> Iterator[Path]:
    """Yield the folders under `root` level by level, hidden ones and some of the system's left out."""
    waiting = deque((folder, 1) for folder in _subfolders(root) if folder.name not in NOT_SEARCHED)
    for _ in range(SEARCH_LIMIT):
        if not waiting:
            return
        folder, level = waiting.popleft()
        yield folder
        if level < SEARCH_DEPTH:
            waiting.extend((inner, level + 1) for inner in _subfolders(folder))


def _subfolders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                Path(entry.path)
                for entry in entries
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            )
    except OSError:
        return []
