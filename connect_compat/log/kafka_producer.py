"""A producer of librdkafka by either of two engines: batches in, failed deliveries and the client's errors told.

The compiled one hands a batch over in one call, the other, confluent_kafka's, record by record. Both are clients of the
same library, so settings, errors and guarantees are the same.
"""

from __future__ import annotations

import logging
import warnings
from collections import deque
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import repeat
from operator import is_, length_hint
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer, cimpl

from cdc.native import hot
from connect_compat.log import Encoded
from connect_compat.log.kafka_settings import build

if TYPE_CHECKING:
    from cdc.native._hot import KafkaProducer

_log = structlog.get_logger(__name__)
_client_log = logging.getLogger("librdkafka")
_LEVELS: Final = (50, 50, 50, 40, 30, 20, 20, 10)
"""Python's levels for syslog's, emergency to debug."""

_CONFLUENT_ONLY: Final = frozenset({
    "default.topic.config", "plugin.library.paths", "sasl.oauthbearer.metadata.authentication.type",
})  # fmt: skip
"""Settings that confluent_kafka itself does something for."""


class Told(Protocol):
    """Who hears of what befalls a producer; on the thread that has called it."""

    def undelivered(self, error: KafkaError, topic: str, size: int) -> None:
        """A record of so many bytes is not in its topic, and will not be."""

    def complained(self, error: KafkaError) -> None:
        """Something is wrong with the client; only fatal errors end it."""


class BatchProducer(Protocol):
    """What `KafkaWriter` writes with. Every call but `len` and `close` may raise KafkaException.

    Times are in seconds. Everything is told during `poll`, `flush` and the calls for transactions.
    """

    def produce(self, batch: Encoded, at: int) -> tuple[int, KafkaError | None]:
        """Hands over the records from `at` on. Returns the first that was not taken and why: often a full queue."""

    def poll(self, timeout: float, /) -> object:
        """Waits until there is something to tell."""

    def flush(self, timeout: float, /) -> int:
        """Sends without lingering and waits; how many records are not durable yet."""

    def purge(self) -> object:
        """Gives up what is queued; each record is told as undelivered."""

    def __len__(self) -> int:
        """Records handed over and not yet durable, and what is not yet told."""

    def close(self) -> object: ...
    def init_transactions(self, timeout: float, /) -> object: ...
    def begin_transaction(self) -> object: ...
    def commit_transaction(self, timeout: float, /) -> object: ...
    def abort_transaction(self, timeout: float, /) -> object: ...


def open_producer(settings: Mapping[str, Any], told: Told) -> BatchProducer:
    """Raises: ConfigError."""
    make: type[Any] | None = getattr(hot, "KafkaProducer", None)
    if make is not None and not settings.keys() & _CONFLUENT_ONLY:
        try:
            return CompiledProducer(make, settings, told)
        except ImportError as error:
            _log.info("records are handed to Kafka one by one", reason=str(error))
    return ConfluentProducer(settings, told)


class CompiledProducer:
    """One call of compiled code a batch."""

    def __init__(self, make: type[KafkaProducer], settings: Mapping[str, Any], told: Told) -> None:
        """Raises: ImportError: librdkafka is not to be found in this process."""
        given = {name: str(value) for name, value in settings.items() if value is not None}
        own = build(partial(make, cimpl.__file__, _Listener(told)), given)
        self._produce, self._length = own.produce, own.__len__
        self.poll, self.flush, self.purge, self.close = own.poll, own.flush, own.purge, own.close
        self.init_transactions, self.begin_transaction = own.init_transactions, own.begin_transaction
        self.commit_transaction, self.abort_transaction = own.commit_transaction, own.abort_transaction

    def produce(self, batch: Encoded, at: int) -> tuple[int, KafkaError | None]:
        partition = -1 if batch.partition is None else batch.partition
        at, code = self._produce(batch.topic, batch.keys, batch.values, batch.headers, partition, batch.timestamps, at)
        return at, _refusal(code) if code else None

    def __len__(self) -> int:
        return self._length()


def _refusal(code: int) -> KafkaError:
    return KafkaError(code, f"Unable to produce message: {KafkaError(code).str()}")


class _Listener:
    """What the compiled producer tells, as confluent_kafka would have told it."""

    def __init__(self, told: Told) -> None:
        self._told = told

    def exception(self, code: int, reason: str, fatal: bool, retriable: bool, abort: bool) -> Exception:
        return KafkaException(KafkaError(code, reason, fatal, retriable, abort))

    def undelivered(self, code: int, topic: str, size: int) -> None:
        self._told.undelivered(KafkaError(code), topic, size)

    def complained(self, code: int, reason: str, fatal: bool) -> None:
        self._told.complained(KafkaError(code, reason, fatal))

    def logged(self, level: int, facility: str, client: str, line: str) -> None:
        _client_log.log(_LEVELS[level], "%s [%s] %s", facility, client, line)


class ConfluentProducer:
    """confluent_kafka's producer: a call a record. Its `produce_batch` is no faster and takes no headers."""

    def __init__(self, settings: Mapping[str, Any], told: Told) -> None:
        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                size = len(message.value() or b"") + len(message.key() or b"")
                told.undelivered(error, message.topic() or "", size)

        ours = {"on_delivery": delivered, "delivery.report.only.error": True,
                "error_cb": told.complained, "logger": _client_log}  # fmt: skip
        own = build(Producer, {**settings, **ours})
        self._produce, self._length, self._close = own.produce, own.__len__, own.close
        self.poll, self.flush, self.purge = own.poll, own.flush, own.purge
        self.init_transactions, self.begin_transaction = own.init_transactions, own.begin_transaction
        self.commit_transaction, self.abort_transaction = own.commit_transaction, own.abort_transaction

    def produce(self, batch: Encoded, at: int) -> tuple[int, KafkaError | None]:
        headers, values = batch.headers[at:], iter(batch.values[at:])
        first = headers[0] if headers else ()
        given: Iterable[Any] = repeat(list(first) or None)
        if not all(map(is_, headers, repeat(first))):
            given = [list(each) or None for each in headers]
        partition = -1 if batch.partition is None else batch.partition
        timestamps = repeat(0) if batch.timestamps is None else batch.timestamps[at:]
        calls = map(self._produce, repeat(batch.topic), values, batch.keys[at:], repeat(partition), repeat(None),
                    repeat(None), timestamps, given)  # fmt: skip
        try:
            deque(calls, 0)  # the loop runs in C
        except BufferError:
            return len(batch) - length_hint(values) - 1, KafkaError(KafkaError._QUEUE_FULL)
        except KafkaException as error:
            return len(batch) - length_hint(values) - 1, error.args[0]
        return len(batch), None

    def __len__(self) -> int:
        return self._length()

    def close(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of a transaction that it could not abort
            self._close()
