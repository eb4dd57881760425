"""A schema registry with Confluent's REST API: Apicurio in memory, at `/apis/ccompat/v7`; gone when it stops.

Apicurio wants a newer Java than Debian has.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

from services import maven
from services.place import step
from services.process import Process

_APICURIO = "io.apicurio:apicurio-registry-app:3.3.3:tar.gz:all"
PATH = "/apis/ccompat/v7"


def start(folder: Path, port: int) -> None:
    """Starts it on 127.0.0.1, its rule for all subjects BACKWARD as Confluent's, and waits until it answers."""
    app, java = maven.unpacked(_APICURIO), maven.newest_java()
    process = Process("registry", folder)
    if process.pid():
        return
    temporary = folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    with step(f"starting a schema registry on 127.0.0.1:{port}"):
        process.start(
            [java, "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Djava.io.tmpdir={temporary}",
             "-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={port}", "-Dquarkus.management.enabled=false",
             "-Dquarkus.log.level=WARN", "-Dapicurio.storage.kind=sql", "-Dapicurio.storage.sql.kind=h2",
             "-Dapicurio.datasource.url=jdbc:h2:mem:registry;DB_CLOSE_DELAY=-1", "-jar", app / "quarkus-run.jar"],
            lambda: _answers(port), seconds=180, env={"JAVA_TOOL_OPTIONS": ""},
        )  # fmt: skip


def _answers(port: int) -> bool:
    rule = urllib.request.Request(
        f"http://127.0.0.1:{port}{PATH}/config", b'{"compatibility":"BACKWARD"}', {"Content-Type": "application/json"},
        method="PUT",
    )  # fmt: skip
    try:
        with urllib.request.urlopen(rule, timeout=3) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
