"""Keys that work but that Debezium's own definitions (and so `validate`) do not list."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from cdc.config import Importance
from cdc.keys.declare import declared, positive, topic_characters

_LOW = Importance.LOW
_unlisted = partial(declared, group="Advanced", internal=True)


@dataclass(frozen=True, kw_only=True)
class AdvancedKeys:
    """Those that every source reads."""

    topic_delimiter: str = _unlisted("topic.delimiter", default=".", check=topic_characters,
                                     doc="Between prefix, {home} and table in topic names.")  # fmt: skip
    topic_cache: int = _unlisted("topic.cache.size", default=10000, check=positive, importance=_LOW,
                                 doc="Accepted; every captured table keeps its topic name.")  # fmt: skip
    topic_heartbeat_prefix: str | None = _unlisted("topic.heartbeat.prefix", default=None, check=topic_characters,
                                                   doc="Heartbeats go to <this>.<topic.prefix>.")  # fmt: skip
    topic_heartbeat_name: str | None = _unlisted("topic.heartbeat.name", default=None, check=topic_characters,
                                                 doc="Heartbeats go to this topic.")  # fmt: skip
    topic_regex: str | None = _unlisted(
        "topic.regex", default=None, importance=_LOW,
        doc="With a regex naming strategy: names of topics (as they would be without it) to replace.",
    )  # fmt: skip
    topic_replacement: str | None = _unlisted("topic.replacement", default=None, importance=_LOW,
                                              doc="What they become; $1 is the first group.")  # fmt: skip
    topic_key_unique: bool = _unlisted(
        "topic.key.enforce.uniqueness", default=True, importance=_LOW,
        doc="With a regex naming strategy: add a field to keys that tells the tables of one topic apart.",
    )  # fmt: skip
    topic_key_field: str = _unlisted("topic.key.field.name", default="__dbz__physicalTableIdentifier",
                                     importance=_LOW, doc="Name of that field.")  # fmt: skip
    topic_key_regex: str | None = _unlisted("topic.key.field.regex", default=None, importance=_LOW,
                                            doc="Names of topics to shorten for that field.")  # fmt: skip
    topic_key_replacement: str | None = _unlisted("topic.key.field.replacement", default=None, importance=_LOW,
                                                  doc="What stands in the field for them.")  # fmt: skip
    topic_transaction: str = _unlisted("topic.transaction", default="transaction", importance=_LOW,
                                       check=topic_characters,
                                       doc="Transaction metadata goes to <topic.prefix>.<this>.")  # fmt: skip
    field_names: str = _unlisted("field.name.adjustment.mode", default="none", importance=_LOW,
                                 values=["none", "avro_unicode", "avro"],
                                 doc="Make field names legal for Avro.")  # fmt: skip
    convert_failure_mode: str = _unlisted("event.converting.failure.handling.mode", default="warn",
                                          values=["warn", "fail", "skip"],
                                          doc="What to do with a value that cannot be converted.")  # fmt: skip
    skip_unchanged: bool = _unlisted("skip.messages.without.change", default=False, importance=_LOW,
                                     doc="Leave out updates that change no captured column.")  # fmt: skip
    read_only: bool = _unlisted("read.only", default=False, importance=_LOW,
                                doc="Incremental snapshots without writing watermarks.")  # fmt: skip
    signal_max_retries: int = _unlisted("signal.emit.failure.max.retries", default=0, importance=_LOW,
                                        doc="Retries of a signal.")  # fmt: skip
    signal_backoff_ms: int = _unlisted("signal.emit.failure.backoff.ms", default=10000, importance=_LOW,
                                       doc="Milliseconds between them.")  # fmt: skip
    signal_file: str = _unlisted("signal.file", default="file-signals.txt", importance=_LOW,
                                 doc="File of the signal channel `file`.")  # fmt: skip
    signal_topic: str | None = _unlisted("signal.kafka.topic", default=None,
                                         doc="Topic of the signal channel `kafka`.")  # fmt: skip
    signal_servers: str | None = _unlisted("signal.kafka.bootstrap.servers", default=None,
                                           doc="Kafka brokers of that topic.")  # fmt: skip
    signal_timeout_ms: int = _unlisted("signal.kafka.poll.timeout.ms", default=0, importance=_LOW,
                                       doc="Milliseconds a look into that topic waits.")  # fmt: skip
    signal_group: str = _unlisted("signal.kafka.groupId", default="kafka-signal", importance=_LOW,
                                  doc="Consumer group on that topic.")  # fmt: skip
    dispatch_interval_ms: int = _unlisted("poll.dispatch.interval.ms", default=0, type="LONG", importance=_LOW,
                                          doc="Accepted, see poll.interval.ms.")  # fmt: skip
    queue_provider: str | None = _unlisted("queue.provider.type", default=None, importance=_LOW,
                                           doc="Accepted, see max.queue.size.")  # fmt: skip
    statistics: bool = _unlisted("statistics.metrics.enabled", default=True, importance=_LOW,
                                 doc="Accepted; metrics are always kept.")  # fmt: skip
    sanitize_field_names: bool = _unlisted("sanitize.field.names", default=False, importance=_LOW,
                                           doc="Debezium 1.x; see field.name.adjustment.mode.")  # fmt: skip
    transaction_topic: str | None = _unlisted("transaction.topic", default=None, importance=_LOW,
                                              doc="Debezium 1.x: full name of the transaction topic.")  # fmt: skip
