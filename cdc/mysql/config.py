"""The keys of a MySQL source: names, types and defaults as Debezium 3.5 declares them, 1.x names as aliases.

A key that is declared here but does nothing yet is listed in `unsupported.py`, which refuses it or warns of it. The one
dataclass is this long because `validate` answers every key in Debezium's order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

from cdc.config import Importance, Password, at_least, between, key
from cdc.mysql.flavor import MYSQL, Flavor

_HIGH, _MEDIUM, _LOW = Importance.HIGH, Importance.MEDIUM, Importance.LOW
INVALID: Final = "The '{name}' value is invalid: {problem}"
"""Debezium's sentence for a wrong value."""

_MISTYPED: Final = {
    "BOOLEAN": "Either 'true' or 'false' is expected", "INT": "An integer is expected",
    "LONG": "A long value is expected", "DOUBLE": "A double value is expected",
}  # fmt: skip
_key = partial(key, invalid=INVALID, mistyped=_MISTYPED)
_mysql = partial(_key, group="MySQL")
_connector = partial(_key, group="Connector")
_history = partial(_key, group="History Storage")
_events = partial(_key, group="Events")
_unlisted = partial(_key, group="Advanced", internal=True)
"""A key that works but that Debezium's own definition (and so `validate`) does not list."""

_FAILURE_MODES: Final = ("warn", "fail", "ignore", "skip")
_BEYOND_INT: Final = 2**32 - 1


def _positive(value: int) -> str | None:
    return None if value > 0 else "A positive, non-zero integer value is expected"


def _not_negative(value: int) -> str | None:
    return None if value >= 0 else "A non-negative integer value is expected"


def _topic_characters(value: str) -> str | None:
    if re.fullmatch(r"[A-Za-z0-9._-]+", value):
        return None
    return f"{value} has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)"


def _java_regexes(value: Sequence[str] | str) -> str | None:
    """Java's regular expressions are nearly Python's; what does not compile here is refused with the reason."""
    for pattern in [value] if isinstance(value, str) else value:
        try:
            re.compile(pattern)
        except re.error as error:
            return f"A comma-separated list of valid regular expressions is expected, but {pattern!r}: {error}"
    return None


def _operations(value: Sequence[str]) -> str | None:
    unknown = [name for name in value if name not in ("c", "u", "d", "t", "none")]
    return f"Operations are c, u, d, t and none, not {', '.join(unknown)}" if unknown else None


def _time_precision(value: str) -> str | None:
    if value != "adaptive":
        return None
    return "The 'adaptive' time.precision.mode is no longer supported; use adaptive_time_microseconds"


server_key, connector_key, events_key, unlisted_key = _mysql, _connector, _events, _unlisted
"""For the keys that MariaDB's connector declares otherwise."""


@dataclass(frozen=True, kw_only=True)
class MySqlConfig:
    """What a MySQL source reads from its connector config; `None` where nothing was given and there is no default."""

    flavor: ClassVar[Flavor] = MYSQL

    topic_prefix: str = _mysql(
        "topic.prefix", default=None, needed=True, check=_topic_characters, importance=_HIGH,
        aliases=["database.server.name"],
        doc="Name of this database server; every topic of the connector begins with it. Never change it later.",
    )  # fmt: skip
    host: str = _mysql("database.hostname", default=None, needed=True, importance=_HIGH,
                       doc="Host name or address of the MySQL server.")  # fmt: skip
    port: int = _mysql("database.port", default=3306, check=between(1, 65535), importance=_HIGH,
                       doc="TCP port of the MySQL server.")  # fmt: skip
    user: str = _mysql("database.user", default=None, needed=True, importance=_HIGH, doc="User to log in as.")
    password: Password | None = _mysql(  # noqa: RUF009
        "database.password", default=None, importance=_HIGH, doc="That user's password."
    )
    query_timeout_ms: int = _mysql("database.query.timeout.ms", default=600000, check=_not_negative, importance=_LOW,
                                   doc="Milliseconds a query may take; 0 is no limit.")  # fmt: skip
    initial_statements: str | None = _mysql(
        "database.initial.statements", default=None, importance=_LOW,
        doc="SQL run on every connection that reads tables, separated by `;` (`;;` is a semicolon).",
    )  # fmt: skip
    server_id: int = _mysql(
        "database.server.id", default=None, needed=True, type="LONG", check=between(1, _BEYOND_INT), importance=_HIGH,
        doc="Number of this reader among the server's replicas; must differ from every other replica's.",
    )  # fmt: skip
    server_id_offset: int = _mysql("database.server.id.offset", default=10000, type="LONG", importance=_HIGH,
                                   doc="Debezium's distance between server ids of parallel snapshots.")  # fmt: skip
    ssl_keystore: str | None = _mysql("database.ssl.keystore", default=None,
                                      doc="File with the client's certificate and key: PEM or PKCS #12.")  # fmt: skip
    ssl_keystore_password: Password | None = _mysql(  # noqa: RUF009
        "database.ssl.keystore.password", default=None, doc="Password of the key store."
    )
    ssl_truststore: str | None = _mysql("database.ssl.truststore", default=None,
                                        doc="File with the authorities to trust: PEM or PKCS #12.")  # fmt: skip
    ssl_truststore_password: Password | None = _mysql(  # noqa: RUF009
        "database.ssl.truststore.password", default=None, doc="Password of the trust store."
    )
    jdbc_driver: str = _mysql("database.jdbc.driver", default="com.mysql.cj.jdbc.Driver", type="CLASS",
                              importance=_LOW, doc="Java driver class; accepted, there is no JDBC here.")  # fmt: skip
    protocol: str = _mysql("database.protocol", default="jdbc:mysql", importance=_LOW,
                           doc="JDBC protocol; accepted, there is no JDBC here.")  # fmt: skip
    ssl_mode: str = _mysql(
        "database.ssl.mode", default="preferred",
        values=["verify_identity", "disabled", "preferred", "required", "verify_ca"],
        doc="Whether to encrypt, and whether to check the server's certificate and name.",
    )  # fmt: skip

    event_failure_mode: str = _connector(
        "event.processing.failure.handling.mode", default="fail", values=_FAILURE_MODES,
        doc="What to do with an event that cannot be processed.",
    )  # fmt: skip
    max_batch_size: int = _connector("max.batch.size", default=2048, check=_positive,
                                     doc="Most records handed over at once while streaming.")  # fmt: skip
    max_queue_size: int = _connector("max.queue.size", default=8192, check=_positive,
                                     doc="Debezium's queue length; accepted, reading waits for the log.")  # fmt: skip
    poll_interval_ms: int = _connector("poll.interval.ms", default=500, type="LONG", check=_positive,
                                       doc="Debezium's pause between polls; accepted, reading blocks.")  # fmt: skip
    max_queue_bytes: int = _connector("max.queue.size.in.bytes", default=0, type="LONG", check=_not_negative,
                                      doc="Debezium's queue size; accepted, see max.queue.size.")  # fmt: skip
    transaction_metadata: bool = _connector("provide.transaction.metadata", default=False, importance=_LOW,
                                            doc="Write BEGIN and END of transactions to a topic.")  # fmt: skip
    skipped_operations: tuple[str, ...] = _connector(
        "skipped.operations", default=("t",), importance=_LOW, check=_operations,
        doc="Operations to leave out: c, u, d, t (truncate), or none.",
    )  # fmt: skip
    snapshot_delay_ms: int = _connector("snapshot.delay.ms", default=0, type="LONG", check=_not_negative,
                                        importance=_LOW, doc="Milliseconds to wait before a snapshot.")  # fmt: skip
    streaming_delay_ms: int = _connector("streaming.delay.ms", default=0, type="LONG", check=_not_negative,
                                         importance=_LOW, doc="Milliseconds to wait before streaming.")  # fmt: skip
    snapshot_tables: tuple[str, ...] | None = _connector(
        "snapshot.include.collection.list", default=None, check=_java_regexes,
        doc="Regular expressions of the captured tables whose rows the snapshot reads; all when empty.",
    )  # fmt: skip
    snapshot_fetch_size: int | None = _connector("snapshot.fetch.size", default=None, check=_not_negative,
                                                 doc="Rows handed over at once by a snapshot.")  # fmt: skip
    snapshot_threads: int = _connector("snapshot.max.threads", default=1, check=_positive,
                                       doc="Sessions of a snapshot, all in one consistent view.")  # fmt: skip
    snapshot_threads_multiplier: int = _connector("snapshot.max.threads.multiplier", default=1, check=_positive,
                                                  doc="Ranges of a large table for each of them.")  # fmt: skip
    legacy_snapshot_threads: bool = _connector(
        "internal.legacy.snapshot.max.threads", default=False, importance=_LOW,
        aliases=["legacy.snapshot.max.threads"],
        doc="Whole tables only in parallel snapshots, however large.",
    )  # fmt: skip
    snapshot_mode_custom: str | None = _connector("snapshot.mode.custom.name", default=None,
                                                  doc="Java snapshotter of snapshot.mode=custom.")  # fmt: skip
    based_snapshot_data: bool = _connector(
        "snapshot.mode.configuration.based.snapshot.data", default=False,
        doc="snapshot.mode=configuration_based: read rows.",
    )  # fmt: skip
    based_snapshot_schema: bool = _connector(
        "snapshot.mode.configuration.based.snapshot.schema", default=False,
        doc="snapshot.mode=configuration_based: read table definitions.",
    )  # fmt: skip
    based_start_stream: bool = _connector(
        "snapshot.mode.configuration.based.start.stream", default=False,
        doc="snapshot.mode=configuration_based: go on with the binlog afterwards.",
    )  # fmt: skip
    based_on_schema_error: bool = _connector(
        "snapshot.mode.configuration.based.snapshot.on.schema.error", default=False,
        doc="snapshot.mode=configuration_based: snapshot when the schema history is gone.",
    )  # fmt: skip
    based_on_data_error: bool = _connector(
        "snapshot.mode.configuration.based.snapshot.on.data.error", default=False,
        doc="snapshot.mode=configuration_based: snapshot when the stored position is gone from the binlog.",
    )  # fmt: skip
    retriable_wait_ms: int = _connector("retriable.restart.connector.wait.ms", default=10000, type="LONG",
                                        check=_positive, importance=_LOW,
                                        doc="Debezium's pause before a retry; accepted, retries back off.")  # fmt: skip
    query_fetch_size: int = _connector("query.fetch.size", default=0, check=_not_negative,
                                       doc="Accepted; results are always read row by row.")  # fmt: skip
    errors_max_retries: int = _connector("errors.max.retries", default=-1, importance=_LOW, check=at_least(-1),
                                         doc="Debezium's number of retries; outages are retried for ever.")  # fmt: skip
    watermarking: str = _connector(
        "incremental.snapshot.watermarking.strategy", default="INSERT_INSERT", importance=_LOW,
        values=["insert_delete", "insert_insert"], doc="How an incremental snapshot closes its window.",
    )  # fmt: skip
    log_position_check: bool = _connector(
        "internal.log.position.check.enable", default=True,
        doc="At start, look whether the server still has the binlog after the stored position.",
    )  # fmt: skip
    advanced_metrics: bool = _connector("internal.advanced.metrics.enable", default=False,
                                        doc="Debezium's advanced metrics.")  # fmt: skip
    validation_timeout_ms: int = _connector("connection.validation.timeout.ms", default=60000, type="LONG",
                                            check=_positive, importance=_LOW,
                                            doc="Most milliseconds that `validate` waits for the server.")  # fmt: skip
    shutdown_timeout_ms: int = _connector("executor.shutdown.timeout.ms", default=4000, type="LONG",
                                          doc="Milliseconds Debezium waits for its threads; accepted.")  # fmt: skip
    lineage: bool = _connector("openlineage.integration.enabled", default=False, importance=_LOW,
                               doc="Send OpenLineage events.")  # fmt: skip
    lineage_file: str = _connector("openlineage.integration.config.file.path", default="./openlineage.yml",
                                   importance=_LOW, doc="OpenLineage's own config file.")  # fmt: skip
    lineage_namespace: str | None = _connector("openlineage.integration.job.namespace", default=None,
                                               importance=_LOW, doc="OpenLineage job namespace.")  # fmt: skip
    lineage_description: str = _connector(
        "openlineage.integration.job.description", default="Debezium change data capture job", importance=_LOW,
        doc="OpenLineage job description.",
    )  # fmt: skip
    lineage_tags: tuple[str, ...] | None = _connector("openlineage.integration.job.tags", default=None,
                                                      importance=_LOW, doc="OpenLineage job tags.")  # fmt: skip
    lineage_owners: tuple[str, ...] | None = _connector("openlineage.integration.job.owners", default=None,
                                                        importance=_LOW, doc="OpenLineage job owners.")  # fmt: skip
    lineage_servers: str | None = _connector("openlineage.integration.dataset.kafka.bootstrap.servers", default=None,
                                             importance=_LOW, doc="OpenLineage data set address.")  # fmt: skip
    extended_headers: bool = _connector("extended.headers.enabled", default=True, importance=_LOW,
                                        doc="Add the __debezium.context headers to every event.")  # fmt: skip
    guardrail_max: int = _connector("guardrail.collections.max", default=0, check=_not_negative,
                                    doc="Most tables the connector may capture; 0 is no limit.")  # fmt: skip
    guardrail_action: str = _connector("guardrail.collections.limit.action", default="warn", values=["warn", "fail"],
                                       doc="What to do past guardrail.collections.max.")  # fmt: skip
    sanitize_pattern: str = _connector(
        "custom.sanitize.pattern", importance=_LOW, check=_java_regexes,
        default=r".*secret$|.*password$|.*sasl\.jaas\.config$|.*basic\.auth\.user\.info"
                r"|.*registry\.auth\.client-secret",
        doc="Keys whose values Debezium hides in its log; accepted, config values are never logged here.",
    )  # fmt: skip
    decimal_mode: str = _connector("decimal.handling.mode", default="precise", values=["string", "double", "precise"],
                                   doc="DECIMAL and NUMERIC as Decimal, text or double.")  # fmt: skip
    lock_timeout_ms: int = _connector("snapshot.lock.timeout.ms", default=10000, type="LONG", check=_not_negative,
                                      doc="Most milliseconds a snapshot waits for its locks.")  # fmt: skip
    connect_timeout_ms: int = _connector("connect.timeout.ms", default=30000, check=_not_negative,
                                         doc="Most milliseconds to wait for a connection.")  # fmt: skip
    keep_alive: bool = _connector("connect.keep.alive", default=True, importance=_LOW,
                                  doc="Notice a binlog connection that died silently, and connect again.")  # fmt: skip
    keep_alive_ms: int = _connector("connect.keep.alive.interval.ms", default=60000, type="LONG", check=_positive,
                                    importance=_LOW, doc="Milliseconds between such checks.")  # fmt: skip
    nongraceful_disconnect: bool = _connector("use.nongraceful.disconnect", default=False,
                                              doc="Accepted; disconnecting never waits.")  # fmt: skip
    net_write_timeout_s: int = _connector("binlog.net.write.timeout", default=0, type="LONG", check=_not_negative,
                                          doc="Seconds, for the binlog session; 0 keeps the server's.")  # fmt: skip
    net_read_timeout_s: int = _connector("binlog.net.read.timeout", default=0, type="LONG", check=_not_negative,
                                         doc="Seconds, for the binlog session; 0 keeps the server's.")  # fmt: skip
    snapshot_mode: str = _connector(
        "snapshot.mode", default="initial", importance=_LOW,
        values=["always", "never", "initial_only", "configuration_based", "when_needed", "initial", "custom",
                "no_data", "recovery"],
        old_values={"schema_only": "no_data", "schema_only_recovery": "recovery"},
        doc="When to read the tables before the binlog.",
    )  # fmt: skip
    snapshot_query_mode: str = _connector("snapshot.query.mode", default="select_all", importance=_LOW,
                                          values=["custom", "select_all"],
                                          doc="How a snapshot selects rows.")  # fmt: skip
    snapshot_query_custom: str | None = _connector("snapshot.query.mode.custom.name", default=None,
                                                   doc="Java class of snapshot.query.mode=custom.")  # fmt: skip
    bigint_unsigned: str = _connector("bigint.unsigned.handling.mode", default="long", values=["precise", "long"],
                                      doc="BIGINT UNSIGNED as int64 (may overflow) or Decimal.")  # fmt: skip
    time_precision: str = _connector(
        "time.precision.mode", default="adaptive_time_microseconds", check=_time_precision,
        values=["adaptive", "adaptive_time_microseconds", "isostring", "microseconds", "nanoseconds", "connect"],
        doc="Unit and schema of dates and times.",
    )  # fmt: skip
    adjust_years: bool = _connector("enable.time.adjuster", default=True, importance=_LOW,
                                    doc="Years 0-69 are 2000-2069, 70-99 are 1970-1999, as MySQL has it.")  # fmt: skip
    schema_names: str = _connector("schema.name.adjustment.mode", default="none", importance=_LOW,
                                   values=["none", "avro_unicode", "avro"],
                                   doc="Make schema names legal for Avro.")  # fmt: skip
    min_rows_to_stream: int = _connector("min.row.count.to.stream.results", default=1000, check=_not_negative,
                                         importance=_LOW, doc="Accepted; results are always streamed.")  # fmt: skip
    incremental_chunk: int = _connector("incremental.snapshot.chunk.size", default=1024, check=_positive,
                                        doc="Rows of one chunk of an incremental snapshot.")  # fmt: skip
    incremental_ddl: bool = _connector("incremental.snapshot.allow.schema.changes", default=False, importance=_LOW,
                                       doc="Allow DDL while an incremental snapshot runs.")  # fmt: skip
    locking_mode: str = _connector(
        "snapshot.locking.mode", default="minimal", importance=_LOW,
        values=["minimal", "minimal_percona", "custom", "none", "minimal_percona_no_table_locks", "extended"],
        doc="How long a snapshot keeps writers out: milliseconds (minimal), its whole time (extended), not at all.",
    )  # fmt: skip

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

    converters: str | None = _events("converters", default=None, importance=_LOW,
                                     doc="Names of column converters; `<name>.type` is a class.")  # fmt: skip
    post_processors: str | None = _events("post.processors", default=None, importance=_LOW,
                                          doc="Names of post processors.")  # fmt: skip
    tombstones: bool = _events("tombstones.on.delete", default=True,
                               doc="After a delete, write a record with the key and no value.")  # fmt: skip
    heartbeat_ms: int = _events("heartbeat.interval.ms", default=0, check=_not_negative,
                                doc="Milliseconds between heartbeat records; 0 sends none.")  # fmt: skip
    heartbeat_topics_prefix: str = _events("heartbeat.topics.prefix", default="__debezium-heartbeat", importance=_LOW,
                                           doc="Older name of topic.heartbeat.prefix.")  # fmt: skip
    signal_tables: tuple[str, ...] | None = _events("signal.data.collection", default=None,
                                                    doc="Table that signals are inserted into.")  # fmt: skip
    signal_poll_ms: int = _events("signal.poll.interval.ms", default=5000, type="LONG", check=_positive,
                                  doc="Milliseconds between looks for signals.")  # fmt: skip
    signal_channels: tuple[str, ...] = _events("signal.enabled.channels", default=("source",),
                                               doc="Where signals come from.")  # fmt: skip
    topic_naming: str = _events("topic.naming.strategy", default="io.debezium.schema.SchemaTopicNamingStrategy",
                                type="CLASS", doc="How topics are named.")  # fmt: skip
    notification_channels: tuple[str, ...] | None = _events("notification.enabled.channels", default=None,
                                                            doc="Where notifications go.")  # fmt: skip
    notification_topic: str | None = _events("notification.sink.topic.name", default=None, importance=_HIGH,
                                             doc="Topic of notifications.")  # fmt: skip
    transaction_factory: str = _events(
        "transaction.metadata.factory", default="io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory",
        type="CLASS", importance=_LOW, doc="Java class for transaction metadata.",
    )  # fmt: skip
    metric_tags: tuple[str, ...] | None = _events("custom.metric.tags", default=None, importance=_LOW,
                                                  doc="Tags of JMX metrics; there is no JMX here.")  # fmt: skip
    column_include: tuple[str, ...] | None = _events(
        "column.include.list", default=None, check=_java_regexes, aliases=["column.whitelist"],
        doc="Regular expressions of `db.table.column` to capture; key columns always are.",
    )  # fmt: skip
    column_exclude: tuple[str, ...] | None = _events(
        "column.exclude.list", default=None, check=_java_regexes, aliases=["column.blacklist"],
        doc="Regular expressions of `db.table.column` to leave out.",
    )  # fmt: skip
    table_include: tuple[str, ...] | None = _events(
        "table.include.list", default=None, check=_java_regexes, importance=_HIGH, aliases=["table.whitelist"],
        doc="Regular expressions of `db.table` to capture.",
    )  # fmt: skip
    table_exclude: tuple[str, ...] | None = _events(
        "table.exclude.list", default=None, check=_java_regexes, aliases=["table.blacklist"],
        doc="Regular expressions of `db.table` to leave out.",
    )  # fmt: skip
    key_columns: str | None = _events("message.key.columns", default=None,
                                      doc="Keys other than the primary key: `regex:col,col;regex:col`.")  # fmt: skip
    select_overrides: str | None = _events(
        "snapshot.select.statement.overrides", default=None,
        doc="Tables (`db.table`, comma separated) with a SELECT of their own in "
            "snapshot.select.statement.overrides.<db>.<table>.",
    )  # fmt: skip
    mask_hash: str | None = _events("column.mask.hash.([^.]+).with.salt.(.+)", default=None,
                                    doc="Columns to replace by a salted hash.")  # fmt: skip
    mask_with: str | None = _events("column.mask.with.(d+).chars", default=None,
                                    doc="Columns to replace by asterisks.")  # fmt: skip
    truncate_to: int | None = _events("column.truncate.to.(d+).chars", default=None, doc="Columns to cut.")
    schema_changes: bool = _events("include.schema.changes", default=True,
                                   doc="Write DDL to the topic named by topic.prefix.")  # fmt: skip
    schema_comments: bool = _events("include.schema.comments", default=False,
                                    doc="Keep comments of tables and columns.")  # fmt: skip
    propagate_columns: tuple[str, ...] | None = _events(
        "column.propagate.source.type", default=None, check=_java_regexes,
        doc="Columns whose field schemas carry their MySQL type.",
    )  # fmt: skip
    propagate_types: tuple[str, ...] | None = _events(
        "datatype.propagate.source.type", default=None, check=_java_regexes,
        doc="`db.type` whose field schemas carry their MySQL type.",
    )  # fmt: skip
    scan_all_columns: bool = _events("internal.snapshot.scan.all.columns.force", default=False, importance=_LOW,
                                     doc="Accepted; tables are described by their DDL.")  # fmt: skip
    tables_by_row_count: str = _events(
        "snapshot.tables.order.by.row.count", default="disabled", values=["disabled", "ascending", "descending"],
        doc="Order in which a snapshot reads the tables.",
    )  # fmt: skip
    heartbeat_query: str | None = _events("heartbeat.action.query", default=None, importance=_LOW,
                                          doc="SQL to run with each heartbeat.")  # fmt: skip
    include_query: bool = _events("include.query", default=False,
                                  doc="Put the SQL into source.query (binlog_rows_query_log_events=ON).")  # fmt: skip
    ignore_builtin: bool = _events("table.ignore.builtin", default=True, importance=_LOW,
                                   depends_on=["database.include.list"],
                                   doc="Leave out mysql, performance_schema, sys and information_schema.")  # fmt: skip
    database_include: tuple[str, ...] | None = _events(
        "database.include.list", default=None, check=_java_regexes, importance=_HIGH, aliases=["database.whitelist"],
        depends_on=["table.include.list"], doc="Regular expressions of databases to capture.",
    )  # fmt: skip
    database_exclude: tuple[str, ...] | None = _events(
        "database.exclude.list", default=None, check=_java_regexes, aliases=["database.blacklist"],
        doc="Regular expressions of databases to leave out.",
    )  # fmt: skip
    binlog_buffer: int = _events("binlog.buffer.size", default=0, check=_not_negative,
                                 doc="Accepted; ROW format holds committed transactions only.")  # fmt: skip
    decode_failure_mode: str = _events(
        "event.deserialization.failure.handling.mode", default="fail", values=_FAILURE_MODES,
        doc="What to do with binlog bytes that cannot be decoded.",
    )  # fmt: skip
    inconsistent_mode: str = _events("inconsistent.schema.handling.mode", default="fail", values=_FAILURE_MODES,
                                     doc="What to do with rows of a table that is not known.")  # fmt: skip
    gtid_filter: bool = _events("gtid.source.filter.dml.events", default=True,
                                doc="Leave out rows of servers that the two lists leave out.")  # fmt: skip
    gtid_includes: tuple[str, ...] | None = _events(
        "gtid.source.includes", default=None, check=_java_regexes, importance=_HIGH, depends_on=["table.include.list"],
        doc="Regular expressions of server UUIDs whose GTIDs count.",
    )  # fmt: skip
    gtid_excludes: str | None = _events("gtid.source.excludes", default=None,
                                        doc="Regular expressions of server UUIDs to leave out.")  # fmt: skip
    source_maker: str = _events(
        "sourceinfo.struct.maker", default="io.debezium.connector.mysql.MySqlSourceInfoStructMaker", type="CLASS",
        importance=_LOW, doc="Java class that makes the source block.",
    )  # fmt: skip

    history_topic: str | None = _unlisted(
        "schema.history.internal.kafka.topic", default=None, aliases=["database.history.kafka.topic"],
        importance=_HIGH, check=_topic_characters, doc="Topic that holds the table definitions.",
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
    topic_delimiter: str = _unlisted("topic.delimiter", default=".", check=_topic_characters,
                                     doc="Between prefix, database and table in topic names.")  # fmt: skip
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
    topic_cache: int = _unlisted("topic.cache.size", default=10000, check=_positive, importance=_LOW,
                                 doc="Accepted; every captured table keeps its topic name.")  # fmt: skip
    topic_heartbeat_prefix: str | None = _unlisted("topic.heartbeat.prefix", default=None, check=_topic_characters,
                                                   doc="Heartbeats go to <this>.<topic.prefix>.")  # fmt: skip
    topic_heartbeat_name: str | None = _unlisted("topic.heartbeat.name", default=None, check=_topic_characters,
                                                 doc="Heartbeats go to this topic.")  # fmt: skip
    topic_transaction: str = _unlisted("topic.transaction", default="transaction", importance=_LOW,
                                       check=_topic_characters,
                                       doc="Transaction metadata goes to <topic.prefix>.<this>.")  # fmt: skip
    field_names: str = _unlisted("field.name.adjustment.mode", default="none", importance=_LOW,
                                 values=["none", "avro_unicode", "avro"],
                                 doc="Make field names legal for Avro.")  # fmt: skip
    binary_mode: str = _unlisted("binary.handling.mode", default="bytes",
                                 values=["bytes", "base64", "base64-url-safe", "hex"],
                                 doc="BINARY and BLOB as bytes or as text.")  # fmt: skip
    unavailable_placeholder: str = _unlisted("unavailable.value.placeholder", default="__debezium_unavailable_value",
                                             doc="Stands for a value the binlog does not hold.")  # fmt: skip
    convert_failure_mode: str = _unlisted("event.converting.failure.handling.mode", default="warn",
                                          values=["warn", "fail", "skip"],
                                          doc="What to do with a value that cannot be converted.")  # fmt: skip
    skip_unchanged: bool = _unlisted("skip.messages.without.change", default=False, importance=_LOW,
                                     doc="Leave out updates that change no captured column.")  # fmt: skip
    gtid_ignore_on_recovery: bool = _unlisted("gtid.ignore.on.recovery", default=False, importance=_LOW,
                                              doc="Go on by file and position although there are GTIDs.")  # fmt: skip
    locking_custom: str | None = _unlisted("snapshot.locking.mode.custom.name", default=None,
                                           doc="Java class of snapshot.locking.mode=custom.")  # fmt: skip
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
    resolve_like: bool = _unlisted("resolve.create.table.like.schema", default=False, importance=_LOW,
                                   doc="Accepted; CREATE TABLE … LIKE is always resolved.")  # fmt: skip
    resume_from_rows: int = _unlisted(
        "tailrace.snapshot.resume.min.rows", default=1000, check=_not_negative, importance=_LOW,
        doc="Tables of at least so many rows are read along their primary key, so that a snapshot that was stopped "
            "goes on inside them; smaller ones are read anew.",
    )  # fmt: skip
    ddl_parser: str = _unlisted("ddl.parser.type", default="default", values=["default", "legacy"], importance=_LOW,
                                doc="Accepted; there is one DDL parser here.")  # fmt: skip
    statistics: bool = _unlisted("statistics.metrics.enabled", default=True, importance=_LOW,
                                 doc="Accepted; metrics are always kept.")  # fmt: skip
    sanitize_field_names: bool = _unlisted("sanitize.field.names", default=False, importance=_LOW,
                                           doc="Debezium 1.x; see field.name.adjustment.mode.")  # fmt: skip
    new_tables: str = _unlisted("snapshot.new.tables", default="off", values=["off", "parallel"], importance=_LOW,
                                doc="Debezium 1.x: snapshot tables added to the include list.")  # fmt: skip
    source_struct: str = _unlisted("source.struct.version", default="v2", values=["v2"], importance=_LOW,
                                   doc="Debezium 1.x: layout of the source block.")  # fmt: skip
    gtid_new_channel: str = _unlisted("gtid.new.channel.position", default="earliest", values=["earliest", "latest"],
                                      importance=_LOW, doc="Debezium 1.x: where new GTID channels begin.")  # fmt: skip
    transaction_topic: str | None = _unlisted("transaction.topic", default=None, importance=_LOW,
                                              doc="Debezium 1.x: full name of the transaction topic.")  # fmt: skip

    @property
    def keeps_comments(self) -> bool:
        """Whether tables and columns are known with their comments."""
        return self.schema_comments
