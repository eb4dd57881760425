"""The workers that are compared, and how each is started: Tailrace, and the peer with and without tuning."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services import connect
from services.place import cache
from services.process import Process

_PROPERTIES: Final = """\
bootstrap.servers={kafka}
listeners=http://127.0.0.1:{port}
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=false
value.converter.schemas.enable=false
offset.flush.interval.ms=5000
"""
# What an operator does who wants speed: larger batches and queues, compression, five requests on their way.
_TUNED: Final = {
    "producer.override.linger.ms": "20",
    "producer.override.batch.size": "524288",
    "producer.override.compression.type": "lz4",
    "producer.override.buffer.memory": "134217728",
    "producer.override.max.in.flight.requests.per.connection": "5",
    "max.batch.size": "16384",
    "max.queue.size": "65536",
    "poll.interval.ms": "50",
}


@dataclass(frozen=True)
class Kind:
    """`settings`: of a source connector. `peer`: Kafka Connect with Debezium, on the JVM."""

    title: str
    peer: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


KINDS: Final = {
    "tailrace": Kind("Tailrace"),
    "python": Kind("Tailrace, pure Python", environment={"TAILRACE_PURE_PYTHON": "1"}),
    "tuned": Kind("Debezium tuned", peer=True, settings=_TUNED),
    "untuned": Kind("Debezium untuned", peer=True),
}


@dataclass(frozen=True)
class Worker:
    """One that runs."""

    name: str
    url: str
    pid: int

    @property
    def settings(self) -> Mapping[str, str]:
        return KINDS[self.name].settings


@contextmanager
def running(name: str, group: str, kafka: str) -> Iterator[Worker]:
    """A worker of the kind `name`, new, alone in its group."""
    folder, port, kind = cache() / "data" / "bench" / group, free_port(), KINDS[name]
    process = Process("kafka-connect" if kind.peer else "tailrace", folder)
    try:
        if kind.peer:
            connect.start(folder, port, kafka, connect.distributed(group))
        else:
            _start_tailrace(process, kind, port, _PROPERTIES.format(kafka=kafka, port=port), group)
        yield Worker(name, f"http://127.0.0.1:{port}", process.pid() or 0)
    finally:
        process.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _start_tailrace(process: Process, kind: Kind, port: int, settings: str, group: str) -> None:
    process.folder.mkdir(parents=True, exist_ok=True)
    properties = process.folder / "worker.properties"
    properties.write_text(settings + connect.distributed(group))
    program = Path(sys.executable).with_name("tailrace")
    process.start(
        [program, "distributed", properties, "--log-level", "warning"],
        lambda: connect.answers(port), env=kind.environment,
    )  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
