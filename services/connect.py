"""The peer: Kafka Connect 4.3.1 with Debezium 3.5.0.Final, from Maven, as one worker process."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from services import maven
from services.place import cache, run, step
from services.process import Process

KAFKA, DEBEZIUM = "4.3.1", "3.5.0.Final"
RUNTIME = [
    ("org.apache.kafka", "connect-runtime", KAFKA),
    ("org.apache.kafka", "connect-json", KAFKA),
    ("org.apache.kafka", "connect-transforms", KAFKA),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.3"),
    ("org.apache.logging.log4j", "log4j-core", "2.25.3"),
]
CONNECTORS = ("mysql", "mariadb", "postgres", "jdbc")
# The worker has these already; a second Jackson in a plugin's folder does not load.
PROVIDED = (
    "connect-api,kafka-clients,slf4j-api,zstd-jni,lz4-java,snappy-java,jakarta.ws.rs-api,"
    "jackson-core,jackson-databind,jackson-annotations"
)
# As Kafka's own start script sets them.
JVM = ("-Xms256m", "-Xmx2g", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
       "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent")  # fmt: skip
SMALL_JVM = ("-Xms128m", "-Xmx768m", "-XX:+UseSerialGC")
"""Enough where events are compared and nothing is measured."""


def _pom(dependencies: list[tuple[str, str, str]]) -> str:
    lines = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>"
        for group, name, version in dependencies
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>local</groupId>'
        "<artifactId>peer</artifactId><version>1</version><packaging>pom</packaging>"
        f"<dependencies>{lines}</dependencies></project>"
    )


def install() -> Path:
    """`libs/` and a folder in `plugins/` for each connector under the returned folder; fetched when missing."""
    folder = cache() / "maven" / f"peer-{DEBEZIUM}"
    parts = [("libs", RUNTIME, "")]
    parts.append(("plugins/connect-file", [("org.apache.kafka", "connect-file", KAFKA)], PROVIDED))
    for name in CONNECTORS:
        dependency = ("io.debezium", f"debezium-connector-{name}", DEBEZIUM)
        parts.append((f"plugins/debezium-{name}", [dependency], PROVIDED))
    missing = [part for part in parts if not (folder / part[0] / "done").exists()]
    if missing:
        with step("fetching Kafka Connect and Debezium from Maven, about 120 MB (once)"):
            for place, dependencies, excluded in missing:
                _fetch(folder / place, dependencies, excluded)
    return folder


def _fetch(place: Path, dependencies: list[tuple[str, str, str]], excluded: str) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    pom = place / "pom.xml"
    pom.write_text(_pom(dependencies))
    goal: list[str | Path] = ["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", "-DincludeScope=runtime",
                              f"-DoutputDirectory={place}"]  # fmt: skip
    run([*goal, *([f"-DexcludeArtifactIds={excluded}"] if excluded else [])], env=maven.environment())
    (place / "done").touch()


def distributed(group: str) -> str:
    """Worker settings of a group of its own: configs, offsets and statuses in topics."""
    return f"""\
group.id={group}
config.storage.topic={group}-configs
offset.storage.topic={group}-offsets
status.storage.topic={group}-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
"""


def start(
    folder: Path, port: int, kafka: str, settings: str = "", *, jvm: Sequence[str] = JVM, level: str = "WARN"
) -> int:
    """Starts a worker with REST on 127.0.0.1:port and nothing from an earlier run; returns its process id.

    Args:
        settings: more worker properties, such as `distributed(…)`; without a `group.id` it is a standalone worker.
    """
    built = install()
    process = Process("kafka-connect", folder)
    process.wipe()
    folder.mkdir(parents=True)
    mode = "Distributed" if "group.id" in settings else "Standalone"
    (folder / "worker.properties").write_text(
        f"""\
bootstrap.servers={kafka}
listeners=http://127.0.0.1:{port}
plugin.path={built}/plugins
plugin.discovery=service_load
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=false
value.converter.schemas.enable=false
offset.flush.interval.ms=5000
{settings or f"offset.storage.file.filename={folder}/offsets"}
"""
    )
    (folder / "log4j2.properties").write_text(
        "status=error\nappender.o.type=Console\nappender.o.name=O\nappender.o.layout.type=PatternLayout\n"
        "appender.o.layout.pattern=[%d] %p %X{connector.context}%m (%c)%n\n"
        f"rootLogger.level={level}\nrootLogger.appenderRef.o.ref=O\n"
    )
    with step(f"starting Kafka Connect on 127.0.0.1:{port}"):
        process.start(
            ["java", *jvm, f"-Dlog4j2.configurationFile={folder}/log4j2.properties", "-cp", f"{built}/libs/*",
             f"org.apache.kafka.connect.cli.Connect{mode}", folder / "worker.properties"],
            lambda: answers(port), env=maven.environment(), seconds=180,
        )  # fmt: skip
    return process.pid() or 0


def answers(port: int) -> bool:
    """Whether a Connect worker serves REST there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/connectors", timeout=3) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def stop(folder: Path) -> None:
    Process("kafka-connect", folder).stop()
