"""Where topics, offsets, connector configs and statuses live: Kafka, or one file. Same contract, same tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from cdc.record import SourceOffset, Topic

EncodedHeaders = Sequence[tuple[str, bytes | None]]
TopicPartition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A batch as bytes, ready for the log; attributes as in `cdc.record.Batch`."""

    topic: str
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    headers: Sequence[EncodedHeaders]
    partition: int | None = None
    timestamps: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.values)


class LogRecord(NamedTuple):
    """A record as it stands in the log. `timestamp` is milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: EncodedHeaders


@dataclass(frozen=True)
class TopicSpec:
    """A topic to create when it is missing. `partitions`/`replication` of -1: the log's own default."""

    name: str
    partitions: int = -1
    replication: int = -1
    config: Mapping[str, str] = field(default_factory=dict)


class Appender(Protocol):
    """One source task's way into the log. Order: record durable, then offset saved, then `flush` returns it."""

    def append(self, batches: Sequence[Encoded], offsets: Sequence[SourceOffset]) -> None:
        """Hands over records and the position after them. May return before they are durable.

        Raises: LogUnavailable, LogError: also for what an earlier call handed over.
        """

    def flush(self) -> Sequence[SourceOffset]:
        """Waits until all handed over is durable and the newest position of each partition saved; returns those."""

    def close(self) -> None:
        """Drops what was not flushed."""


class Reader(Protocol):
    """One sink task's way out of the log: a member of a consumer group."""

    def read(self, max_records: int, timeout_s: float) -> Sequence[LogRecord]:
        """Records in partition order, as soon as there are any; none when the timeout passes.

        Raises: LogUnavailable, LogError.
        """

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Durable on return: the next offset to read of each partition. Lost ones are left to their new owner."""

    def lost(self) -> Sequence[TopicPartition]:
        """Partitions taken away since the last call: what was read of them belongs to another member now.

        A read that loses partitions returns no records, so it is enough to ask after each read.
        """

    def pause(self) -> None:
        """Stay in the group, deliver nothing, until `resume`."""

    def resume(self) -> None: ...

    def backlog(self) -> int | None:
        """Records not yet delivered by `read`; None when unknown."""

    def close(self) -> None: ...


class Store(Protocol):
    """A compacted key-value topic (configs, statuses): JSON bytes under string keys."""

    def put(self, entries: Sequence[tuple[str, bytes | None]]) -> None:
        """Durable on return, in order; None deletes."""

    def all(self) -> Mapping[str, bytes]:
        """The newest value of every key, everything written before the call included."""


class Group(Protocol):
    """A worker's membership of its group."""

    @property
    def orders(self) -> Store:
        """Who runs what, as the leader says; see connect_compat/assignment.py."""

    def join(self, url: str, session_ms: int, heartbeat_ms: int) -> None:
        """Becomes a member that the others reach at `url`; after `session_ms` without a sign of life it is none."""

    def members(self) -> Mapping[str, str]:
        """Live workers, as `host:port` -> their URLs. Raises: LogUnavailable; LogError: this one cannot be a member."""

    def wait(self, timeout_s: float) -> bool:
        """Whether something was written to configs, statuses or orders, as soon as it is."""

    def close(self) -> None: ...


class Log(Protocol):
    """A log as one process sees it. Every method raises LogUnavailable when the log is away."""

    def cluster_id(self) -> str: ...

    def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        """Creates what is missing; leaves what exists as it is."""

    def delete_topics(self, names: Sequence[str]) -> None: ...

    def topics(self) -> Mapping[str, int]:
        """Name -> number of partitions."""

    def end_offsets(self, topic: str) -> Mapping[TopicPartition, int]:
        """The offset that the next record of each partition will get."""

    def appender(self, connector: str, task: int, client: Mapping[str, str]) -> Appender:
        """The task's only appender; open it before `source_offsets` is read, for it shuts out an earlier one.

        `client`: Kafka producer settings (`producer.` and `producer.override.`); the embedded log ignores them.
        """

    def reader(self, group: str, topics: Sequence[str], pattern: str | None, client: Mapping[str, str]) -> Reader:
        """A member of `group` on `topics`, or on every topic that the regular expression `pattern` fully matches."""

    def source_offsets(self, connector: str) -> Sequence[SourceOffset]:
        """Every saved position of the connector, oldest partition first."""

    def save_source_offsets(self, connector: str, offsets: Sequence[SourceOffset]) -> None:
        """Durable on return. Used while the connector is stopped, and by `Appender.flush`."""

    def group_offsets(self, group: str) -> Mapping[TopicPartition, int]: ...

    def alter_group_offsets(self, group: str, offsets: Mapping[TopicPartition, int | None]) -> None:
        """None deletes. Raises: LogError: the group still has members."""

    def delete_group(self, group: str) -> None: ...

    def topic(self, name: str, client: Mapping[str, str]) -> Topic:
        """A topic a source keeps for itself. `client` may name another `bootstrap.servers`."""

    def configs(self) -> Store: ...

    def statuses(self) -> Store: ...

    def group(self) -> Group:
        """The worker group. Raises: LogError: this log has one worker only."""

    def clean(self) -> None:
        """Applies retention and compaction where the log does not do so itself; for the worker, once in a while."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class LogSettings:
    """What a process needs to open the log; plain data, so that it can be handed to a task process.

    Attributes:
        path: folder of the embedded log; None when topics live in Kafka.
        client: Kafka settings common to all clients (`bootstrap.servers`, `security.protocol`, `ssl.*`, `sasl.*`).
        producer, consumer: what `producer.` and `consumer.` of the worker config add.
        group_id: the worker's `group.id`.
        internal: `config.storage.topic`, `offset.storage.topic`, `status.storage.topic` and their
            `.partitions`, `.replication.factor`.
        exactly_once: whether a source task's records and offsets go into Kafka as one transaction.
    """

    path: str | None = None
    client: Mapping[str, str] = field(default_factory=dict)
    producer: Mapping[str, str] = field(default_factory=dict)
    consumer: Mapping[str, str] = field(default_factory=dict)
    group_id: str = "tailrace"
    internal: Mapping[str, str] = field(default_factory=dict)
    exactly_once: bool = False


def open_log(settings: LogSettings) -> Log:
    """The log the settings name."""
    if settings.path is not None:
        from connect_compat.log.embedded import EmbeddedLog

        return EmbeddedLog(settings)
    from connect_compat.log.kafka import KafkaLog

    return KafkaLog(settings)
