"""Records into Kafka, then the source offsets into Kafka Connect's offsets topic; never the other way round."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from confluent_kafka import KafkaError, KafkaException

from cdc.errors import LogError
from cdc.record import SourceOffset
from connect_compat.crash_points import passed
from connect_compat.log import Encoded
from connect_compat.log.kafka_errors import ANSWER_S, failure
from connect_compat.log.kafka_producer import open_producer


def offset_key(connector: str, partition: Mapping[str, Any]) -> bytes:
    """The record key of a source partition, as Kafka Connect writes it: `["<connector>",{<partition>}]`."""
    return orjson.dumps([connector, dict(partition)])


def offset_value(offset: Mapping[str, Any] | None) -> bytes | None:
    return None if offset is None else orjson.dumps(dict(offset))


class KafkaWriter:
    """A producer that waits, within bounds, and tells of a failed delivery at the next call.

    After an error it is of no use: what was handed over may or may not be in the topics. Close it.
    """

    def __init__(self, settings: Mapping[str, Any], address: str) -> None:
        self._address = address
        self._failed: LogError | None = None
        self._reason: KafkaError | None = None
        self.producer = open_producer(settings, self)

    def undelivered(self, error: KafkaError, topic: str, size: int) -> None:
        if self._failed is None:
            self._failed = self._refused(error, topic, size)

    def complained(self, error: KafkaError) -> None:
        self._reason = error
        if self._failed is None and (error.fatal() or error.code() == KafkaError._AUTHENTICATION):
            self._failed = failure(error, "write", self._address)

    def _refused(self, error: KafkaError, topic: str, size: int) -> LogError:
        return failure(error, f"take a record of {size} bytes for topic {topic}", self._address, topic)

    @property
    def failed(self) -> bool:
        return self._failed is not None

    def check(self) -> None:
        """Raises: LogError, LogUnavailable: for anything that went wrong since the writer was opened."""
        if self._failed is not None:
            raise self._failed

    def write(self, topic: str, value: bytes | None, key: bytes | None, partition: int | None = None) -> None:
        """Hands over one record."""
        self.append(Encoded(topic, [key], [value], [()], partition))

    def append(self, batch: Encoded) -> None:
        """Hands over records; waits while the queue is full. Raises: LogError, LogUnavailable."""
        at, error = self._produce(batch, 0)
        if error is None:
            return
        waiting = _Patience(self, "take records")
        while error is not None:
            if error.code() != KafkaError._QUEUE_FULL:
                size = len(batch.values[at] or b"") + len(batch.keys[at] or b"")
                raise self._refused(error, batch.topic, size)
            self.poll(0.05)
            self.check()
            waiting.check()
            at, error = self._produce(batch, at)

    def _produce(self, batch: Encoded, at: int) -> tuple[int, KafkaError | None]:
        try:
            return self.producer.produce(batch, at)
        except KafkaException as error:
            raise failure(error, f"take records for topic {batch.topic}", self._address, batch.topic) from error

    def poll(self, timeout_s: float = 0) -> None:
        """Hears what has befallen earlier records."""
        try:
            self.producer.poll(timeout_s)
        except KafkaException as error:
            raise failure(error, "take records", self._address) from error

    def wait(self) -> None:
        """Returns when everything handed over is durable. Raises: LogError, LogUnavailable."""
        waiting = _Patience(self, "confirm records")
        try:
            while self.producer.flush(0.2):
                self.check()
                waiting.check()
        except KafkaException as error:
            raise failure(error, "confirm records", self._address) from error
        self.check()

    def give_up(self, doing: str) -> LogError:
        """Why nothing moves: the last thing the client complained of, if anything."""
        self._failed = failure(self._reason or TimeoutError(), doing, self._address)
        return self._failed

    def close(self) -> None:
        """Drops what is still queued. Why the client is of no use any more has been told."""
        self._failed = self._failed or failure(RuntimeError("the writer is closed"), "write", self._address)
        with contextlib.suppress(KafkaException):
            self.producer.purge()
            self.producer.flush(0.5)
        with contextlib.suppress(KafkaException):
            self.producer.close()


class SharedWriter:
    """A writer for the few records that are no task's: opened at the first use, replaced once it has failed."""

    def __init__(self, settings: Mapping[str, Any], address: str) -> None:
        self._settings, self._address = settings, address
        self._lock = threading.Lock()
        self._opened: KafkaWriter | None = None

    def __call__(self) -> KafkaWriter:
        with self._lock:
            if self._opened is not None and self._opened.failed:
                self._opened.close()
                self._opened = None
            if self._opened is None:
                self._opened = KafkaWriter(self._settings, self._address)
            return self._opened

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened.close()


class _Patience:
    """Raises once the queue has not moved for `ANSWER_S`."""

    def __init__(self, writer: KafkaWriter, doing: str) -> None:
        self._writer, self._doing = writer, doing
        self._left = len(writer.producer)
        self._since = time.monotonic()

    def check(self) -> None:
        left = len(self._writer.producer)
        if left != self._left:
            self._left, self._since = left, time.monotonic()
        elif time.monotonic() - self._since > ANSWER_S:
            raise self._writer.give_up(self._doing)


class KafkaAppender:
    """A source task's producer. `flush`: records delivered, then offsets delivered, then they are returned."""

    def __init__(self, writer: KafkaWriter, connector: str, save: Callable[[], str]) -> None:
        """`save`: makes sure that the offsets topic exists, and gives its name."""
        self._writer, self._connector, self._offsets_topic = writer, connector, save
        self._offsets: dict[bytes, SourceOffset] = {}

    def append(self, batches: Sequence[Encoded], offsets: Sequence[SourceOffset]) -> None:
        self._writer.check()
        for batch in batches:
            self._writer.append(batch)
        self._writer.poll()
        for item in offsets:
            self._offsets[offset_key(self._connector, item.partition)] = item

    def flush(self) -> Sequence[SourceOffset]:
        writer = self._writer
        writer.wait()
        passed("log:records")
        saved = dict(self._offsets)
        if saved:
            topic = self._offsets_topic()
            for key, item in saved.items():
                writer.write(topic, offset_value(item.offset), key)
            writer.wait()
            self._offsets.clear()
        return list(saved.values())

    def close(self) -> None:
        self._offsets.clear()
        self._writer.close()
