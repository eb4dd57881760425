"""Records out of Kafka: one consumer of the group `connect-<name>`, its rebalances, commits and backlog."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from cdc.errors import LogError
from connect_compat.log import LogRecord
from connect_compat.log import TopicPartition as Place
from connect_compat.log.kafka_errors import ANSWER_S, code_of, failure
from connect_compat.log.kafka_settings import build

_client_log = logging.getLogger("librdkafka")
_LOOK_S, _LONGEST_LOOK_S = 0.1, 3.0
_STALE_S = 10.0
"""A reader that got nothing for so long asks the broker for the ends of its partitions: nobody else tells it."""
_FENCED = {
    KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.FENCED_MEMBER_EPOCH, KafkaError.STALE_MEMBER_EPOCH, KafkaError._ASSIGNMENT_LOST,
    KafkaError._NO_OFFSET,
}  # fmt: skip
_HARMLESS = {KafkaError._PARTITION_EOF, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC,
             KafkaError._UNKNOWN_PARTITION, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN,
             KafkaError._RESOLVE, KafkaError._TIMED_OUT}  # fmt: skip
_NO_HEADERS: tuple[tuple[str, bytes | None], ...] = ()


def _record(message: Message) -> LogRecord:
    headers: Any = message.headers()
    return LogRecord(
        message.topic() or "", message.partition() or 0, message.offset() or 0, message.timestamp()[1],
        message.key(), message.value(), headers or _NO_HEADERS,
    )  # fmt: skip


class KafkaReader:
    """A member of the group. A topic that does not exist yet is waited for, never created.

    A regular expression is matched here, not by librdkafka, whose dialect is not Java's. New topics are looked for
    often at first, for source and sink are mostly created together, then every three seconds.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        address: str,
        topics: Sequence[str],
        pattern: str | None,
        client: Callable[[dict[str, Any]], Consumer] = Consumer,
    ) -> None:
        self._address, self._group = address, settings["group.id"]
        self._topics, self._pattern = list(topics), None if pattern is None else _compiled(pattern)
        self._subscribed: list[str] = []
        self._found: list[str] = []
        self._look_at, self._look_s = float("-inf"), _LOOK_S
        self._down: float | None = None
        self._failed: LogError | None = None
        self._paused = False
        self._held: list[LogRecord] = []
        self._lost: list[Place] = []
        self._losing = False
        self._late: dict[Place, int] = {}
        """What could not be committed during a rebalance."""
        self._next: dict[Place, int] = {}
        self._ends: dict[Place, int] = {}
        self._highs: dict[Place, int] = {}
        self._known_at = time.monotonic()
        callbacks = {"error_cb": self._client_error, "logger": _client_log}
        self._consumer = build(client, {**settings, **callbacks, "enable.partition.eof": "true"})

    def _client_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._down = self._down or time.monotonic()
        elif error.fatal() or error.code() == KafkaError._AUTHENTICATION:
            # Nothing heals this consumer (it was fenced by another of its group.instance.id), so it is no outage.
            self._failed = LogError(str(failure(error, f"let group {self._group} read", self._address, self._group)))

    def read(self, max_records: int, timeout_s: float) -> Sequence[LogRecord]:
        if self._held and not self._paused:
            held, self._held = self._held[:max_records], self._held[max_records:]
            return self._delivered(held)
        messages: list[Message] = []
        problem: LogError | None = None
        try:
            messages = self._consume(timeout_s)
            if messages and max_records > 1:
                messages += self._consumer.consume(max_records - 1, 0.0)
        except KafkaException as error:
            problem = failure(error, "read", self._address, self._group)
        found = [_record(message) for message in messages if message.error() is None]
        if len(found) != len(messages):
            problem = problem or self._problem(messages)
        problem = self._failed or problem
        if problem is not None:
            self._hold(found)  # the consumer will not give them again
            raise problem
        if not found:
            self._check_alive()
            if self._late and not self._losing:
                self._commit_late()
        else:
            self._down = None
        if self._losing or self._paused:
            return self._hold(found)
        return self._delivered(found)

    def _consume(self, timeout_s: float) -> list[Message]:
        """The first message, if any comes in time; new topics are looked for meanwhile."""
        deadline = time.monotonic() + timeout_s
        while True:
            if time.monotonic() >= self._look_at:
                self._look()
            wait_s = max(0.0, min(deadline, self._look_at) - time.monotonic())
            messages = self._consumer.consume(1, wait_s)
            if messages and self._is_end(messages[0]):
                messages = []
            if messages or self._losing or self._failed or time.monotonic() >= deadline:
                return messages

    def _problem(self, messages: Sequence[Message]) -> LogError | None:
        """The first of the events among records that is a failure."""
        for message in messages:
            error = message.error()
            if error is not None and not self._is_end(message) and error.code() not in _HARMLESS:
                topic = message.topic() or self._group
                return failure(error, f"read topic {topic}", self._address, topic)
        return None

    def _is_end(self, message: Message) -> bool:
        """Notes where a partition ends: behind its last record there may be marks of transactions."""
        error = message.error()
        if error is None or error.code() != KafkaError._PARTITION_EOF:
            return False
        self._ends[message.topic() or "", message.partition() or 0] = message.offset() or 0
        return True

    def _hold(self, found: list[LogRecord]) -> list[LogRecord]:
        """Keeps records for a later read: `lost` must be asked before them, and a paused reader delivers none."""
        assigned = {(place.topic, place.partition) for place in self._consumer.assignment()}
        self._held += [record for record in found if record[:2] in assigned]
        self._losing = False
        return []

    def _delivered(self, found: list[LogRecord]) -> list[LogRecord]:
        for record in found:
            self._next[record[:2]] = record.offset + 1
        if found:
            self._known_at = time.monotonic()
        return found

    def _check_alive(self) -> None:
        """Raises: LogUnavailable: no broker has answered for a while."""
        if self._down is None or time.monotonic() - self._down < ANSWER_S:
            return
        try:
            self._consumer.list_topics(timeout=2)
        except KafkaException as error:
            raise failure(error, "let me read: no broker answers", self._address) from error
        self._down = None

    def _look(self) -> None:
        if self._pattern is not None:
            self._follow(self._matching(self._pattern))
        elif not self._subscribed:
            self._follow(self._topics)
        else:
            self._look_for_missing()
        self._look_at = time.monotonic() + self._look_s
        if self._look_s == _LONGEST_LOOK_S and self._pattern is None:
            self._look_at = float("inf")  # from here on librdkafka looks itself, as often
        self._look_s = min(self._look_s * 1.5, _LONGEST_LOOK_S)

    def _follow(self, wanted: list[str]) -> None:
        if wanted and wanted != self._subscribed:
            self._consumer.subscribe(
                wanted, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
            )
            self._subscribed, self._look_s = wanted, _LOOK_S
        elif not wanted and self._subscribed:
            self._consumer.unsubscribe()
            self._subscribed = []

    def _matching(self, pattern: re.Pattern[str]) -> list[str]:
        try:
            found = self._consumer.list_topics(timeout=ANSWER_S).topics
        except KafkaException as error:
            raise failure(error, "list topics", self._address) from error
        return sorted(name for name in found if pattern.fullmatch(name) and not name.startswith("__"))

    def _look_for_missing(self) -> None:
        """Lists all topics: librdkafka then joins those of the subscription that are new, unless a rebalance is on."""
        try:
            topics = self._consumer.list_topics(timeout=1).topics
        except KafkaException:
            return  # an outage is told by what is read, or by `_check_alive`
        found = [topic for topic in self._topics if topic in topics and topics[topic].error is None]
        if found != self._found:
            self._found, self._look_s = found, _LOOK_S

    def _on_assign(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        self._assign(consumer, places)
        # A partition that was paused when it was taken away is still so when it comes back.
        (consumer.pause if self._paused else consumer.resume)(places)

    def _assign(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        """What librdkafka would do itself after the callback, done now: only assigned partitions can be paused."""
        try:
            consumer.incremental_assign(places)
        except KafkaException:
            consumer.assign(places)

    def _on_revoke(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        gone = {(place.topic, place.partition) for place in places}
        if gone:
            self._losing = True
            self._lost += sorted(gone)
            self._held = [record for record in self._held if record[:2] not in gone]
            for place in gone:
                self._late.pop(place, None)
                self._next.pop(place, None)
                self._ends.pop(place, None)
                self._highs.pop(place, None)

    def commit(self, offsets: Mapping[Place, int]) -> None:
        if not offsets:
            return
        places = [TopicPartition(topic, number, offset) for (topic, number), offset in offsets.items()]
        doing = f"commit offsets of group {self._group}"
        try:
            results = self._consumer.commit(offsets=places, asynchronous=False)
        except KafkaException as error:
            if code_of(error) not in _FENCED:
                raise failure(error, doing, self._address, self._group) from error
            self._late |= offsets  # a rebalance is under way: what is still ours after it is committed then
            return
        late = set()
        for each in results or []:
            if each.error is not None and each.error.code() not in _FENCED:
                raise failure(each.error, doing, self._address, self._group)
            if each.error is not None:
                late.add((each.topic, each.partition))
        for place, offset in offsets.items():
            if place in late:
                self._late[place] = offset
            else:
                self._late.pop(place, None)

    def _commit_late(self) -> None:
        assigned = {(place.topic, place.partition) for place in self._consumer.assignment()}
        self._late = {place: offset for place, offset in self._late.items() if place in assigned}
        self.commit(dict(self._late))

    def lost(self) -> Sequence[Place]:
        lost, self._lost = self._lost, []
        return lost

    def pause(self) -> None:
        self._paused = True
        self._consumer.pause(self._consumer.assignment())

    def resume(self) -> None:
        self._paused = False
        self._consumer.resume(self._consumer.assignment())

    def backlog(self) -> int | None:
        total = 0
        places = self._consumer.assignment()
        stale = time.monotonic() - self._known_at >= _STALE_S
        try:
            unread = [place for place in places if (place.topic, place.partition) not in self._next]
            for place in self._consumer.committed(unread, timeout=ANSWER_S) if unread else ():
                self._next[place.topic, place.partition] = max(place.offset, 0)
            for place in places:
                key = place.topic, place.partition
                low, high = self._consumer.get_watermark_offsets(place, cached=not stale, timeout=ANSWER_S)
                if high < 0:
                    low, high = self._consumer.get_watermark_offsets(place, timeout=ANSWER_S)
                self._highs[key] = high = max(high, self._highs.get(key, 0))
                total += max(0, high - max(self._next[key], low, 0 if self._held else self._ends.get(key, 0)))
        except KafkaException as error:
            raise failure(error, "tell the backlog", self._address, self._group) from error
        if stale:
            self._known_at = time.monotonic()
        return total

    def close(self) -> None:
        self._consumer.close()


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise LogError(f"topics.regex {pattern!r} is not a regular expression: {error}") from None
