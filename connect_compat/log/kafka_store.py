"""Compacted topics as tables: Kafka Connect's config, status and offsets topics; and a source's own topic.

All are read from their first record to the end that stood when the call began, within a bounded time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from cdc.errors import LogUnavailable
from connect_compat.crash_points import passed
from connect_compat.log import TopicSpec
from connect_compat.log.kafka_admin import KafkaAdmin
from connect_compat.log.kafka_append import KafkaWriter
from connect_compat.log.kafka_errors import ANSWER_S, NO_LEADER, failure
from connect_compat.log.kafka_settings import build

_client_log = logging.getLogger("librdkafka")
SCAN = {
    "group.id": "tailrace-scan",
    "enable.auto.commit": "false",
    "enable.partition.eof": "true",
    "isolation.level": "read_committed",
    "auto.offset.reset": "earliest",
    "fetch.wait.max.ms": "100",
    "fetch.queue.backoff.ms": "10",
    "queued.max.messages.kbytes": "8192",
}


class HeldBack(LogUnavailable):
    """More is there, and readers of committed records do not get it."""


class TopicScan:
    """Reads a topic in turns: each `to_end` gives what was written since the one before."""

    def __init__(self, settings: Mapping[str, Any], admin: KafkaAdmin, topic: str, partitions: int) -> None:
        self._admin, self._topic, self._count = admin, topic, partitions
        self._reached: dict[int, int] = {}
        self._consumer = build(Consumer, {**settings, **SCAN, "logger": _client_log})

    def to_end(self) -> Iterator[Message]:
        """Raises: HeldBack: nothing came for a while, though more is there; LogUnavailable, LogError."""
        found = self._admin.ends(self._topic, self._count)
        ends = {number: end for (_, number), end in found.items() if end > 0}
        reached = self._reached
        # Empty partitions are not asked for anything: their fetches would only hold up the others'.
        if new := [number for number in ends if number not in reached]:
            self._consumer.incremental_assign([TopicPartition(self._topic, number, 0) for number in new])
            reached.update(dict.fromkeys(new, 0))
        since = time.monotonic()
        while any(reached[number] < end for number, end in ends.items()):
            for message in self._consumer.consume(500, 0.0) or self._consumer.consume(1, 0.2):
                error = message.error()
                number, offset = message.partition() or 0, message.offset() or 0
                before = reached.get(number, 0)
                if error is None:
                    reached[number] = offset + 1
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:
                    reached[number] = max(before, offset)
                elif error.code() in NO_LEADER:
                    continue  # librdkafka asks again; it is bounded as silence is
                else:
                    raise failure(error, f"read topic {self._topic}", self._admin.address, self._topic)
                if before < min(reached[number], ends.get(number, 0)):  # what is written meanwhile is not waited for
                    since = time.monotonic()
            if time.monotonic() - since > ANSWER_S:
                raise self._held_back(sorted(number for number, end in ends.items() if reached[number] < end))

    def _held_back(self, partitions: Sequence[int]) -> HeldBack:
        listed, address = ", ".join(map(str, partitions)), self._admin.address
        return HeldBack(
            f"Kafka at {address} could not read topic {self._topic}: nothing comes of partition {listed}, though more "
            "is there. If the broker answers otherwise, a transaction that never ended holds it back: "
            f"kafka-transactions --bootstrap-server {address} find-hanging --topic {self._topic} "
            "tells which, and abort ends it"
        )

    def close(self) -> None:
        self._consumer.close()


class KafkaStore:
    """A compacted topic under string keys. `all` reads only what is new since the last call."""

    def __init__(self, ensure: Callable[[], tuple[str, int]], writer: Callable[[], KafkaWriter],
                 scan: Callable[[str, int], TopicScan]) -> None:  # fmt: skip
        """`ensure`: makes sure that the topic exists; its name and number of partitions."""
        self._ensure, self._writer, self._open_scan = ensure, writer, scan
        self._lock = threading.Lock()
        self._scan: TopicScan | None = None
        self._entries: dict[str, bytes] = {}

    def put(self, entries: Sequence[tuple[str, bytes | None]]) -> None:
        topic, _ = self._ensure()
        writer = self._writer()
        for key, value in entries:
            writer.write(topic, value, key.encode())
        writer.wait()

    def all(self) -> Mapping[str, bytes]:
        with self._lock:
            if self._scan is None:
                self._scan = self._open_scan(*self._ensure())
            for message in self._scan.to_end():
                raw, value = message.key(), message.value()
                if raw is None:
                    continue
                key = raw.decode(errors="replace")
                self._entries.pop(key, None)
                if value is not None:
                    self._entries[key] = value
            return dict(self._entries)

    def close(self) -> None:
        with self._lock:
            if self._scan is not None:
                self._scan.close()


class KafkaTopic:
    """A topic a source keeps for itself: one partition, kept for ever."""

    def __init__(
        self, name: str, admin: KafkaAdmin, settings: Mapping[str, Any], writer: Callable[[], KafkaWriter]
    ) -> None:
        self._name, self._admin, self._settings, self._writer = name, admin, settings, writer

    def exists(self) -> bool:
        return self._name in self._admin.topics()

    def create(self) -> None:
        settings = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
        self._admin.create([TopicSpec(self._name, 1, config=settings)])

    def append(self, records: Sequence[tuple[bytes | None, bytes]]) -> None:
        writer = self._writer()
        for key, value in records:
            writer.write(self._name, value, key, 0)
        writer.wait()
        passed("topic:appended")

    def read(self) -> Iterator[tuple[bytes | None, bytes]]:
        for message in self._messages():
            yield message.key(), message.value() or b""

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        for message in self._messages():
            yield message.offset() or 0, message.value() or b""

    def forget(self, before: int) -> None:
        passed("topic:forgetting")
        self._admin.forget(self._name, before)
        passed("topic:forgotten")

    def _messages(self) -> Iterator[Message]:
        if not self.exists():
            return
        scan = TopicScan(self._settings, self._admin, self._name, 1)
        try:
            yield from scan.to_end()
        except KafkaException as error:
            raise failure(error, f"read topic {self._name}", self._admin.address, self._name) from error
        finally:
            scan.close()
