"""A single-node Apache Kafka 4.3 (KRaft) from its jars."""

from __future__ import annotations

import socket
from pathlib import Path

from services import maven
from services.place import HERE, run, step
from services.process import Process

CLUSTER = "MkU3OEVBNTcwNTJENDM2Qg"


def _properties(folder: Path, port: int) -> str:
    control = port + 10001
    return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={folder}/logs
num.partitions=1
default.replication.factor=1
min.insync.replicas=1
auto.create.topics.enable=true
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=3
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
log.cleaner.backoff.ms=1000
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.threads=1
num.network.threads=2
num.io.threads=4
background.threads=2
"""


LOGGING = """\
status=error
appender.o.type=Console
appender.o.name=O
appender.o.layout.type=PatternLayout
appender.o.layout.pattern=[%d] %p %m (%c)%n
rootLogger.level=WARN
rootLogger.appenderRef.o.ref=O
"""


def start(folder: Path, port: int) -> None:
    """Formats `folder` when it is new and starts the broker."""
    libs = maven.jars("kafka-4.3.1", HERE / "kafka_broker") / "libs"
    process = Process("kafka", folder)
    if process.pid():
        return
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    conf = folder / "server.properties"
    conf.write_text(_properties(folder, port))
    (folder / "log4j2.properties").write_text(LOGGING)
    env = maven.environment()
    java = ["java", f"-Dlog4j2.configurationFile={folder}/log4j2.properties", "-cp", f"{libs}/*"]
    with step(f"starting Kafka on 127.0.0.1:{port}"):
        if not (folder / "logs/meta.properties").exists():
            run([*java, "-Xmx128m", "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", conf], env=env)
        memory = ["-Xms256m", "-Xmx768m", "-XX:+UseSerialGC"]
        process.start([java[0], *memory, *java[1:], "kafka.Kafka", conf], lambda: answers(port), env=env)


def answers(port: int) -> bool:
    """An ApiVersions answer: the broker serves, not only listens."""
    request = b"\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x01\x00\x00"  # ApiVersions v0, correlation 1, no client id
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(request)
            return len(connection.recv(8)) == 8
    except OSError:
        return False
