"""A worker's membership of its group in Kafka: who is alive, and a bell that rings when something was written.

Kafka's group coordinator alone says who is a member. A worker is a static member under its own address, so one that
is started again at once takes its own place, and nothing moves.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from cdc.errors import LogError
from connect_compat.log.kafka_admin import KafkaAdmin
from connect_compat.log.kafka_errors import failure
from connect_compat.log.kafka_settings import build
from connect_compat.log.kafka_store import KafkaStore

_client_log = logging.getLogger("librdkafka")
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9._-]")


class KafkaGroup:
    """See `connect_compat.cluster.Group`. One thread calls it, but for `orders`."""

    def __init__(
        self, settings: Mapping[str, Any], admin: KafkaAdmin, group: str, orders: KafkaStore,
        watched: Callable[[], Sequence[tuple[str, int]]],
    ) -> None:  # fmt: skip
        """`orders`: the topic of who runs what; `watched`: topics whose new records ring, with their partitions."""
        self.orders = orders
        self._settings, self._admin, self._name, self._watched = dict(settings), admin, group, watched
        self._member: Consumer | None = None
        self._bell: Consumer | None = None
        self._refused: KafkaError | None = None

    def join(self, url: str, session_ms: int, heartbeat_ms: int) -> None:
        """Becomes a member that the others reach at `url`. Raises: LogUnavailable, LogError."""
        places = self._watched()
        topic = places[-1][0]
        ends = {place: end for name, count in places for place, end in self._admin.ends(name, count).items()}
        self._bell = build(Consumer, {
            **self._settings, "group.id": f"{self._name}-bell", "enable.auto.commit": "false",
            "auto.offset.reset": "latest", "fetch.wait.max.ms": "500", "queued.max.messages.kbytes": "1024",
            "logger": _client_log,
        })  # fmt: skip
        self._bell.assign([TopicPartition(name, number, end) for (name, number), end in ends.items()])
        self._member = build(Consumer, {
            **self._settings, "group.id": self._name, "client.id": url,
            "group.instance.id": _NOT_IN_AN_ID.sub("-", url.partition("://")[2]),
            "partition.assignment.strategy": "cooperative-sticky", "enable.auto.commit": "false",
            "session.timeout.ms": str(session_ms), "heartbeat.interval.ms": str(heartbeat_ms),
            "max.poll.interval.ms": str(max(300_000, session_ms)),
            "error_cb": self._client_error, "logger": _client_log,
        })  # fmt: skip
        self._member.subscribe([topic], on_assign=_read_nothing)

    def _client_error(self, error: KafkaError) -> None:
        if error.fatal() or error.code() == KafkaError.FENCED_INSTANCE_ID:
            self._refused = error

    def members(self) -> dict[str, str]:
        """`host:port` of every live member -> its URL. Raises: LogUnavailable; LogError: another has our address."""
        assert self._member is not None
        self._member.poll(0)
        if self._refused is not None:
            raise LogError(
                f"another worker of group {self._name} says that it is at this worker's address "
                f"({self._refused.str()}): give each its own rest.advertised.host.name and rest.advertised.port"
            )
        found = self._admin.group_members(self._name)
        return {url.partition("://")[2]: url for url in found if "://" in url}

    def wait(self, timeout_s: float) -> bool:
        """Whether something was written, as soon as it is."""
        assert self._bell is not None and self._member is not None
        try:
            self._member.poll(0)
            rang = [each for each in self._bell.consume(1, timeout_s) if each.error() is None]
            if rang:
                self._bell.consume(1000, 0.0)
            return bool(rang)
        except KafkaException as error:
            raise failure(error, "watch the worker group's topics", self._admin.address) from error

    def close(self) -> None:
        """Leaves; a static member's place is kept for `session_ms`."""
        for consumer in (self._member, self._bell):
            if consumer is not None:
                consumer.close()
        self._member = self._bell = None
        self.orders.close()


def _read_nothing(consumer: Consumer, places: list[TopicPartition]) -> None:
    """The group is for membership; what stands in the topic is read by everybody."""
    consumer.incremental_assign(places)
    consumer.pause(places)
