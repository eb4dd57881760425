"""Keys of the schema history."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from cdc.config import Importance
from cdc.keys.declare import declared, topic_characters

_HIGH, _LOW = Importance.HIGH, Importance.LOW
_history = partial(declared, group="History Storage")
_unlisted = partial(declared, group="Advanced", internal=True)


@dataclass(frozen=True, kw_only=True)
class HistoryKeys:
    """Those that `validate` lists."""

    history_class: str = _history(
        "schema.history.internal", default="io.debezium.storage.kafka.history.KafkaSchemaHistory", type="CLASS",
        importance=_LOW, aliases=["database.history"],
        doc="Where table definitions are kept; here always a topic of the log.",
    )  # fmt: skip
    skip_unparseable: bool = _history(
        "schema.history.internal.skip.unparseable.ddl", default=False, importance=_LOW,
        aliases=["database.history.skip.unparseable.ddl"], doc="Go on past DDL that cannot be understood.",
    )  # fmt: skip
    only_captured_tables: bool = _history(
        "schema.history.internal.store.only.captured.tables.ddl", default=False, importance=_LOW,
        aliases=["database.history.store.only.captured.tables.ddl",
                 "database.history.store.only.monitored.tables.ddl"],
        doc="Keep definitions of captured tables only, instead of all tables of the server.",
    )  # fmt: skip
    only_captured_databases: bool = _history(
        "schema.history.internal.store.only.captured.databases.ddl", default=False, importance=_LOW,
        doc="Keep definitions of captured databases only, instead of all tables of the server.",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class HistoryTopicKeys:
    """The topic that holds it."""

    history_topic: str | None = _unlisted(
        "schema.history.internal.kafka.topic", default=None, aliases=["database.history.kafka.topic"],
        importance=_HIGH, check=topic_characters, doc="Topic that holds the table definitions.",
    )  # fmt: skip
    history_servers: str | None = _unlisted(
        "schema.history.internal.kafka.bootstrap.servers", default=None, importance=_HIGH,
        aliases=["database.history.kafka.bootstrap.servers"],
        doc="Kafka brokers of that topic. On the embedded log it is accepted and not used.",
    )  # fmt: skip
    history_recovery_poll_ms: int = _unlisted(
        "schema.history.internal.kafka.recovery.poll.interval.ms", default=100, importance=_LOW,
        aliases=["database.history.kafka.recovery.poll.interval.ms"], doc="Accepted; recovery reads to the end.",
    )  # fmt: skip
    history_recovery_attempts: int = _unlisted(
        "schema.history.internal.kafka.recovery.attempts", default=100, importance=_LOW,
        aliases=["database.history.kafka.recovery.attempts"], doc="Accepted; recovery reads to the end.",
    )  # fmt: skip
    history_query_timeout_ms: int = _unlisted(
        "schema.history.internal.kafka.query.timeout.ms", default=3000, type="LONG", importance=_LOW,
        aliases=["database.history.kafka.query.timeout.ms"], doc="Accepted; the log's own time limits hold.",
    )  # fmt: skip
    history_create_timeout_ms: int = _unlisted(
        "schema.history.internal.kafka.create.timeout.ms", default=30000, type="LONG", importance=_LOW,
        doc="Accepted; the log's own time limits hold.",
    )  # fmt: skip
    history_batch: int = _unlisted("schema.history.internal.kafka.buffer.batch.size", default=1024, importance=_LOW,
                                   doc="Accepted; a snapshot's definitions are written together.")  # fmt: skip
    history_memory: bool = _unlisted("schema.history.internal.memory.optimization", default=False, importance=_LOW,
                                     doc="Accepted; equal tables share memory anyway.")  # fmt: skip
    history_ddl_filter: str | None = _unlisted(
        "schema.history.internal.ddl.filter", default=None, importance=_LOW,
        aliases=["internal.schema.history.internal.ddl.filter", "database.history.ddl.filter"],
        doc="Regular expressions of statements in the log to pass over; TRUNCATE is not. What cannot change a table is "
            "passed over anyway.",
    )  # fmt: skip
