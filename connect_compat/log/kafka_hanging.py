"""Hanging transactions: ended for the coordinator, and still open in the partitions, where readers wait for ever.

A broker that is shut down while no other has a replica takes partitions without a leader for deleted ones: a
transaction that ends in that moment is noted as ended, and they are never told (Kafka 4.3.1). What the coordinator has
noted stands in `__transaction_state`, in the format of Kafka's TransactionLogKey and TransactionLogValue. It needs
`Read` on that topic; without it the transaction hangs until an operator ends it.
"""

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connect_compat.log import TopicPartition as Place
from connect_compat.log.kafka_admin import KafkaAdmin
from connect_compat.log.kafka_errors import ANSWER_S, failure
from connect_compat.log.kafka_settings import build
from connect_compat.log.kafka_store import SCAN

log = structlog.get_logger(__name__)
_client_log = logging.getLogger("librdkafka")
_STATES: Final = "__transaction_state"
_PREPARED, _COMMITTED, _ENDED = (2, 3), 4, (4, 5)
"""PrepareCommit and PrepareAbort; CompleteCommit; it and CompleteAbort."""
_NEWEST: Final = 20_000
"""Records of the coordinator that are looked at: those of a whole outage, of all producers of one of its partitions."""
_STILL_S = 3.0
"""A reader's limit that stands so long is held by no transaction that is under way: a flush takes a moment."""


@dataclass(frozen=True)
class Ended:
    """How a transaction ended, and the partitions it had written to."""

    committed: bool
    places: frozenset[Place]


class HangingTransactions:
    """Those of one producer, as it finds them before it begins a new one."""

    def __init__(self, settings: Mapping[str, Any], admin: KafkaAdmin, transactional_id: str) -> None:
        self._admin, self._id = admin, transactional_id
        self._settings = {**settings, **SCAN, "isolation.level": "read_uncommitted", "logger": _client_log}

    def held(self, owns: Callable[[bytes], bool]) -> Sequence[Message]:
        """The first record of each partition that is held back; none when they may not be taken back, or in doubt.

        One of the partitions must be held by a record of the producer's own: `owns` says so of its key.

        Raises: LogUnavailable, LogError.
        """
        ended = self._ended()
        known = self._admin.topics()
        places = {place for each in ended for place in each.places if place[1] < known.get(place[0], 0)}
        limits = self._limits(places)
        if not limits or not may_be_taken_back(ended, limits.keys(), places):
            return ()
        time.sleep(_STILL_S)
        if self._limits(places) != limits:
            return ()
        records = [self._record(place, offset) for place, offset in limits.items()]
        found = [record for record in records if record is not None]
        if len(found) < len(records) or not any(owns(record.key() or b"") for record in found):
            return ()
        return found

    def _limits(self, places: Collection[Place]) -> dict[Place, int]:
        """Where readers of committed records stop, of each partition that has more."""
        committed, ends = self._admin.ends_of(places, committed=True), self._admin.ends_of(places)
        return {place: limit for place, limit in committed.items() if limit < ends[place]}

    def _ended(self) -> Sequence[Ended]:
        try:
            with closing(build(Consumer, self._settings)) as consumer:
                count = len(consumer.list_topics(_STATES, ANSWER_S).topics[_STATES].partitions)
                if not count:
                    return ()
                place = TopicPartition(_STATES, coordinator_partition(self._id, count))
                low, high = consumer.get_watermark_offsets(place, ANSWER_S)
                place.offset = max(low, high - _NEWEST)
                return ended_transactions(
                    self._id, ((each.key(), each.value()) for each in _read(consumer, place, high))
                )
        except KafkaException as error:
            failed = failure(error, "tell how the last transactions ended", self._admin.address, _STATES)
            log.warning("a transaction that may hang cannot be looked at", error=str(failed))
            return ()

    def _record(self, place: Place, offset: int) -> Message | None:
        try:
            with closing(build(Consumer, self._settings)) as consumer:
                return next(iter(_read(consumer, TopicPartition(*place, offset), offset + 1)), None)
        except KafkaException as error:
            raise failure(error, f"read topic {place[0]}", self._admin.address, place[0]) from error


def _read(consumer: Consumer, place: TopicPartition, end: int) -> Iterable[Message]:
    """The records of one partition from `place` to before `end`. Raises: KafkaException."""
    consumer.assign([place])
    since = time.monotonic()
    while time.monotonic() - since < ANSWER_S:
        for message in consumer.consume(500, 0.2):
            error = message.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:
                return
            if error is not None:
                raise KafkaException(error)
            if (message.offset() or 0) >= end:
                return
            since = time.monotonic()
            yield message
    raise KafkaException(KafkaError(KafkaError._TIMED_OUT))


def coordinator_partition(transactional_id: str, count: int) -> int:
    """The partition of `__transaction_state` that holds an id: Java's hash of the text."""
    hashed = 0
    for (unit,) in struct.iter_unpack(">H", transactional_id.encode("utf-16-be")):
        hashed = (31 * hashed + unit) & 0xFFFFFFFF
    signed = hashed - (1 << 32) if hashed >> 31 else hashed
    return (0 if signed == -(1 << 31) else abs(signed)) % count


def may_be_taken_back(ended: Sequence[Ended], held: Collection[Place], known: Collection[Place]) -> bool:
    """Whether nothing that shows of the transactions would lose another part of itself.

    Of a committed one that holds a partition, each of the others must be held too, or have been taken back: what hung
    there was ended by the next transaction that wrote there, and that one was aborted.

    Args:
        ended: the producer's, oldest first.
        held: partitions that an ended transaction holds.
        known: those that still exist.
    """
    for place in held:
        at = max(index for index, each in enumerate(ended) if place in each.places)
        if not ended[at].committed:
            continue
        for other in (ended[at].places & set(known)) - set(held):
            after = next((each for each in ended[at + 1 :] if other in each.places), None)
            if after is None or after.committed:
                return False
    return True


def ended_transactions(transactional_id: str, records: Iterable[tuple[bytes | None, bytes | None]]) -> list[Ended]:
    """Of keys and values of `__transaction_state`, oldest first; none when one is of an unknown format."""
    name = transactional_id.encode()
    wanted = struct.pack(">hh", 0, len(name)) + name
    places: frozenset[Place] = frozenset()
    found = []
    for key, value in records:
        if key != wanted or value is None:
            continue
        try:
            state, written = _state(value)
        except (struct.error, IndexError, UnicodeDecodeError):
            return []
        if state in _PREPARED:
            places = written
        elif state in _ENDED:
            found.append(Ended(state == _COMMITTED, places))
    return found


def _state(value: bytes) -> tuple[int, frozenset[Place]]:
    """Raises: struct.error, IndexError: it is cut off, or of a version that is not known."""
    version, _, _, _, state = struct.unpack_from(">hqhib", value)
    if version not in (0, 1):
        raise IndexError
    fields = _Fields(value, struct.calcsize(">hqhib"), compact=version == 1)
    places: set[Place] = set()
    for _ in range(fields.count()):
        topic = fields.text()
        places.update((topic, number) for number in fields.numbers())
        fields.tags()
    return state, frozenset(places)


class _Fields:
    """Kafka's fields, one after another. `compact`: as in its flexible versions."""

    def __init__(self, data: bytes, at: int, *, compact: bool) -> None:
        self._data, self._at, self._compact = data, at, compact

    def _take(self, form: str) -> tuple[int, ...]:
        found = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return found

    def _varint(self) -> int:
        found = shift = 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                return found
            shift += 7

    def count(self, plain: str = ">i") -> int:
        """Of an array, or with `>h` of a text's bytes; none when it is null."""
        return max(0, self._varint() - 1 if self._compact else self._take(plain)[0])

    def text(self) -> str:
        length = self.count(">h")
        start, self._at = self._at, self._at + length
        return self._data[start : self._at].decode()

    def numbers(self) -> tuple[int, ...]:
        return self._take(f">{self.count()}i")

    def tags(self) -> None:
        for _ in range(self._varint() if self._compact else 0):
            self._varint()
            size = self._varint()
            self._at += size
