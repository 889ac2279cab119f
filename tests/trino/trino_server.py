"""Trino, the engine of Athena, installed from Maven Central. Trino uses the emulator's catalog and objects.

Maven Central has only the parts of the Trino server. ``pom.xml`` lists the parts.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from sandbox.emulator import Emulator
from sandbox.process import LOOPBACK, free_port, stop_group

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / ".build" / "trino"
PAGE = HERE.parents[1] / "docs" / "queries.md"
POM = HERE / "pom.xml"
RELEASE = re.findall(r"<trino>(\d+)</trino>", POM.read_text(encoding="utf-8"))[0]
JAVA_RELEASE = 24
DEBIANS_JDKS = Path("/usr/lib/jvm")
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
GIVEN_BY_THE_SERVER = (
    "trino-spi,jackson-annotations,slice,jol-core,"
    "opentelemetry-api,opentelemetry-context,opentelemetry-common,opentelemetry-api-incubator"
)
"""Packages that a plugin must not include."""
PASSWORD = "changeit"  # noqa: S105 - a trust store requires a password
NODES = "SELECT node_id FROM system.runtime.nodes"
CATALOG = "awsdatacatalog"


class NothingToRunItWith(Exception):
    """Java or Maven is missing. The message says what to install."""


def find_java() -> Path:
    """Return the directory of a recent JDK, from JAVA_HOME, the PATH, or Debian's location."""
    on_path = shutil.which("java")
    homes = [
        *(Path(home) for home in (os.environ.get("JAVA_HOME"),) if home),
        *(Path(java).resolve().parents[1] for java in (on_path,) if java),
        *sorted(DEBIANS_JDKS.glob("*")),
    ]
    for home in homes:
        release = home / "release"
        version = re.search(r'JAVA_VERSION="(\d+)', release.read_text()) if release.exists() else None
        if version and int(version[1]) >= JAVA_RELEASE and (home / "bin" / "javac").exists():
            return home
    raise NothingToRunItWith(
        f"Trino needs a JDK {JAVA_RELEASE} or newer; JAVA_HOME, PATH and {DEBIANS_JDKS} have none. Install "
        "openjdk-25-jdk-headless (Debian 13 and newer have it), or Temurin 25, or set JAVA_HOME."
    )


def fetch(java: Path) -> None:
    """Install server and plugin into `BUILD` if they are missing."""
    made = BUILD / f"made-{RELEASE}"
    if made.exists():
        return
    if not shutil.which("mvn"):
        raise NothingToRunItWith("Maven downloads Trino, but there is no mvn on the PATH. Install maven.")
    shutil.rmtree(BUILD, ignore_errors=True)
    hive = BUILD / "plugin" / "hive"
    for part, folder, excluded in (("main", BUILD / "lib", ""), ("hive", hive, GIVEN_BY_THE_SERVER)):
        subprocess.run(
            ["mvn", "-B", "-q", f"-f={POM}", f"-Dpart=trino-{part}", f"-DexcludeArtifactIds={excluded}",
             "-DincludeScope=runtime", f"-DoutputDirectory={folder}", COPY],
            env={**os.environ, "JAVA_HOME": str(java)},
            check=True,
        )  # fmt: skip
    # Trino's zip file has this file, but the jar on Maven Central does not.
    services = hive / "services" / "META-INF" / "services"
    services.mkdir(parents=True)
    (services / "io.trino.spi.Plugin").write_text("io.trino.plugin.hive.HivePlugin\n")
    made.touch()


def documented() -> dict[str, str]:
    """Return the catalog settings from docs/queries.md."""
    (block,) = re.findall(r"```properties\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return dict(line.split("=") for line in block.splitlines() if line)


@dataclass(frozen=True)
class Answer:
    columns: list[tuple[str, str]]
    """Name and type of each column."""
    rows: list[list[Any]]
    rows_read: int
    bytes_read: str


class Trino:
    """A Trino server of one node, with the emulator's catalog. The server runs while the context is open.

    `env` has the credentials for queries. `directory` has settings, log and data.
    """

    def __init__(self, emulator: Emulator, env: Mapping[str, str], java: Path, directory: Path) -> None:
        self._emulator = emulator
        self._env = env
        self._java = java
        self._directory = directory
        self._port = free_port()

    def __enter__(self) -> Trino:
        self._configure()
        log = self._directory / "trino.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                self._command(),
                env={**os.environ, **self._env},
                stdin=subprocess.PIPE,  # the server ends when this process ends
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait(log)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def ask(self, sql: str) -> Answer:
        """Run a query and return its whole answer."""
        pages = list(self._pages(sql))
        failed = next((page["error"]["message"] for page in pages if "error" in page), None)
        assert failed is None, f"{failed}\nThe query: {sql}"
        columns = next((page["columns"] for page in pages if "columns" in page), [])
        stats = self._get(f"{self._url}/v1/query/{pages[0]['id']}")["queryStats"]
        return Answer(
            [(column["name"], column["type"]) for column in columns],
            [row for page in pages for row in page.get("data", [])],
            stats["physicalInputPositions"],
            stats["physicalInputDataSize"],
        )

    @property
    def _url(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    def _pages(self, sql: str) -> Iterator[dict[str, Any]]:
        headers = {
            "X-Trino-User": "test",
            "X-Trino-Catalog": CATALOG,
            "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME",  # otherwise Trino omits the precision
        }
        page = requests.post(f"{self._url}/v1/statement", sql.encode(), headers=headers, timeout=60).json()
        yield page
        while "nextUri" in page:
            page = self._get(page["nextUri"])
            yield page

    def _get(self, url: str) -> Any:
        return requests.get(url, headers={"X-Trino-User": "test"}, timeout=60).json()

    def _wait(self, log: Path) -> None:
        """Wait until the server accepts queries; the server answers other requests earlier."""
        deadline = time.monotonic() + 180
        while True:
            assert self._process.poll() is None, f"Trino has ended:\n{log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"Trino does not start:\n{log.read_text()[-3000:]}"
            if "SERVER STARTED" in log.read_text() and any("data" in page for page in self._pages(NODES)):
                return
            time.sleep(0.2)

    def _stop(self) -> None:
        stop_group(self._process.pid, reap=self._process.poll)
        self._process.wait()

    def _configure(self) -> None:
        endpoint = self._emulator.endpoint_url
        settings = {
            "config.properties": {
                "coordinator": "true",
                "node-scheduler.include-coordinator": "true",
                "http-server.http.port": self._port,
                "discovery.uri": self._url,
                "catalog.management": "static",
                "http-server.log.enabled": "false",
            },
            f"catalog/{CATALOG}.properties": {
                **documented(),
                "hive.metastore.glue.endpoint-url": endpoint,
                "s3.endpoint": endpoint,
                "s3.path-style-access": "true",
            },
        }
        for name, values in settings.items():
            path = self._directory / "etc" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(f"{key}={value}\n" for key, value in values.items()))
        subprocess.run(
            [self._java / "bin" / "keytool", "-importcert", "-noprompt", "-alias", "emulator",
             "-file", self._emulator.ca_bundle, "-keystore", self._directory / "trust",
             "-storepass", PASSWORD],
            check=True, capture_output=True,
        )  # fmt: skip

    def _command(self) -> list[str]:
        etc = self._directory / "etc"
        settings = {
            "config": etc / "config.properties",
            "catalog.config-dir": etc / "catalog",
            "javax.net.ssl.trustStore": self._directory / "trust",
            "javax.net.ssl.trustStorePassword": PASSWORD,
            "jdk.attach.allowAttachSelf": "true",
            "node.data-dir": self._directory / "data",
            "node.environment": "test",
            "node.id": "one",
            "node.internal-address": LOOPBACK,
            "plugin.dir": BUILD / "plugin",
        }
        return [
            str(self._java / "bin" / "java"),
            "-Xmx2g",
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            *(f"-D{name}={value}" for name, value in settings.items()),
            "-cp",
            f"{BUILD / 'lib'}/*",
            str(HERE / "Main.java"),
            RELEASE,
        ]
