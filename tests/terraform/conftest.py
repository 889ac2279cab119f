"""A running AWS provider for the tests in this folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.terraform import Terraform, provider_env

PROJECT = Path(__file__).resolve().parents[2]
ATTACH = "TF_REATTACH_PROVIDERS"


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Start the provider once, and return environment variables that connect Terraform to the provider.

    Without the variables, `terraform test` starts the provider twice per run, and uses twice the CPU time.
    The runs mock the provider, so they read only the provider's schema and can share one process.
    """
    root, env = tmp_path_factory.mktemp("provider"), provider_env(PROJECT / ".local")
    shutil.copy(PROJECT / "versions.tf", root)
    Terraform(root, root / "data", env).run("init")
    (program,) = root.glob("data/terraform/providers/*/*/aws/*/*/terraform-provider-aws_*")
    with subprocess.Popen(
        [program, "-debug"],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        try:
            assert running.stdout is not None
            attach = next(line for line in running.stdout if f"{ATTACH}='" in line)
            yield {**env, ATTACH: attach.split("'")[1]}
        finally:
            running.terminate()
