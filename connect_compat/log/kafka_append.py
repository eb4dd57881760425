"""Records into Kafka, then the source offsets into Kafka Connect's offsets topic; never the other way round."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from operator import is_, length_hint
from typing import Any

import orjson
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from cdc.errors import LogError
from cdc.record import SourceOffset
from connect_compat.crash_points import passed
from connect_compat.log import Encoded
from connect_compat.log.kafka_errors import ANSWER_S, failure
from connect_compat.log.kafka_settings import build

_client_log = logging.getLogger("librdkafka")


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
        ours = {"on_delivery": self._not_delivered, "delivery.report.only.error": True,
                "error_cb": self._client_error, "logger": _client_log}  # fmt: skip
        self.producer = build(Producer, {**settings, **ours})
        self.produce = self.producer.produce

    def _not_delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None and self._failed is None:
            topic = message.topic() or ""
            size = len(message.value() or b"") + len(message.key() or b"")
            self._failed = failure(error, f"take a record of {size} bytes for topic {topic}", self._address, topic)

    def _client_error(self, error: KafkaError) -> None:
        self._reason = error
        if self._failed is None and (error.fatal() or error.code() == KafkaError._AUTHENTICATION):
            self._failed = failure(error, "write", self._address)

    @property
    def failed(self) -> bool:
        return self._failed is not None

    def check(self) -> None:
        """Raises: LogError, LogUnavailable: for anything that went wrong since the writer was opened."""
        if self._failed is not None:
            raise self._failed

    def write(self, topic: str, value: bytes | None, key: bytes | None, partition: int, timestamp: int,
              headers: Any) -> None:  # fmt: skip
        """Hands over one record; waits while the queue is full. For the few: `append` binds `produce` itself."""
        try:
            self.produce(topic, value, key, partition, None, None, timestamp, headers)
        except BufferError:
            self._write_when_free(topic, value, key, partition, timestamp, headers)
        except KafkaException as error:
            raise self._refused(error, topic, value, key) from error

    def _refused(self, error: KafkaException, topic: str, value: bytes | None, key: bytes | None) -> LogError:
        size = len(value or b"") + len(key or b"")
        return failure(error, f"take a record of {size} bytes for topic {topic}", self._address, topic)

    def _write_when_free(self, topic: str, value: bytes | None, key: bytes | None, partition: int, timestamp: int,
                         headers: Any) -> None:  # fmt: skip
        waiting = _Patience(self, "take records")
        while True:
            self.producer.poll(0.05)
            self.check()
            try:
                self.produce(topic, value, key, partition, None, None, timestamp, headers)
                return
            except BufferError:
                waiting.check()
            except KafkaException as error:
                raise self._refused(error, topic, value, key) from error

    def wait(self) -> None:
        """Returns when everything handed over is durable. Raises: LogError, LogUnavailable."""
        waiting = _Patience(self, "confirm records")
        while self.producer.flush(0.2):
            self.check()
            waiting.check()
        self.check()

    def give_up(self, doing: str) -> LogError:
        """Why nothing moves: the last thing the client complained of, if anything."""
        self._failed = failure(self._reason or TimeoutError(), doing, self._address)
        return self._failed

    def close(self) -> None:
        """Drops what is still queued."""
        self._failed = self._failed or failure(RuntimeError("the writer is closed"), "write", self._address)
        self.producer.purge()
        self.producer.flush(0.5)
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
            self._produce(batch)
        self._writer.producer.poll(0)
        for item in offsets:
            self._offsets[offset_key(self._connector, item.partition)] = item

    def _produce(self, batch: Encoded) -> None:
        """The hot loop runs in C: one call a record. `produce_batch` is no faster and takes no headers."""
        topic, keys, first = batch.topic, batch.keys, batch.headers[0] if batch else ()
        partition = -1 if batch.partition is None else batch.partition
        timestamps: Iterable[int] = repeat(0) if batch.timestamps is None else batch.timestamps
        headers: Iterable[Any] = repeat(list(first) or None)
        if not all(map(is_, batch.headers, repeat(first))):
            headers = [list(each) or None for each in batch.headers]
        values = iter(batch.values)
        calls = map(self._writer.produce, repeat(topic), values, keys, repeat(partition), repeat(None), repeat(None),
                    timestamps, headers)  # fmt: skip
        while True:
            try:
                deque(calls, 0)
                return
            except (BufferError, KafkaException):
                at = len(batch) - length_hint(values) - 1
                timestamp = 0 if batch.timestamps is None else batch.timestamps[at]
                self._writer.write(
                    topic, batch.values[at], keys[at], partition, timestamp, list(batch.headers[at]) or None
                )

    def flush(self) -> Sequence[SourceOffset]:
        writer = self._writer
        writer.wait()
        passed("log:records")
        saved = dict(self._offsets)
        if saved:
            topic = self._offsets_topic()
            for key, item in saved.items():
                writer.write(topic, offset_value(item.offset), key, -1, 0, None)
            writer.wait()
            self._offsets.clear()
        return list(saved.values())

    def close(self) -> None:
        self._offsets.clear()
        self._writer.close()
