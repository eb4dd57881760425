"""The peer: Kafka Connect 4.3.1 with Debezium 3.5.0.Final, from Maven, as one worker process."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
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
CONNECTOR = [("io.debezium", "debezium-connector-mysql", DEBEZIUM)]
# The worker has these already; a second Jackson in a plugin's folder does not load.
PROVIDED = (
    "connect-api,kafka-clients,slf4j-api,zstd-jni,lz4-java,snappy-java,jakarta.ws.rs-api,"
    "jackson-core,jackson-databind,jackson-annotations"
)
# As Kafka's own start script sets them.
JVM = ["-Xms256m", "-Xmx2g", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
       "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent"]  # fmt: skip
# What an operator does who wants speed: larger batches and queues, compression, five requests on their way.
TUNED = {
    "producer.override.linger.ms": "20",
    "producer.override.batch.size": "524288",
    "producer.override.compression.type": "lz4",
    "producer.override.buffer.memory": "134217728",
    "producer.override.max.in.flight.requests.per.connection": "5",
    "max.batch.size": "16384",
    "max.queue.size": "65536",
    "poll.interval.ms": "50",
}


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
    """`libs/` and `plugins/debezium-mysql/` under the returned folder; fetched when missing."""
    folder = cache() / "maven" / f"peer-{DEBEZIUM}"
    if (folder / "done").exists():
        return folder
    with step("fetching Kafka Connect and Debezium from Maven (once)"):
        shutil.rmtree(folder, ignore_errors=True)
        for place, dependencies, excluded in (
            ("libs", RUNTIME, ""),
            ("plugins/debezium-mysql", CONNECTOR, PROVIDED),
        ):
            pom = folder / f"{place.replace('/', '-')}.xml"
            pom.parent.mkdir(parents=True, exist_ok=True)
            pom.write_text(_pom(dependencies))
            goal: list[str | Path] = ["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies",
                    "-DincludeScope=runtime",
                    f"-DoutputDirectory={folder / place}"]  # fmt: skip
            run([*goal, *([f"-DexcludeArtifactIds={excluded}"] if excluded else [])], env=maven.environment())
        (folder / "done").touch()
    return folder


def start(folder: Path, port: int, kafka: str) -> int:
    """Starts the worker with REST on 127.0.0.1:port; returns its process id."""
    built = install()
    process = Process("kafka-connect", folder)
    process.wipe()
    folder.mkdir(parents=True)
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
group.id=peer
config.storage.topic=peer-configs
offset.storage.topic=peer-offsets
status.storage.topic=peer-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
"""
    )
    (folder / "log4j2.properties").write_text("status=error\nrootLogger.level=WARN\n")
    with step(f"starting Kafka Connect on 127.0.0.1:{port}"):
        process.start(
            ["java", *JVM, f"-Dlog4j2.configurationFile={folder}/log4j2.properties",
             "-cp", f"{built}/libs/*", "org.apache.kafka.connect.cli.ConnectDistributed", folder / "worker.properties"],
            lambda: _answers(port), env=maven.environment(), seconds=180,
        )  # fmt: skip
    return process.pid() or 0


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/connectors", timeout=3) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def stop(folder: Path) -> None:
    Process("kafka-connect", folder).stop()
