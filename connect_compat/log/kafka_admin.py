"""Topics, offsets and groups of a Kafka cluster, each as one bounded call that fails in our words."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from cdc.errors import LogError, LogUnavailable
from connect_compat.log import TopicPartition as Place
from connect_compat.log import TopicSpec
from connect_compat.log.kafka_errors import ANSWER_S, NO_LEADER, code_of, failure, settled
from connect_compat.log.kafka_settings import build

_LEADERS_S = 10.0
_CONNECT_S = 3.0
_FOR_EVER_S = 3600.0
"""The longest that librdkafka takes."""
_client_log = logging.getLogger("librdkafka")


class KafkaAdmin:
    """One admin client. Opened at the first call; may be used by several threads."""

    def __init__(self, settings: Mapping[str, Any], address: str) -> None:
        self._settings, self.address = settings, address
        self._lock = threading.Lock()
        self._opened: AdminClient | None = None
        self._reason: KafkaError | None = None

    @property
    def client(self) -> AdminClient:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> AdminClient:
        callbacks = {"error_cb": self._client_error, "logger": _client_log}
        return build(AdminClient, {**self._settings, **callbacks})

    def _client_error(self, error: KafkaError) -> None:
        self._reason = error

    def _metadata(self, doing: str) -> Any:
        """A cluster that cannot be connected to is given up sooner than one that is slow."""
        self._tell()
        for timeout_s in (_CONNECT_S, ANSWER_S):
            try:
                return self.client.list_topics(timeout=timeout_s)
            except KafkaException as error:
                reason = self._tell()
                if code_of(error) not in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT):
                    raise failure(error, doing, self.address) from error
                if reason is not None:
                    raise failure(reason, doing, self.address) from error
        raise failure(TimeoutError(), doing, self.address)

    def _tell(self) -> KafkaError | None:
        """What the client complained of since the last call: nobody else polls it."""
        self._reason = None
        self.client.poll(0)
        return self._reason

    def cluster_id(self) -> str:
        return str(self._metadata("tell its cluster id").cluster_id)

    def topics(self) -> dict[str, int]:
        """Name -> number of partitions, the cluster's own topics left out."""
        found = self._metadata("list topics").topics
        return {
            name: len(topic.partitions)
            for name, topic in sorted(found.items())
            if topic.error is None and name not in ("__consumer_offsets", "__transaction_state")
        }

    def create(self, specs: Iterable[TopicSpec]) -> None:
        """Creates topics; one that exists already is left as it is. They are listed by `topics` on return."""
        wanted = {spec.name: spec for spec in specs}
        if not wanted:
            return
        new = [NewTopic(spec.name, spec.partitions, spec.replication, config=dict(spec.config))
               for spec in wanted.values()]  # fmt: skip
        for name, future in self._started(self.client.create_topics, new, "create topics").items():
            doing = f"create topic {name} ({_described(wanted[name])})"
            try:
                future.result(ANSWER_S)
            except KafkaException as error:
                if code_of(error) != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise failure(error, doing, self.address, name) from error
            except TimeoutError as error:
                raise failure(error, doing, self.address, name) from error
        self._await(lambda topics: wanted.keys() <= topics.keys())

    def _await(self, true: Callable[[Mapping[str, int]], bool]) -> None:
        """Waits a little until the brokers list what the controller has done already."""
        deadline = time.monotonic() + _LEADERS_S
        while not true(self.topics()) and time.monotonic() < deadline:
            time.sleep(0.01)

    def _by_coordinator(self, call: str, argument: Any, group: str, doing: str) -> Any:
        """The answer of a group's coordinator, through a client that lives no longer than the call.

        When a coordinator answers a request whose time is up, librdkafka (2.16) ends the whole process
        (confluentinc/librdkafka#4605), and so it does when this process stood still meanwhile. So the time is up here
        first: the request may take for ever, and its client goes. An outage is told before asking.
        """
        self._metadata(doing)
        client = self._open()
        futures = self._started(getattr(client, call), argument, doing, _FOR_EVER_S)
        return settled(futures[group], doing, self.address, group)

    def _started(self, call: Any, argument: Any, doing: str, timeout_s: float = ANSWER_S) -> dict[Any, Any]:
        try:
            futures: dict[Any, Any] = call(argument, request_timeout=timeout_s)
            return futures
        except (KafkaException, ValueError) as error:
            raise failure(error, doing, self.address) from error

    def delete(self, names: Sequence[str]) -> None:
        """Deletes those that exist. They are listed no more on return."""
        if not names:
            return
        for name, future in self._started(self.client.delete_topics, list(names), "delete topics").items():
            try:
                settled(future, f"delete topic {name}", self.address, name)
            except LogUnavailable as error:
                if code_of(error.__cause__ or error) != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise
        self._await(lambda topics: topics.keys().isdisjoint(names))

    def forget(self, topic: str, before: int) -> None:
        """Takes away the records of partition 0 with lower offsets.

        Raises: LogError: the topic is only compacted, or the user may not DELETE it.
        """
        place, doing = TopicPartition(topic, 0, before), f"delete the first records of topic {topic}"
        settled(self._started(self.client.delete_records, [place], doing)[place], doing, self.address, topic)

    def topic_config(self, name: str) -> dict[str, str]:
        resource = ConfigResource(ResourceType.TOPIC, name)
        futures = self._started(self.client.describe_configs, [resource], f"describe topic {name}")
        entries = settled(futures[resource], f"describe topic {name}", self.address, name)
        return {key: entry.value for key, entry in entries.items()}

    def ends(self, topic: str, count: int) -> dict[Place, int]:
        """The next offset of each partition. Waits a little for the leaders of a topic that was just made."""
        deadline = time.monotonic() + _LEADERS_S
        while True:
            try:
                return self.ends_of([(topic, number) for number in range(count)])
            except LogUnavailable as error:
                if code_of(error.__cause__ or error) not in NO_LEADER or time.monotonic() > deadline:
                    raise
            time.sleep(0.05)
            self._metadata(f"tell the leaders of topic {topic}")

    def ends_of(self, places: Iterable[Place], *, committed: bool = False) -> dict[Place, int]:
        """The next offset of each. `committed`: for readers of committed records, whom an open transaction stops."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(topic, number): latest for topic, number in places}
        if not asked:
            return {}
        doing = f"tell the end of topic {', '.join(sorted({place.topic for place in asked}))}"
        level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
        futures = self._started(partial(self.client.list_offsets, isolation_level=level), asked, doing)
        return {
            (place.topic, place.partition): settled(future, doing, self.address, place.topic).offset
            for place, future in futures.items()
        }

    def group_offsets(self, group: str) -> dict[Place, int]:
        asked = [ConsumerGroupTopicPartitions(group)]
        doing = f"tell the offsets of group {group}"
        try:
            found = self._by_coordinator("list_consumer_group_offsets", asked, group, doing)
        except LogError as error:
            if code_of(error.__cause__ or error) == KafkaError.GROUP_ID_NOT_FOUND:
                return {}
            raise
        places = sorted(found.topic_partitions, key=lambda place: (place.topic, place.partition))
        return {(place.topic, place.partition): place.offset for place in places if place.offset >= 0}

    def alter_group_offsets(self, group: str, offsets: Mapping[Place, int | None]) -> None:
        """None deletes. librdkafka's Python client deletes only whole groups, so the others are written again.

        Raises: LogError: the group still has members.
        """
        if any(offset is None for offset in offsets.values()):
            merged = {**self.group_offsets(group), **offsets}
            self.delete_group(group)
        else:
            merged = dict(offsets)
        places = [TopicPartition(topic, number, offset) for (topic, number), offset in merged.items()
                  if offset is not None]  # fmt: skip
        if not places:
            return
        doing = f"alter the offsets of group {group}"
        asked = [ConsumerGroupTopicPartitions(group, places)]
        done = self._by_coordinator("alter_consumer_group_offsets", asked, group, doing)
        for place in done.topic_partitions:
            if place.error is not None and place.error.code() == KafkaError.UNKNOWN_MEMBER_ID:
                raise LogError(f"group {group} still has members; stop the connector first")
            if place.error is not None:
                raise failure(place.error, f"{doing} for partition {place.partition} of topic {place.topic}",
                              self.address, place.topic)  # fmt: skip

    def group_members(self, group: str) -> list[str]:
        """Client ids of the live members."""
        doing = f"tell the members of group {group}"
        try:
            found = self._by_coordinator("describe_consumer_groups", [group], group, doing)
        except LogError as error:
            if code_of(error.__cause__ or error) == KafkaError.GROUP_ID_NOT_FOUND:
                return []
            raise
        return [str(member.client_id) for member in found.members]

    def delete_group(self, group: str) -> None:
        doing = f"delete group {group}"
        try:
            self._by_coordinator("delete_consumer_groups", [group], group, doing)
        except LogError as error:
            if code_of(error.__cause__ or error) != KafkaError.GROUP_ID_NOT_FOUND:
                raise


def _described(spec: TopicSpec) -> str:
    settings = {"partitions": spec.partitions, "replication.factor": spec.replication, **spec.config}
    return ", ".join(f"{name}={value}" for name, value in settings.items())
