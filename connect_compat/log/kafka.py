"""The log in Kafka: topics, `connect-<name>` groups, and Kafka Connect's own config, offsets and status topics."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import orjson
import structlog

from cdc.errors import ConfigError, LogError, Problem
from cdc.record import SourceOffset
from connect_compat.log import LogSettings, TopicPartition, TopicSpec
from connect_compat.log.kafka_admin import KafkaAdmin
from connect_compat.log.kafka_append import KafkaAppender, KafkaWriter, SharedWriter, offset_key, offset_value
from connect_compat.log.kafka_group import KafkaGroup
from connect_compat.log.kafka_hanging import HangingTransactions
from connect_compat.log.kafka_read import KafkaReader
from connect_compat.log.kafka_settings import consumer_settings, producer_settings, transaction_settings, translate
from connect_compat.log.kafka_store import HeldBack, KafkaStore, KafkaTopic, TopicScan
from connect_compat.log.kafka_transactions import TransactionalAppender

logger = structlog.get_logger(__name__)
_PARTITIONS = {"config": 1, "offset": 25, "status": 5, "assignment": 1}
_SUFFIX = {"config": "configs", "offset": "offsets", "status": "status"}
_FEW_RECORDS = {"linger.ms": "0", "enable.idempotence": "false", "max.in.flight.requests.per.connection": "1"}
"""In order, and perhaps twice, which compacted topics and the schema history bear: an idempotent producer's first
record waits half a second for its id."""
_NOT_TOPIC_SETTINGS = ("topic", "partitions", "replication.factor", "cleanup.policy", "file.filename")


class KafkaLog:
    """See `connect_compat.log.Log`. Nothing is connected before the first call; threads may share it."""

    def __init__(self, settings: LogSettings) -> None:
        """Raises: ConfigError: settings that no client can be made of."""
        address = settings.client.get("bootstrap.servers")
        if not address:
            raise ConfigError([Problem("bootstrap.servers", "bootstrap.servers names no broker; set it, "
                                       "or leave it out to use the embedded log")])  # fmt: skip
        self._settings, self._address = settings, address
        self._client = translate(settings.client)
        self._admin = KafkaAdmin(self._client, address)
        self._writer = SharedWriter(producer_settings(settings.client, _FEW_RECORDS), address)
        self._topic_writers: dict[tuple[tuple[str, str], ...], SharedWriter] = {}
        self._ensured: dict[str, tuple[str, int]] = {}
        self._held_back = False
        """Whether a transaction kept the offsets from being read; looked into when an appender is opened next."""
        self._ensuring = {kind: threading.Lock() for kind in _PARTITIONS}
        self._stores = {
            kind: KafkaStore(partial(self._ensure, kind), self._writer, self._scan) for kind in ("config", "status")
        }

    def _scan(self, topic: str, partitions: int) -> TopicScan:
        return TopicScan(self._client, self._admin, topic, partitions)

    def _ensure(self, kind: str) -> tuple[str, int]:
        """Creates the config, offset or status topic when it is missing; its name and number of partitions.

        Raises: LogError: it exists, but would forget records (cleanup.policy is not compact).
        """
        with self._ensuring[kind]:
            if kind not in self._ensured:
                name = self._internal_name(kind)
                if name not in self._admin.topics():
                    self._admin.create([self._internal_spec(kind, name)])
                else:
                    self._check_compacted(kind, name)
                count = self._admin.topics().get(name, self._internal_spec(kind, name).partitions)
                self._ensured[kind] = (name, count)
            return self._ensured[kind]

    def _internal_name(self, kind: str) -> str:
        if kind == "assignment":
            return self._internal_name("config") + "-assignments"
        return self._settings.internal.get(f"{kind}.storage.topic") or f"{self._settings.group_id}-{_SUFFIX[kind]}"

    def _internal_spec(self, kind: str, name: str) -> TopicSpec:
        prefix = "config.storage." if kind == "assignment" else f"{kind}.storage."
        given = {key.removeprefix(prefix): value for key, value in self._settings.internal.items()
                 if key.startswith(prefix)}  # fmt: skip
        partitions = 1 if kind in ("config", "assignment") else int(given.get("partitions", _PARTITIONS[kind]))
        config = {key: value for key, value in given.items() if key not in _NOT_TOPIC_SETTINGS}
        replication = int(given.get("replication.factor", 3))
        return TopicSpec(name, partitions, replication, config | {"cleanup.policy": "compact"})

    def _check_compacted(self, kind: str, name: str) -> None:
        policy = self._admin.topic_config(name).get("cleanup.policy", "")
        if policy != "compact":
            raise LogError(
                f"topic {name}, named by {kind}.storage.topic, has cleanup.policy={policy} and would forget connectors "
                f"and offsets; set it: kafka-configs --bootstrap-server {self._address} --alter --entity-type topics "
                f"--entity-name {name} --add-config cleanup.policy=compact"
            )

    def cluster_id(self) -> str:
        return self._admin.cluster_id()

    def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        known = self._admin.topics()
        self._admin.create([spec for spec in specs if spec.name not in known])

    def delete_topics(self, names: Sequence[str]) -> None:
        self._admin.delete(names)

    def topics(self) -> Mapping[str, int]:
        return self._admin.topics()

    def end_offsets(self, topic: str) -> Mapping[TopicPartition, int]:
        count = self._admin.topics().get(topic, 0)
        return self._admin.ends(topic, count) if count else {}

    def appender(self, connector: str, task: int, client: Mapping[str, str]) -> KafkaAppender:
        name = {"client.id": f"connector-producer-{connector}-{task}"}
        layers = [name, self._settings.client, self._settings.producer, client]
        if not self._settings.exactly_once:
            writer = KafkaWriter(producer_settings(*layers), self._address)
            return KafkaAppender(writer, connector, lambda: self._ensure("offset")[0])
        transactional = f"{self._settings.group_id}-{connector}-{task}"
        writer = KafkaWriter(transaction_settings(transactional, *layers), self._address)
        appender = TransactionalAppender(
            writer, connector, lambda: self._ensure("offset")[0], self._address, f"{connector}-{task}"
        )
        if self._held_back:
            self._held_back = False
            self._take_back(appender, connector, transactional)
        return appender

    def _take_back(self, appender: TransactionalAppender, connector: str, transactional: str) -> None:
        """Ends the task's last transaction if it is what holds the offsets back. Raises: LogUnavailable, LogError."""
        try:
            hanging = HangingTransactions(self._client, self._admin, transactional)
            held = hanging.held(lambda key: _belongs(key, connector))
            if held:
                appender.take_back(held)
                places = [f"{each.topic()}-{each.partition()}" for each in held]
                logger.warning("took back a transaction that Kafka had left open: its records come again",
                               transactional_id=transactional, partitions=places)  # fmt: skip
        except LogError:
            appender.close()
            raise

    def reader(self, group: str, topics: Sequence[str], pattern: str | None, client: Mapping[str, str]) -> KafkaReader:
        settings = consumer_settings(group, self._settings.client, self._settings.consumer, client)
        return KafkaReader(settings, self._address, topics, pattern)

    def source_offsets(self, connector: str) -> Sequence[SourceOffset]:
        newest = self._read_offsets(connector)
        return [SourceOffset(orjson.loads(key)[1], offset) for key, (_, offset) in _latest(newest).items()]

    def _read_offsets(self, connector: str) -> dict[bytes, tuple[int, Any]]:
        """Record key -> (timestamp, offset map) of every partition of the connector that is not forgotten."""
        scan = self._scan(*self._ensure("offset"))
        found: dict[bytes, tuple[int, Any]] = {}
        try:
            for message in scan.to_end():
                key, value = message.key(), message.value()
                if key is None or not _belongs(key, connector):
                    continue
                if value is None:
                    found.pop(key, None)
                else:
                    found[key] = (message.timestamp()[1], orjson.loads(value))
        except HeldBack:
            self._held_back = True
            raise
        finally:
            scan.close()
        return found

    def save_source_offsets(self, connector: str, offsets: Sequence[SourceOffset]) -> None:
        topic, _ = self._ensure("offset")
        known = self._read_offsets(connector)
        writer = self._writer()
        for partition, offset in offsets:
            new = offset_key(connector, partition)
            # Another writer may have put the members of the same map in another order: those keys go.
            for key in known:
                if key != new and orjson.loads(key)[1] == partition:
                    writer.write(topic, None, key)
            writer.write(topic, offset_value(offset), new)
        writer.wait()

    def group_offsets(self, group: str) -> Mapping[TopicPartition, int]:
        return self._admin.group_offsets(group)

    def alter_group_offsets(self, group: str, offsets: Mapping[TopicPartition, int | None]) -> None:
        self._admin.alter_group_offsets(group, offsets)

    def delete_group(self, group: str) -> None:
        self._admin.delete_group(group)

    def topic(self, name: str, client: Mapping[str, str]) -> KafkaTopic:
        """`client` wins over the log's own settings; with another `bootstrap.servers` it is all there is."""
        address = client.get("bootstrap.servers", self._address)
        common = dict(client) if address != self._address else {**self._settings.client, **client}
        settings = translate(common)
        admin = self._admin if not client else KafkaAdmin(settings, address)
        same = tuple(sorted(client.items()))
        if same not in self._topic_writers:
            self._topic_writers[same] = SharedWriter(producer_settings(common, _FEW_RECORDS), address)
        return KafkaTopic(name, admin, settings, self._topic_writers[same])

    def configs(self) -> KafkaStore:
        return self._stores["config"]

    def statuses(self) -> KafkaStore:
        return self._stores["status"]

    def group(self) -> KafkaGroup:
        """The worker group of `group.id`. Its orders stand beside the configs: `<config topic>-assignments`."""
        orders = KafkaStore(partial(self._ensure, "assignment"), self._writer, self._scan)
        watched = [partial(self._ensure, kind) for kind in ("config", "status", "assignment")]
        return KafkaGroup(
            self._client, self._admin, self._settings.group_id, orders, lambda: [each() for each in watched]
        )

    def clean(self) -> None:
        """Kafka's brokers clean their topics themselves."""

    def close(self) -> None:
        for store in self._stores.values():
            store.close()
        for writer in (self._writer, *self._topic_writers.values()):
            writer.close()


def _belongs(key: bytes, connector: str) -> bool:
    try:
        parsed = orjson.loads(key)
    except orjson.JSONDecodeError:
        return False
    return isinstance(parsed, list) and len(parsed) == 2 and parsed[0] == connector and isinstance(parsed[1], dict)


def _latest(found: Mapping[bytes, tuple[int, Any]]) -> dict[bytes, tuple[int, Any]]:
    """One entry a partition map: equal maps may stand under keys that differ in the order of their members."""
    chosen: dict[bytes, bytes] = {}
    for key, (timestamp, _) in found.items():
        same = orjson.dumps(orjson.loads(key)[1], option=orjson.OPT_SORT_KEYS)
        if same not in chosen or found[chosen[same]][0] <= timestamp:
            chosen[same] = key
    return {key: found[key] for key in chosen.values()}
