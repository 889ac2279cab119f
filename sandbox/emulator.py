"""The AWS emulator: MiniStack in a separate process group, on the loopback interface, with IAM enforced."""

from __future__ import annotations

import os
import shutil
import ssl
from functools import cache
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from sandbox.process import LOOPBACK, BackgroundProcess, free_port

REGION = "sa-east-1"
ACCOUNT_ID = "123456789012"
ROOT_KEY = "test"
MODULE = "sandbox.emulator_process"

INHERITED = (
    *("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT"),
    *("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"),
)
INHERITED_PREFIXES = ("OPENBLAS_", "OMP_", "MKL_")
"""Environment variables that the emulator and every function inherit: settings of the interpreter and of
numeric libraries, and certificates for the real site. No variable here changes the access to AWS, and none is
a setting of MiniStack."""


class Emulator:
    """An emulated AWS account at :attr:`endpoint_url`. The account exists while the emulator's process runs.

    Parameters
    ----------
    state_dir
        Directory for the log and the temporary files; the emulator writes nothing elsewhere.
    outlives_us
        Whether the emulator keeps running if this process ends without stopping the emulator.

    Examples
    --------
    >>> with Emulator(Path(".local/emulator")) as emulator:
    ...     emulator.client("s3").list_buckets()["Buckets"]
    []
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        outlives_us: bool = False,
    ) -> None:
        self.state_dir = state_dir.resolve()
        self.log_path = self.state_dir / "emulator.log"
        self._outlives_us = outlives_us
        self._process: BackgroundProcess | None = None
        self._port = 0

    def __enter__(self) -> Emulator:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """URL of the emulator, for every service."""
        return f"https://{LOOPBACK}:{self._port}"

    @property
    def ca_bundle(self) -> Path:
        """The emulator's certificate, which its clients must trust."""
        return self.state_dir / "tmp" / "ministack-tls" / "server.crt"

    @property
    def authorization_log(self) -> Path:
        """Log with one JSON line per request that a role makes; :meth:`stop` deletes the log."""
        return self.state_dir / "tmp" / "authorizations.jsonl"

    @property
    def pid(self) -> int:
        """Id of the emulator's process; all function processes are in this process's group."""
        assert self._process, "the emulator has not been started"
        return self._process.pid

    def start(self) -> None:
        """Start the emulator and wait until it answers.

        Raises
        ------
        ProcessFailed
            The emulator does not become ready.
        """
        self._port = free_port()
        temporary = self.state_dir / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        self._process = BackgroundProcess(
            MODULE, env=self._process_env(temporary), log_path=self.log_path, outlives_us=self._outlives_us
        )
        try:
            self._process.wait_until(self._answers)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the emulator and every function process, and remove its temporary files."""
        if self._process is not None:
            self._process.stop()
            self._process = None
        shutil.rmtree(self.state_dir / "tmp", ignore_errors=True)

    def env(self) -> dict[str, str]:
        """Return the environment variables with which SDKs and Terraform act as the account's root."""
        return client_env(self.endpoint_url, self.ca_bundle)

    def client(self, service: str) -> Any:
        """Return a boto3 client for `service` that acts as the account's root."""
        return client(self.endpoint_url, self.ca_bundle, service)

    def _answers(self) -> bool:
        try:
            trust = ssl.create_default_context(cafile=str(self.ca_bundle))  # the file may still be incomplete
            connection = HTTPSConnection(LOOPBACK, self._port, timeout=2, context=trust)
            connection.request("GET", "/_ministack/health")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False

    def _process_env(self, temporary: Path) -> dict[str, str]:
        package_root = str(Path(__file__).resolve().parent.parent)
        names = [*INHERITED, *(name for name in os.environ if name.startswith(INHERITED_PREFIXES))]
        return {
            **{name: os.environ[name] for name in names if name in os.environ},
            **self.env(),
            "AUTH": "true",
            "AUTHORIZATION_LOG": str(self.authorization_log),
            "ATHENA_ENGINE": "duckdb",
            "BIND_HOST": LOOPBACK,
            # Use no Docker daemon, because MiniStack could remove containers of the daemon's other users.
            "DOCKER_HOST": f"unix://{temporary}/no-docker.sock",
            "GATEWAY_PORT": str(self._port),
            "HOME": str(temporary),
            "IOT_MTLS_ENABLED": "0",
            # Seconds before the first retry of a failed asynchronous invocation; 60 on Lambda.
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.5",
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "MINISTACK_HOST": LOOPBACK,
            "MINISTACK_REGION": REGION,
            "PYTHONPATH": package_root,
            "PYTHONUNBUFFERED": "1",
            "S3_DATA_DIR": str(temporary / "s3"),
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(temporary / "state"),
            "TMPDIR": str(temporary),
            "TZ": "UTC",
            "USE_SSL": "1",
        }


def client_env(endpoint_url: str, ca_bundle: Path) -> dict[str, str]:
    """Return the environment variables with which SDKs and Terraform use the emulator at `endpoint_url`."""
    return {
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "AWS_CA_BUNDLE": str(ca_bundle),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": REGION,
        "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": f"{LOOPBACK},localhost",
    }


@cache
def client(endpoint_url: str, ca_bundle: Path, service: str) -> Any:
    """Return a boto3 client for `service` at `endpoint_url`; the client acts as the account's root."""
    session: Any = _session()  # the type stubs accept only literal service names
    return session.client(
        service,
        endpoint_url=endpoint_url,
        verify=str(ca_bundle),
        region_name=REGION,
        aws_access_key_id=ROOT_KEY,
        aws_secret_access_key=ROOT_KEY,
        config=Config(proxies={}, retries={"mode": "standard"}, read_timeout=300),
    )


@cache
def _session() -> boto3.session.Session:
    """Return a session that does not read the user's profiles and configuration files."""
    unset = (None, None, None, None)
    no_file = (None, None, os.devnull, None)
    return boto3.session.Session(
        botocore_session=botocore.session.Session(
            session_vars={
                "ca_bundle": unset,
                "config_file": no_file,
                "credentials_file": no_file,
                "profile": unset,
            }
        )
    )
